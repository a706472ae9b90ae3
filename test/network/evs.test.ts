import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { layoutOf, type PosocDescription, posocParametersOf, slotsPerDay } from '../../packages/consensus/src/index.ts';
import { decodeModel, tensorBytes } from '../../packages/frl/src/index.ts';
import type { EvDayReport, EvRunReport, RoundReport } from '../../packages/node/src/cluster/ev-run.ts';
import { getBytes } from '../../packages/node/src/cluster/peer-client.ts';
import { TestNetwork, until } from './network.ts';

const MAIN = join(import.meta.dirname, '../../packages/node/src/cli/main.ts');

describe('four EVs, each a process with its own chain', () => {
  it('trade and learn for two days in the demo, agree on every model, and end', async () => {
    const days = 2;
    const roundsPerDay = 2;
    const args = [
      'demo',
      '--protocol',
      'posoc',
      '--nodes',
      '4',
      '--days',
      `${days}`,
      '--rounds-per-day',
      `${roundsPerDay}`,
    ];
    const options = ['--seed', 'ev day test', '--evaluation-days', '20', '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args, ...options], { maxBuffer: 2 ** 24 });
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    const of = <T>(type: string): T[] => lines.filter((line) => line.type === type) as T[];
    const rounds = of<RoundReport>('round');
    expect(rounds).toHaveLength(days * roundsPerDay);
    expect(rounds.every(({ isAggregated, updates }) => isAggregated && updates >= 3)).toBe(true);
    expect(new Set(rounds.map(({ modelHash }) => modelHash)).size).toBe(rounds.length);
    expect(of('hour')).toHaveLength(24 * days);
    expect(of<EvDayReport>('day').map(({ day }) => day)).toEqual([0, 1]);
    const [summary] = of<EvRunReport>('summary') as [EvRunReport];
    expect(summary).toMatchObject({ days, rounds: rounds.length, modelHash: rounds.at(-1)?.modelHash });
    expect(summary.v2vShare).toBeGreaterThanOrEqual(0.2);
    expect(BigInt(summary.boughtWh) + BigInt(summary.soldWh)).toBeGreaterThan(0n);
    expect(summary.members.map(({ learning }) => learning?.late)).toEqual([0, 0, 0, 0]);
  });
});

describe('an EV that is killed and misses more than a day', () => {
  let net: TestNetwork;
  afterEach(() => net.destroy());

  it('catches up with rounds that it had no part in, fetches the model, and learns again', async () => {
    const roundsPerDay = 2;
    net = await TestNetwork.createEvs(
      { nodes: 4, seed: 'ev away', roundsPerDay },
      { slotPaceMs: 0, readyTimeoutMs: 3_000 },
    );
    const { genesis } = net.network;
    const slots = slotsPerDay(roundsPerDay);
    await net.start();
    const reaches = (slot: number, ranks: readonly number[]) =>
      until(`slot ${slot}`, 120_000, async () => {
        const at = await Promise.all(ranks.map(async (rank) => (await net.status(rank)).slot));
        return { isDone: at.every((one) => one >= slot), found: at.join(', ') };
      });
    await reaches(3, net.ranks);
    // Not the one that composes the day's blocks: each of them would cost the others a round.
    const { list } = await net.get<{ list: { rank: number }[] }>(0, '/elections');
    const gone = list.at(-1)?.rank as number;
    const rest = net.ranks.filter((rank) => rank !== gone);
    const [other] = rest as [number];
    await net.kill([gone]);
    await reaches(slots + 2, rest);
    const missed = (await settlementsOf(net, other, slots - roundsPerDay)).flatMap(({ round }) => round ?? []);
    expect(missed.map(({ round }) => round)).toEqual([1, 2]);
    expect(missed.map(({ updates }) => updates.map(({ rank }) => rank))).toEqual([rest, rest]);
    await net.start([gone]);
    // Starting takes a while, in which the others go on: what counts is the first whole day after that.
    await reaches((await net.status(other)).slot, [gone]);
    const back = (Math.floor((await net.status(gone)).slot / slots) + 1) * slots;
    await reaches(back + slots, net.ranks);

    const { height } = await net.status(gone);
    await net.reaches(height);
    expect(await net.holdingsAt(height)).toHaveProperty('size', 1);
    const rounds = (await settlementsOf(net, gone, back)).flatMap(({ round }) => round ?? []);
    expect(rounds.some(({ updates }) => updates.some(({ rank }) => rank === gone))).toBe(true);
    const layout = layoutOf(posocParametersOf(genesis).learning);
    const { bytes, headers } = await getBytes(net.urlOf(gone), '/model');
    const hash = createHash('sha256')
      .update(tensorBytes(decodeModel(layout, bytes)))
      .digest('hex');
    expect(hash).toBe(headers.get('x-model-hash'));
    expect(rounds.map(({ modelHash }) => modelHash)).toContain(hash);
  });
});

/** Settlements from slot `from` on, as a peer tells them; those whose states it no longer keeps are left out. */
async function settlementsOf(net: TestNetwork, rank: number, from: number): Promise<PosocDescription[]> {
  const { height } = await net.status(rank);
  const found: PosocDescription[] = [];
  for (let at = 2 * from; at <= height; at += 1) {
    const { settlement } = await net.get<{ settlement: PosocDescription | null }>(rank, `/blocks/${Math.max(1, at)}`);
    if (settlement !== null) found.push(settlement);
  }
  return found;
}
