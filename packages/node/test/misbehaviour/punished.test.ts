import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MisbehaviourChoice } from '@wattmesh/consensus';
import { afterEach, describe, expect, it } from 'vitest';
import { readNodeConfig } from '../../src/config/node-config.ts';
import { type RunningNode, startNode } from '../../src/node.ts';
import { DEFAULT_MARKET, DEFAULT_PENALTIES, provisionNetwork } from '../../src/provision/network.ts';
import { peerFolder, writeRunFolder } from '../../src/provision/run-folder.ts';

const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

/** Four peers over real sockets and disks, the first of which misbehaves; resolves when `isDone` holds on another one. */
async function untilSeen(
  choices: readonly MisbehaviourChoice[],
  isDone: (node: RunningNode) => boolean,
): Promise<readonly RunningNode[]> {
  const folder = await mkdtemp(join(tmpdir(), 'wattmesh-test-'));
  cleanup.push(() => rm(folder, { recursive: true, force: true }));
  const home = (productionWh: number) => ({ intervals: [{ productionWh, consumptionWh: 1_000 }] });
  const network = provisionNetwork({
    name: 'hostile',
    seed: 'hostile',
    genesisTimeMs: 1_700_000_000_000,
    households: [4_000, 0, 2_000, 500].map((made, k) => ({ household: home(made), position: { x: k, y: 3 } })),
    slot: { lengthMs: 60_000, clock: 'ready', simulatedHours: 1, slotsPerTerm: 1 },
    market: DEFAULT_MARKET,
  });
  const timing = { proposeMs: 1_500, readyTimeoutMs: 5_000 };
  const run = await writeRunFolder(folder, network, { seed: 'hostile', createdMs: 0, timing, logLevel: 'info' });
  const nodes: RunningNode[] = [];
  for (const [rank, { name }] of run.peers.entries()) {
    const config = await readNodeConfig(join(peerFolder(folder, name), 'config.json'));
    const misbehaviour = { choices: choices.map((one) => ({ parameters: {}, ...one })), accomplices: [] };
    const node = await startNode(rank === 0 ? { ...config, misbehaviour } : config);
    nodes.push(node);
    cleanup.push(() => node.stop());
  }
  const honest = nodes[1] as RunningNode;
  await new Promise<void>((resolve) => {
    const stop = honest.onCommit(() => {
      if (!isDone(honest)) return;
      stop();
      resolve();
    });
  });
  return nodes;
}

const stakes = (node: RunningNode) =>
  node
    .view()
    .state.ledger.accounts.slice(0, 4)
    .map(({ stakeMicro }) => stakeMicro);

describe('a real peer that misbehaves', { timeout: 240_000 }, () => {
  it('loses a tenth of its stake and its weight for voting twice, and nobody else loses anything', async () => {
    const nodes = await untilSeen([{ name: 'double-vote' }], (node) => {
      return (node.view().state.discipline.jailedThrough[0] ?? 0) > 0;
    });
    const stake = 100_000_000n;
    const [thief, ...others] = stakes(nodes[1] as RunningNode) as [bigint, ...bigint[]];
    expect(thief).toBeLessThanOrEqual((stake * 9n) / 10n);
    expect(others.every((one) => one >= stake - 5n * DEFAULT_PENALTIES.refusalPenaltyMicro)).toBe(true);
    expect((nodes[1] as RunningNode).view().state.discipline.jailedThrough.slice(1)).toEqual([0, 0, 0]);
  });

  it('pays for its refusals, and the slots go on', async () => {
    const nodes = await untilSeen([{ name: 'refuse' }], (node) => {
      return (stakes(node)[0] as bigint) < 100_000_000n && node.view().state.slot > 2;
    });
    expect((100_000_000n - (stakes(nodes[1] as RunningNode)[0] as bigint)) % 100_000n).toBe(0n);
    expect((nodes[1] as RunningNode).view().state.discipline.jailedThrough).toEqual([0, 0, 0, 0]);
  });
});
