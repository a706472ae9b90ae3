import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { REPORT_FILE_VARIABLE } from '../../scripts/testing/count-reporter.ts';
import { add, closingLine, isGood, type TestReport } from '../../scripts/testing/counts.ts';

const repository = join(import.meta.dirname, '../..');

/** What the reporter writes about a vitest run of this one file. */
function report(source: string): TestReport | undefined {
  const cache = join(repository, '.tools');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'count-reporter-'));
  try {
    writeFileSync(
      join(folder, 'sample.test.ts'),
      `import { beforeAll, describe, expect, test } from 'vitest';\n${source}`,
    );
    const file = join(folder, 'report.json');
    spawnSync(
      process.execPath,
      [
        join(repository, 'node_modules/vitest/vitest.mjs'),
        'run',
        '--root',
        folder,
        `--reporter=${join(repository, 'scripts/testing/count-reporter.ts')}`,
      ],
      { cwd: folder, env: { ...process.env, [REPORT_FILE_VARIABLE]: file } },
    );
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('the report of a vitest run', () => {
  test('counts each way to end, and gives the reason of a skip', () => {
    expect(
      report(`
        test('good', () => {});
        test.each([1, 2])('bad %i', () => expect(1).toBe(2));
        test('left out', ({ skip }) => skip('no Docker engine'));`),
    ).toEqual({
      counts: { passed: 1, failed: 2, skipped: 1 },
      skipped: ['no Docker engine (sample.test.ts > left out)'],
    });
  });

  test.each([
    ['a file that does not load', `throw new Error('at load');`, { passed: 0, failed: 1, skipped: 0 }],
    [
      'a hook that throws',
      `test('good', () => {}); describe('group', () => { beforeAll(() => { throw new Error('hook'); }); test('never', () => {}); });`,
      { passed: 1, failed: 1, skipped: 1 },
    ],
    [
      'an error that nobody caught',
      `test('good', async () => { void Promise.reject(new Error('lost')); await new Promise((resolve) => setTimeout(resolve, 20)); });`,
      { passed: 1, failed: 1, skipped: 0 },
    ],
  ])('%s counts as a failure', (_, source, counts) => {
    expect(report(source)?.counts).toEqual(counts);
  });
});

describe('the closing line', () => {
  test('stands in the form that continuous integration reads', () => {
    expect(closingLine({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed');
    expect(closingLine({ passed: 12, failed: 3, skipped: 4 })).toBe('12 passed, 3 failed, 4 skipped');
  });

  test('a sum loses nothing', () => {
    expect(add({ passed: 1, failed: 2, skipped: 3 }, { passed: 10, failed: 20, skipped: 30 })).toEqual({
      passed: 11,
      failed: 22,
      skipped: 33,
    });
  });

  test('a run that ran nothing is not good', () => {
    expect(isGood({ passed: 0, failed: 0, skipped: 9 })).toBe(false);
    expect(isGood({ passed: 9, failed: 1, skipped: 0 })).toBe(false);
    expect(isGood({ passed: 9, failed: 0, skipped: 1 })).toBe(true);
  });
});
