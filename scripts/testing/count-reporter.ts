import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';
import type { Counts } from './counts.ts';

/** Where the counts go: set by scripts/test.ts. */
export const COUNTS_FILE_VARIABLE = 'WATTMESH_TEST_COUNTS_FILE';

/**
 * Writes what vitest counted to the file that scripts/test.ts named. A failure that belongs to no test (a file that does not
 * load, a hook that throws, an error nobody caught) counts as one failed each: it must not vanish from the sum.
 */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandledErrors: ReadonlyArray<unknown>): void {
    const file = process.env[COUNTS_FILE_VARIABLE];
    if (file === undefined) return;
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const state = test.result().state;
        if (state === 'passed') counts.passed += 1;
        else if (state === 'skipped') counts.skipped += 1;
        else counts.failed += 1;
      }
      counts.failed += module.errors().length;
      for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
    }
    writeFileSync(file, JSON.stringify(counts satisfies Counts));
  }
}
