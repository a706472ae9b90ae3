import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { DayReport } from '../../packages/node/src/cluster/day-run.ts';

const MAIN = join(import.meta.dirname, '../../packages/node/src/cli/main.ts');

describe('ten prosumers, each a process with its own chain', () => {
  it('settle a day whose totals equal the offline computation to the unit', async () => {
    const args = [MAIN, 'demo', '--nodes', '10', '--slots', '24', '--slot-ms', '0', '--seed', 'day test', '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 16 * 1024 * 1024 });
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const summary = lines.at(-1) as DayReport & { type: string };
    expect(summary.type).toBe('summary');
    expect(summary.offline).toEqual({
      energyTradedWh: summary.energyTradedWh,
      lossSavedHalfNanoWh: summary.lossSavedHalfNanoWh,
      isEqual: true,
    });
    expect(lines.filter(({ type }) => type === 'slot')).toHaveLength(24);
    expect(summary.tradingSlots).toBeGreaterThanOrEqual(8);
    expect(summary.members).toHaveLength(10);
    expect(summary.members.reduce((sum, { mined }) => sum + mined, 0)).toBe(24);
    // Trading never costs anybody more than fees can explain, and all together gain by it.
    const sum = (name: 'billMicro' | 'withoutTradingMicro') =>
      summary.members.reduce((total, member) => total + BigInt(member[name]), 0n);
    expect(sum('billMicro')).toBeLessThan(sum('withoutTradingMicro'));
  });
});
