import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layoutOf, posocParametersOf, slotsPerDay } from '@wattmesh/consensus';
import { decodeModel, modelHash } from '@wattmesh/frl';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SCHEMAS } from '../../src/api/schemas.ts';
import { provisionSyntheticEvs } from '../../src/cluster/create-ev-run.ts';
import { getBytes, getJson } from '../../src/cluster/peer-client.ts';
import { readNodeConfig } from '../../src/config/node-config.ts';
import { type RunningNode, startNode } from '../../src/node.ts';
import { peerFolder, writeRunFolder } from '../../src/provision/run-folder.ts';

const ROUNDS = 2;
const DAY = slotsPerDay(ROUNDS);
const network = provisionSyntheticEvs({
  nodes: 2,
  seed: 'ev api',
  clock: 'ready',
  slotMs: 60_000,
  genesisTimeMs: 1_700_000_000_000,
  preset: 'sound',
  roundsPerDay: ROUNDS,
  trainingWindowMs: 0,
});
let folder: string;
let nodes: RunningNode[] = [];

/** Two EVs in this process, over real sockets, disks and training threads, for a little more than a day. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wattmesh-ev-api-'));
  const timing = { slotPaceMs: 0, readyTimeoutMs: 60_000 };
  const run = await writeRunFolder(folder, network, { seed: 'ev api', createdMs: 1_700_000_000_000, timing });
  for (const { name } of run.peers)
    nodes.push(await startNode(await readNodeConfig(join(peerFolder(folder, name), 'config.json'))));
  await Promise.all(
    nodes.map(
      (node) =>
        new Promise<void>((resolve) => {
          const check = (): void => {
            if (node.view().state.slot <= DAY) return;
            unlisten();
            resolve();
          };
          const unlisten = node.onCommit(check);
          check();
        }),
    ),
  );
}, 60_000);

afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()));
  nodes = [];
  await rm(folder, { recursive: true, force: true });
});

const url = (): string => nodes[0]?.apiUrl ?? '';
type Block = ReturnType<(typeof SCHEMAS)['Block']['parse']>;

describe('what a peer of EVs tells', () => {
  test('every block as described, with the hours, rounds and the end of the day', async () => {
    const blocks: Block[] = [];
    for (let height = 1; height <= 2 * DAY; height += 1) {
      const block = await getJson(url(), `/blocks/${height}`);
      expect(SCHEMAS.Block.safeParse(block).error?.issues ?? []).toEqual([]);
      blocks.push(block as Block);
    }
    const settled = blocks.flatMap(({ settlement }) =>
      settlement !== null && 'round' in settlement ? [settlement] : [],
    );
    expect(settled).toHaveLength(DAY);
    expect(settled.flatMap(({ hour }) => hour?.hour ?? [])).toEqual(Array.from({ length: 24 }, (_, hour) => hour));
    expect(settled.flatMap(({ round }) => round?.updates.length ?? [])).toEqual([2, 2]);
    expect(settled.filter(({ dayEnd }) => dayEnd !== null).map(({ slot }) => slot)).toEqual([DAY - 1]);
  });

  test('sums, scores and the model with its hash', async () => {
    const market = SCHEMAS.Market.parse(await getJson(url(), '/market'));
    expect(market).toMatchObject({ rounds: ROUNDS, aggregations: ROUNDS, members: [{ days: 1 }, { days: 1 }] });
    const { bytes, headers } = await getBytes(url(), '/model');
    const weights = decodeModel(layoutOf(posocParametersOf(network.genesis).learning), bytes);
    expect(modelHash(weights)).toBe(headers.get('x-model-hash'));
    expect('modelHash' in market && market.modelHash).toBe(modelHash(weights));
  });

  test('how well it keeps up while it learns', async () => {
    const report = SCHEMAS.Performance.parse(await getJson(url(), '/performance'));
    expect(report.learning?.rounds).toBeGreaterThanOrEqual(ROUNDS);
    expect(report.blocks).toBeGreaterThanOrEqual(2 * DAY);
  });
});
