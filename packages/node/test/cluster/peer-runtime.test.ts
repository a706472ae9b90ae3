import { execFile } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { compileAhead, PEER_NODE_ARGUMENTS, peerEnvironment } from '../../src/cluster/peer-runtime.ts';
import { provisionedRun } from '../provisioned-run.ts';
import { tempFolder } from '../temp-folder.ts';

const run = promisify(execFile);

describe('what starting has left behind', () => {
  it('is collected where Node runs as it does for a peer', async () => {
    const module = new URL('../../src/shell/start-garbage.ts', import.meta.url);
    const code = `
      const { collectStartGarbage } = await import(${JSON.stringify(module.href)});
      let garbage = Array.from({ length: 300_000 }, (_, k) => ({ k, text: String(k) }));
      const used = () => process.memoryUsage().heapUsed / 1e6;
      const before = used();
      garbage = null;
      collectStartGarbage();
      console.log(JSON.stringify({ before, after: used() }));
    `;
    const { stdout } = await run(process.execPath, [...PEER_NODE_ARGUMENTS, '--input-type=module', '--eval', code], {
      env: peerEnvironment(),
    });
    const { before, after } = JSON.parse(stdout) as { before: number; after: number };
    expect(after).toBeLessThan(before - 10);
  });

  it('is written down first, so that a peer that is killed later leaves its compiled sources all the same', async () => {
    const cache = tempFolder();
    const module = new URL('../../src/shell/start-garbage.ts', import.meta.url);
    const code = `
      const { collectStartGarbage } = await import(${JSON.stringify(module.href)});
      collectStartGarbage();
      process.kill(process.pid, 'SIGKILL');
    `;
    const ended = run(process.execPath, [...PEER_NODE_ARGUMENTS, '--input-type=module', '--eval', code], {
      env: { ...peerEnvironment(), NODE_COMPILE_CACHE: cache },
    });
    await expect(ended).rejects.toMatchObject({ signal: 'SIGKILL' });
    expect(readdirSync(cache, { recursive: true }).length).toBeGreaterThan(1);
  });

  it('is collected once by a peer, when it has started', async () => {
    const collect = vi.fn();
    vi.stubGlobal('gc', collect);
    onTestFinished(() => void vi.unstubAllGlobals());
    const node = await (await provisionedRun('garbage')).start();
    try {
      expect(collect.mock.calls).toEqual([[{ type: 'major', execution: 'sync', flavor: 'last-resort' }]]);
    } finally {
      await node.stop();
    }
  });
});

describe('compiling ahead', () => {
  it('leaves what a peer that imports the same would otherwise compile for itself', async () => {
    const cache = tempFolder();
    vi.stubEnv('NODE_COMPILE_CACHE', cache);
    onTestFinished(() => void vi.unstubAllEnvs());
    const file = join(tempFolder(), 'program.ts');
    writeFileSync(file, 'export const answer: number = 42;\n');
    const kept = (): string[] => readdirSync(cache, { recursive: true, encoding: 'utf8' }).sort();

    await compileAhead(pathToFileURL(file));
    const ahead = kept();
    expect(ahead.length).toBeGreaterThan(1);
    await run(process.execPath, [...PEER_NODE_ARGUMENTS, file], { env: peerEnvironment() });
    expect(kept()).toEqual(ahead);
    // Whereas a process with other settings finds nothing of use.
    await run(process.execPath, [file], { env: peerEnvironment() });
    expect(kept().length).toBeGreaterThan(ahead.length);
  });

  it('leaves it to the peers to say why a program cannot be loaded', async () => {
    await expect(compileAhead(pathToFileURL(join(tempFolder(), 'missing.ts')))).resolves.toBeUndefined();
  });
});
