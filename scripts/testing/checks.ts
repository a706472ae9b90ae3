import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Counts } from './counts.ts';

interface Check {
  readonly name: string;
  readonly command: readonly string[];
}

/**
 * Types of every package and of the repository's own scripts and tests, then Biome: lint, format, and the boundaries of
 * the packages, which are lint rules here (biome.jsonc). Prints one line each, and the output of what failed.
 */
export async function runChecks(root: string): Promise<Counts> {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const check of checksOf(root)) {
    const startedAtMs = performance.now();
    const { ok, output } = await run(root, check.command);
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
    console.log(`${ok ? 'ok  ' : 'FAIL'} ${check.name} (${seconds} s)`);
    if (ok) counts.passed += 1;
    else {
      counts.failed += 1;
      console.log(output.trimEnd());
    }
  }
  return counts;
}

function checksOf(root: string): Check[] {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
  const packages = readdirSync(join(root, 'packages'))
    .filter((name) => existsSync(join(root, 'packages', name, 'tsconfig.json')))
    .sort();
  return [
    ...packages.map((name) => ({
      name: `types: packages/${name}`,
      command: [tsc, '-p', `packages/${name}`],
    })),
    { name: 'types: test, scripts', command: [tsc, '-p', '.'] },
    { name: 'lint, format, boundaries', command: [biome, 'check', '--error-on-warnings', '.'] },
  ];
}

function run(root: string, [script, ...args]: readonly string[]): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script ?? '', ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ ok: code === 0, output }));
  });
}
