import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Catcher, Mutation } from './mutation.ts';

const ROOT = join(import.meta.dirname, '../../../..');
/** Packages whose sources are mutated; what they depend on is used where it stands. */
const COPIED = ['consensus', 'node'];
const LIMIT_MS = 300_000;

export interface CatcherRun {
  readonly passed: boolean;
  /** Why it failed, in a line; empty when it passed. */
  readonly reason: string;
  readonly seconds: number;
}

/** A copy of the packages in a temporary folder, to be broken and mended. Dependencies are linked, not copied. */
export class MutationWorkspace {
  readonly folder: string;

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'wattmesh-mutations-'));
    symlinkSync(join(ROOT, 'node_modules'), join(this.folder, 'node_modules'));
    for (const name of COPIED) {
      const from = join(ROOT, 'packages', name);
      const to = join(this.folder, 'packages', name);
      mkdirSync(to, { recursive: true });
      for (const part of ['src', 'test', 'package.json']) cpSync(join(from, part), join(to, part), { recursive: true });
      symlinkSync(join(from, 'node_modules'), join(to, 'node_modules'));
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs the catcher of a mutation on the broken copy, and mends it. @throws Error when the source has moved on. */
  async runMutated(mutation: Mutation): Promise<CatcherRun> {
    const path = join(this.folder, 'packages', mutation.file);
    const source = readFileSync(path, 'utf8');
    const mutated = applyMutation(source, mutation);
    writeFileSync(path, mutated);
    try {
      return await this.run(mutation.catcher);
    } finally {
      writeFileSync(path, source);
    }
  }

  async run(catcher: Catcher): Promise<CatcherRun> {
    const startedMs = performance.now();
    const { status, output } = await this.#spawn(catcher);
    const seconds = (performance.now() - startedMs) / 1_000;
    if (status === 0) return { passed: true, reason: '', seconds };
    return { passed: false, reason: reasonOf(catcher, output), seconds };
  }

  #spawn(catcher: Catcher): Promise<{ readonly status: number; readonly output: string }> {
    const [cwd, args] =
      catcher.type === 'seeds'
        ? [this.folder, ['packages/consensus/test/mutations/first-violation.ts', String(catcher.upTo)]]
        : this.#vitest(catcher);
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, args, {
        cwd,
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: LIMIT_MS,
        env: { ...process.env, NO_COLOR: '1', WATTMESH_TEST_SCOPE: '', VITEST: '', NODE_OPTIONS: '' },
      });
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text;
        });
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ status: code ?? 1, output: signal ? `${signal}` : output }));
    });
  }

  #vitest({ file, name }: Extract<Catcher, { type: 'test' }>): [cwd: string, args: string[]] {
    const [packageName = '', ...rest] = file.split('/');
    const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
    const cwd = join(this.folder, 'packages', packageName);
    return [cwd, [vitest, 'run', '--root', cwd, rest.join('/'), '-t', pattern(name), '--testTimeout', '120000']];
  }
}

/** @throws Error unless the mutation's place is there exactly once. */
export function applyMutation(source: string, { name, file, find, replace }: Mutation): string {
  const places = source.split(find).length - 1;
  if (places !== 1) throw new Error(`mutation "${name}": ${file} holds its place ${places} times, not once; adapt it`);
  return source.replace(find, () => replace);
}

/**
 * The line that says what was noticed. A copy that does not even load, or a test that is not there, has noticed nothing.
 * @throws Error then.
 */
function reasonOf(catcher: Catcher, output: string): string {
  const lines = output.split('\n').map((line) => line.trim());
  const reason = lines.find((line) =>
    catcher.type === 'seeds'
      ? /^world \d+: /.test(line) && catcher.says.test(line.replace(/^world \d+: /, ''))
      : /^(Assertion|Invariant|Type|Range)?[A-Za-z]*(Error|Violation|Rejection):/.test(line),
  );
  const failed = catcher.type === 'seeds' || lines.some((line) => /^Tests\s+[1-9]\d* failed/.test(line));
  if (reason === undefined || !failed)
    throw new Error(`the catcher failed for another reason:\n${output.slice(-3_000)}`);
  return reason.slice(0, 140);
}

function pattern(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
