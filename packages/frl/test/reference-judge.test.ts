import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { judge, judgeStrictly } from '../scripts/reference-judge.ts';
import { findRuns, type Run, readCsv, writeCsv } from '../scripts/reference-runs.ts';
import { STUDIES } from '../scripts/reference-studies.ts';

const PUBLISHED = resolve(import.meta.dirname, '../../../docs/learning-reference.csv');

describe('judgement of a measured figure', () => {
  const steady = { mean: 98, sd: 1.5, seeds: 3 };
  const scattered = { mean: -80, sd: 30, seeds: 3 };
  const unprinted = { mean: 80, seeds: 3 };

  it('allows 3 points where the printed sd is at most 1.5', () => {
    expect(judge([95, 95, 95], steady)).toMatchObject({ tolerance: 3, passes: true });
    expect(judge([94.9, 94.9, 94.9], steady).passes).toBe(false);
  });

  it('allows two combined standard errors where it is larger', () => {
    const { tolerance, passes } = judge([-50, -40, -60, -50], scattered);
    expect(tolerance).toBeCloseTo(2 * Math.sqrt(900 / 3 + 200 / 3 / 4), 12);
    expect(passes).toBe(true);
    expect(judge([-40, -41, -39], scattered).passes).toBe(false);
  });

  it('takes our own sd for one that is not printed, from three seeds on and above 1.5', () => {
    const nine = [70, 79, 88];
    expect(judge(nine, unprinted)).toMatchObject({ mean: 79, sd: 9 });
    expect(judge(nine, unprinted).tolerance).toBeCloseTo(2 * 9 * Math.sqrt(1 / 3 + 1 / 3), 12);
    expect(judge([70, 88], unprinted).tolerance).toBe(3);
    expect(judge([77, 78, 79], unprinted).tolerance).toBe(3);
    // A spread of 1.6 over ten seeds must not cost it the three points that one of 1.5 would have.
    expect(judge([78.4, 81.6, 78.4, 81.6, 78.4, 81.6, 78.4, 81.6, 78.4, 81.6], unprinted).tolerance).toBe(3);
    expect(judgeStrictly(nine, unprinted).tolerance).toBe(3);
    expect(judgeStrictly(nine, scattered).tolerance).toBe(judge(nine, scattered).tolerance);
  });
});

describe('published runs', () => {
  const runs = readCsv(PUBLISHED);

  it('belong to the studies as they are configured today, each once', () => {
    expect(runs.length).toBeGreaterThan(0);
    const found = STUDIES.flatMap((study) => findRuns(runs, study));
    expect(found).toHaveLength(runs.length);
    expect(new Set(found).size).toBe(runs.length);
  });

  it('stay the same when written and read', () => {
    const folder = mkdtempSync(join(tmpdir(), 'reference-runs-'));
    try {
      const path = join(folder, 'runs.csv');
      const other: Run = { ...(runs[0] as Run), row: 'krum | sign x3, m=1', otherShapedGain: -1.25 };
      writeCsv(path, [...runs, other]);
      expect(readCsv(path)).toEqual([...runs, other]);
      writeFileSync(path, 'seed,gain\n1,2\n');
      expect(() => readCsv(path)).toThrow('unknown columns');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
