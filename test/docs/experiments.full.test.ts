import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { markedCommands } from '../../scripts/docs/commands.ts';
import { testImage, whyNoEngine } from '../containers/engine.ts';

const repository = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'wattmesh-docs-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('docs/experiments.md, typed from top to bottom', () => {
  const text = readFileSync(join(repository, 'docs/experiments.md'), 'utf8');
  // Results go to a folder of the test's own: those of a user stay as they are.
  const commands = markedCommands(text).map((command) => command.text.replaceAll('.wattmesh/', `${folder}/`));

  it.for(commands)('%s', async (command, { skip }) => {
    const needsEngine = command.includes('--runtime docker');
    const reason = needsEngine ? whyNoEngine() : undefined;
    skip(reason !== undefined, reason);
    const env = needsEngine ? { ...process.env, WATTMESH_IMAGE: await testImage() } : process.env;
    const code = await promisify(execFile)('bash', ['-c', command], { cwd: repository, env, maxBuffer: 2 ** 26 }).then(
      () => 0,
      (error: { code: number }) => error.code,
    );
    // The mean is what poisoned updates ruin: the page says so.
    expect(code).toBe(command.includes('multikrum,mean') ? 1 : 0);
  });

  it('leaves what the page promises', () => {
    const results = ['healthy', 'third-away'].flatMap((name) =>
      ['report.html', 'events.jsonl', 'summary.json', 'blocks.csv'].map((file) => join(folder, 'results', name, file)),
    );
    const pages = [join(folder, 'compare.html'), join(folder, 'results/away/sweep.html')];
    expect([...results, ...pages].filter((file) => !existsSync(file))).toEqual([]);
    const [header, ...rows] = readFileSync(join(folder, 'results/away/sweep.csv'), 'utf8').trim().split('\n');
    expect(header).toMatch(/^timeline\.0\.peers,seed,verdict,/);
    expect(rows.map((row) => row.split(',')[2])).toEqual(rows.map(() => 'holds'));
  });
});
