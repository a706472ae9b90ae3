import type { MisbehaviourChoice } from '@wattmesh/consensus';
import { afterEach, describe, expect, it } from 'vitest';
import type { RunningNode } from '../../src/node.ts';
import { DEFAULT_PENALTIES } from '../../src/provision/network.ts';
import { startHostileNetwork } from '../fixtures/hostile-network.ts';

const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0)) await step();
});

/** The first of four peers misbehaves; resolves when `isDone` holds on an honest one. */
async function untilSeen(
  choices: readonly MisbehaviourChoice[],
  isDone: (node: RunningNode) => boolean,
): Promise<RunningNode> {
  const network = await startHostileNetwork({ 0: choices });
  cleanup.push(network.stop, network.remove);
  await network.until(isDone);
  return network.nodes.at(-1) as RunningNode;
}

const stakes = (node: RunningNode) =>
  node
    .view()
    .state.ledger.accounts.slice(0, 4)
    .map(({ stakeMicro }) => stakeMicro);

describe('a real peer that misbehaves', { timeout: 240_000 }, () => {
  it('loses a tenth of its stake and its weight for voting twice, and nobody else loses anything', async () => {
    const node = await untilSeen([{ name: 'double-vote' }], (node) => {
      return (node.view().state.discipline.jailedThrough[0] ?? 0) > 0;
    });
    const stake = 100_000_000n;
    const [thief, ...others] = stakes(node) as [bigint, ...bigint[]];
    expect(thief).toBeLessThanOrEqual((stake * 9n) / 10n);
    expect(others.every((one) => one >= stake - 5n * DEFAULT_PENALTIES.refusalPenaltyMicro)).toBe(true);
    expect(node.view().state.discipline.jailedThrough.slice(1)).toEqual([0, 0, 0]);
  });

  it('pays for its refusals, and the slots go on', async () => {
    const node = await untilSeen([{ name: 'refuse' }], (node) => {
      return (stakes(node)[0] as bigint) < 100_000_000n && node.view().state.slot > 2;
    });
    expect((100_000_000n - (stakes(node)[0] as bigint)) % 100_000n).toBe(0n);
    expect(node.view().state.discipline.jailedThrough).toEqual([0, 0, 0, 0]);
  });
});
