import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';
import type { TestReport } from './counts.ts';

/** Where the report goes: set by scripts/test.ts. */
export const REPORT_FILE_VARIABLE = 'WATTMESH_TEST_REPORT_FILE';

/**
 * Writes what vitest counted to the file that scripts/test.ts named. A failure that belongs to no test (a file that does not
 * load, a hook that throws, an error nobody caught) counts as one failed each: it must not vanish from the sum.
 */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandledErrors: ReadonlyArray<unknown>): void {
    const file = process.env[REPORT_FILE_VARIABLE];
    if (file === undefined) return;
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    const reasons: string[] = [];
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'passed') counts.passed += 1;
        else if (result.state === 'skipped') {
          counts.skipped += 1;
          reasons.push(`${result.note ?? 'no reason given'} (${module.relativeModuleId} > ${test.fullName})`);
        } else counts.failed += 1;
      }
      counts.failed += module.errors().length;
      for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
    }
    writeFileSync(file, JSON.stringify({ counts, skipped: reasons } satisfies TestReport));
  }
}
