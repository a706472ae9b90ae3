import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { EvDayReport, EvRunReport, RoundReport } from '../../packages/node/src/cluster/ev-run.ts';

const MAIN = join(import.meta.dirname, '../../packages/node/src/cli/main.ts');
const DAYS = 10;
const ROUNDS_PER_DAY = 22;
const EVS = 10;

interface LearningRun {
  readonly rounds: readonly RoundReport[];
  readonly days: readonly EvDayReport[];
  readonly summary: EvRunReport;
  /** Gain of the shaped return on 200 fixed days, by group of EVs. */
  readonly gains: ReadonlyMap<string, number>;
}

/** Ten EV processes for ten days. The run itself compares the blocks of all peers, and fails when they differ. */
async function learn(...options: string[]): Promise<LearningRun> {
  const args = ['demo', '--protocol', 'posoc', '--nodes', `${EVS}`, '--days', `${DAYS}`, '--seed', 'm1', '--json'];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [MAIN, ...args, '--rounds-per-day', `${ROUNDS_PER_DAY}`, ...options],
    { maxBuffer: 2 ** 26 },
  );
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string });
  const of = <T>(type: string): T[] => lines.filter((line) => line.type === type) as T[];
  const [summary] = of<EvRunReport>('summary') as [EvRunReport];
  const gains = new Map(summary.gains.map(({ group, shapedGain }) => [group, shapedGain]));
  expect([...gains.keys()].sort()).toEqual(['empty', 'full']);
  return { rounds: of('round'), days: of('day'), summary, gains };
}

let healthy: Promise<LearningRun> | undefined;
/** The run that the attacked ones are compared with, made once. */
const withoutAttack = (): Promise<LearningRun> => {
  healthy ??= learn();
  return healthy;
};

describe('ten EVs, each a process with its own chain, in 220 learning rounds', () => {
  it('agree on every model, gain nine tenths of what hindsight gains, and are never late for having learned', async () => {
    const { rounds, days, summary, gains } = await withoutAttack();
    expect(rounds.map(({ round }) => round)).toEqual(Array.from({ length: DAYS * ROUNDS_PER_DAY }, (_, i) => i + 1));
    // Every round made another model, of every EV's update; its hash stands in a block that all ten hold.
    expect(rounds.every(({ isAggregated, updates }) => isAggregated && updates === EVS)).toBe(true);
    expect(new Set(rounds.map(({ modelHash }) => modelHash)).size).toBe(rounds.length);
    expect(days).toHaveLength(DAYS);
    expect(summary).toMatchObject({ days: DAYS, aggregations: rounds.length, modelHash: rounds.at(-1)?.modelHash });
    for (const [group, gain] of gains) expect(gain, group).toBeGreaterThanOrEqual(0.9);
    expect(summary.v2vShare).toBeGreaterThanOrEqual(0.2);
    for (const { name, learning, laterRounds, blocks, eventLoopLagMs } of summary.members) {
      expect(learning, name).toMatchObject({ rounds: rounds.length, late: 0 });
      expect(blocks, name).toBeGreaterThanOrEqual(summary.height);
      expect(laterRounds, name).toBe(0);
      expect(eventLoopLagMs.max, name).toBeGreaterThan(0);
    }
  });

  it('hold the profits of the one that keeps its share, and release them when it pays on the last day', async () => {
    const { days, summary } = await withoutAttack();
    const held = days.flatMap(({ members }) => members.filter(({ escrowMicro }) => escrowMicro !== '0'));
    const [first] = held;
    expect(new Set(held.map(({ name }) => name)).size).toBe(1);
    for (const { escrowMicro, profitMicro } of held) expect(escrowMicro).toBe(profitMicro);
    const sum = (amounts: readonly string[]): bigint => amounts.reduce((total, micro) => total + BigInt(micro), 0n);
    const selfish = summary.members.find(({ name }) => name === first?.name);
    expect(selfish?.heldMicro).toBe('0');
    expect(BigInt(selfish?.feeMicro ?? 0)).toBeGreaterThanOrEqual(sum(held.map(({ feeMicro }) => feeMicro)));
    // What it was made to pay has reached those who aggregated.
    expect(sum(summary.members.map(({ feeMicro }) => feeMicro))).toBe(
      sum(summary.members.map(({ rewardMicro }) => rewardMicro)),
    );
  });

  it('stay within 3 points under multi-Krum when three of them poison their updates', async () => {
    const [{ gains }, attacked] = [await withoutAttack(), await learn('--poisoned', '3')];
    for (const [group, gain] of gains) expect(Math.abs(attacked.gains.get(group)! - gain), group).toBeLessThan(0.03);
  });

  it('learn clearly worse under the mean when the same three do', async () => {
    const [{ gains }, attacked] = [await withoutAttack(), await learn('--poisoned', '3', '--rule', 'mean')];
    for (const [group, gain] of gains) expect(attacked.gains.get(group)!, group).toBeLessThan(gain - 0.2);
  });
});
