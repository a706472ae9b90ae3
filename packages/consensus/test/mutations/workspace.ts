import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Catcher, type Edit, editsOf, type Mutation } from './mutation.ts';

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

interface Ended {
  /** Exit code, or the signal that ended it. */
  readonly status: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

interface VitestReport {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** A copy of the packages in a temporary folder, to be broken and mended. Dependencies are linked, not copied. */
export class MutationWorkspace {
  readonly folder: string;
  /** Where vitest writes what became of each test. */
  readonly #report: string;

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'wattmesh-mutations-'));
    this.#report = join(this.folder, 'report.json');
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
    const edits = editsOf(mutation).map((edit) => {
      const path = join(this.folder, 'packages', edit.file);
      const source = readFileSync(path, 'utf8');
      return { path, source, mutated: applyEdit(source, mutation.name, edit) };
    });
    for (const { path, mutated } of edits) writeFileSync(path, mutated);
    try {
      return await this.run(mutation.catcher);
    } finally {
      for (const { path, source } of edits) writeFileSync(path, source);
    }
  }

  async run(catcher: Catcher): Promise<CatcherRun> {
    const startedMs = performance.now();
    rmSync(this.#report, { force: true });
    const ended = await this.#spawn(catcher);
    const report = existsSync(this.#report) ? readFileSync(this.#report, 'utf8') : null;
    const seconds = (performance.now() - startedMs) / 1_000;
    const reason = catcher.type === 'seeds' ? violationIn(ended, catcher) : failureIn(ended, report, catcher);
    return { passed: reason === null, reason: (reason ?? '').split('\n')[0]?.slice(0, 140) ?? '', seconds };
  }

  #spawn(catcher: Catcher): Promise<Ended> {
    const [cwd, args] =
      catcher.type === 'seeds'
        ? [this.folder, ['packages/consensus/test/mutations/first-violation.ts', String(catcher.upTo), catcher.kind]]
        : this.#vitest(catcher);
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, args, {
        cwd,
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: LIMIT_MS,
        env: { ...process.env, NO_COLOR: '1', WATTMESH_TEST_SCOPE: '', VITEST: '', NODE_OPTIONS: '' },
      });
      const output = { stdout: '', stderr: '' };
      for (const name of ['stdout', 'stderr'] as const)
        child[name].setEncoding('utf8').on('data', (text: string) => {
          output[name] += text;
        });
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ ...output, status: code ?? `${signal}` }));
    });
  }

  /** The whole file: some check at their end that every one of their tests has run. */
  #vitest({ file }: Extract<Catcher, { type: 'test' }>): [cwd: string, args: string[]] {
    const [packageName = '', ...rest] = file.split('/');
    const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
    const cwd = join(this.folder, 'packages', packageName);
    return [
      cwd,
      [
        vitest,
        'run',
        '--root',
        cwd,
        rest.join('/'),
        '--reporter=json',
        `--outputFile=${this.#report}`,
        '--testTimeout=120000',
      ],
    ];
  }
}

/** @throws Error unless the mutation's place is there exactly once. */
export function applyEdit(source: string, name: string, { file, find, replace }: Edit): string {
  const places = source.split(find).length - 1;
  if (places !== 1) throw new Error(`mutation "${name}": ${file} holds its place ${places} times, not once; adapt it`);
  return source.replace(find, () => replace);
}

/**
 * What the first broken world says; null when all of them kept every invariant.
 * @throws Error when the program ended for another reason: a copy that does not load has noticed nothing.
 */
function violationIn(ended: Ended, { says }: Extract<Catcher, { type: 'seeds' }>): string | null {
  if (ended.status === 0) return null;
  const reason = ended.stdout.split('\n').find((line) => says.test(line.replace(/^world [a-z/]*\d+: /, '')));
  return reason ?? endedOtherwise(ended);
}

/**
 * Why the named test failed; null when it passed.
 * @throws Error when there is no such test, or it did not run: a copy that does not load has noticed nothing.
 */
function failureIn(ended: Ended, report: string | null, { name }: Extract<Catcher, { type: 'test' }>): string | null {
  if (report === null) return endedOtherwise(ended);
  const { testResults } = JSON.parse(report) as VitestReport;
  const named = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ fullName, status }) => fullName.includes(name) && status !== 'skipped');
  if (named.length === 0) return endedOtherwise(ended);
  const failed = named.find(({ status }) => status !== 'passed');
  return failed === undefined ? null : (failed.failureMessages[0] ?? 'failed');
}

function endedOtherwise({ status, stdout, stderr }: Ended): never {
  throw new Error(
    `the catcher ended with ${status} for another reason:\n${stdout.slice(-2_000)}\n${stderr.slice(-2_000)}`,
  );
}
