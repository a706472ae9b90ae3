/**
 * npm test [-- FILTERS AND OPTIONS OF VITEST]: the static checks, then the tests of the packages and of the whole system.
 * npm run test:full adds the files named *.full.test.ts and *.ci.test.ts; with WATTMESH_TEST_SCOPE=ci, which continuous
 * integration sets, npm test adds the latter. The last line counts both, and the status is 0 only when
 * nothing failed.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { comesFromTerminal } from './child.mjs';
import { runChecks } from './testing/checks.ts';
import { REPORT_FILE_VARIABLE } from './testing/count-reporter.ts';
import { add, closingLine, isGood, type TestReport } from './testing/counts.ts';

const root = join(import.meta.dirname, '..');

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const full = args[0] === '--full';
  const checks = await runChecks(root);
  const tests = await runVitest(full ? args.slice(1) : args, full);
  for (const line of tests.skipped) console.log(`skipped: ${line}`);
  // Only the last of these lines stands alone: it is the one that continuous integration reads.
  console.log(`  static checks ${closingLine(checks)}`);
  console.log(`  vitest ${closingLine(tests.counts)}`);
  console.log(closingLine(add(checks, tests.counts)));
  process.exitCode = isGood(checks) && isGood(tests.counts) ? 0 : 1;
}

/** A vitest that ends badly without a failed test (a crash, an interrupt, no test found) counts as one failure. */
async function runVitest(args: readonly string[], full: boolean): Promise<TestReport> {
  const folder = mkdtempSync(join(tmpdir(), 'wattmesh-test-'));
  try {
    const file = join(folder, 'report.json');
    const status = await spawnVitest(args, {
      ...process.env,
      [REPORT_FILE_VARIABLE]: file,
      WATTMESH_TEST_SCOPE: full ? 'full' : (process.env.WATTMESH_TEST_SCOPE ?? 'normal'),
    });
    const { counts, skipped } = readReport(file);
    const unexplained = status !== 0 && counts.failed === 0 ? 1 : 0;
    return { counts: { ...counts, failed: counts.failed + unexplained }, skipped };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readReport(file: string): TestReport {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { counts: { passed: 0, failed: 1, skipped: 0 }, skipped: [] };
  }
}

function spawnVitest(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const vitest = spawn(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...args], {
      cwd: root,
      env,
      stdio: 'inherit',
    });
    // A vitest that is told to stop ends its workers and its counting; this process waits for that.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (!comesFromTerminal(signal)) vitest.kill(signal);
      });
    }
    vitest.once('error', reject);
    vitest.once('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGTERM']));
  });
}

await main();
