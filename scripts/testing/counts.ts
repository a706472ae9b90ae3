/** How many checks or tests ended in which way. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What the reporter inside vitest hands to scripts/test.ts. */
export interface TestReport {
  readonly counts: Counts;
  /** One line for each skipped test: the reason, then which test. */
  readonly skipped: readonly string[];
}

/** The sum, field by field. */
export function add(left: Counts, right: Counts): Counts {
  return {
    passed: left.passed + right.passed,
    failed: left.failed + right.failed,
    skipped: left.skipped + right.skipped,
  };
}

/** The closing line that continuous integration reads: it must stand alone on its line. */
export function closingLine(counts: Counts): string {
  const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`;
  return `${counts.passed} passed, ${counts.failed} failed${skipped}`;
}

/** A run is good when nothing failed and something was really run. */
export function isGood(counts: Counts): boolean {
  return counts.failed === 0 && counts.passed > 0;
}
