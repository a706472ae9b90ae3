import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';

const repository = join(import.meta.dirname, '../..');
const fixtures = join(repository, 'test/boundaries/fixtures');
const biome = join(repository, 'node_modules/@biomejs/biome/bin/biome');
const BOUNDARY_RULES = ['lint/style/noRestrictedGlobals', 'lint/style/noRestrictedImports', 'plugin'];

interface Diagnostic {
  readonly category: string;
  readonly location: { readonly path: string; readonly start: { readonly line: number } };
}

/** The repository's own rules, on the fixtures in the place of the packages. */
function lintFixtures(): Map<string, Set<number>> {
  const folder = mkdtempSync(join(tmpdir(), 'wattmesh-boundaries-'));
  try {
    cpSync(fixtures, folder, { recursive: true });
    cpSync(join(repository, 'scripts/lint'), join(folder, 'scripts/lint'), { recursive: true });
    const config = readFileSync(join(repository, 'biome.jsonc'), 'utf8').replace(
      '"vcs": { "enabled": true',
      '"vcs": { "enabled": false',
    );
    writeFileSync(join(folder, 'biome.jsonc'), config);
    const report = lint(folder);
    const lines = new Map<string, Set<number>>();
    for (const { category, location } of report) {
      if (!BOUNDARY_RULES.includes(category)) continue;
      lines.set(location.path, (lines.get(location.path) ?? new Set()).add(location.start.line));
    }
    return lines;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function lint(folder: string): Diagnostic[] {
  let output: string;
  try {
    output = execFileSync(process.execPath, [biome, 'lint', '--reporter=json', '--max-diagnostics=none', 'packages'], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    output = (error as { stdout: string }).stdout;
  }
  return JSON.parse(output).diagnostics;
}

const files = readdirSync(fixtures, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .sort();

describe('the boundary rule', () => {
  let reported: Map<string, Set<number>>;
  beforeAll(() => {
    reported = lintFixtures();
  });

  test.each(files)('%s: exactly the marked lines are refused', (file) => {
    const marked = readFileSync(join(fixtures, file), 'utf8')
      .split('\n')
      .flatMap((line, index) => (line.endsWith('// refused') ? [`${index + 1}: ${line}`] : []));
    const text = readFileSync(join(fixtures, file), 'utf8').split('\n');
    const found = [...(reported.get(file) ?? [])].sort((a, b) => a - b).map((line) => `${line}: ${text[line - 1]}`);
    expect(found).toEqual(marked);
  });
});

test('no source of a pure package switches the rule off by a comment', () => {
  const packages = join(repository, 'packages');
  const suppressed = ['consensus', 'market', 'frl', 'data'].flatMap((name) =>
    readdirSync(join(packages, name, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .filter((file) =>
        /biome-ignore(-all|-start)?\s+lint(:|\/plugin|\/style(:|\/noRestricted))/.test(
          readFileSync(join(packages, name, 'src', file), 'utf8'),
        ),
      )
      .map((file) => `${name}/src/${file}`),
  );
  expect(suppressed).toEqual([]);
});
