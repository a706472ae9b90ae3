import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { readNodeConfig } from '../../src/config/node-config.ts';
import { getControlReport, putControl } from '../../src/control/control-client.ts';
import { type RunningNode, startNode } from '../../src/node.ts';
import { DEFAULT_MARKET, provisionNetwork } from '../../src/provision/network.ts';
import { peerFolder, writeRunFolder } from '../../src/provision/run-folder.ts';
import { eventually } from '../eventually.ts';
import { tempFolder } from '../temp-folder.ts';

const HOME = { intervals: [{ productionWh: 2_000, consumptionWh: 300 }] };
const nodes: RunningNode[] = [];
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.stop()));
});

/** Two peers, each with a control socket. */
async function twoPeers(): Promise<{ sockets: string[]; keys: string[] }> {
  const folder = tempFolder();
  const network = provisionNetwork({
    name: 'controlled',
    seed: 'control test',
    genesisTimeMs: 1_700_000_000_000,
    households: [1, 2].map((x) => ({ household: HOME, position: { x, y: 3 } })),
    slot: { lengthMs: 60_000, clock: 'ready', simulatedHours: 1, slotsPerTerm: 1 },
    market: DEFAULT_MARKET,
  });
  const socketOf = (name: string): string => join(folder, `${name}.sock`);
  const run = await writeRunFolder(folder, network, {
    seed: 'control test',
    createdMs: 1,
    timing: { slotPaceMs: 50 },
    logLevel: 'silent',
    configure: (name) => ({ control: { socket: socketOf(name), settings: { clockSkewMs: 250 } } }),
  });
  for (const { name } of run.peers)
    nodes.push(await startNode(await readNodeConfig(join(peerFolder(folder, name), 'config.json'))));
  return {
    sockets: run.peers.map(({ name }) => socketOf(name)),
    keys: network.members.map(({ publicKey }) => publicKey),
  };
}

const grows = async (node: RunningNode): Promise<void> => {
  const { height } = node.view().state;
  await eventually('a further block', () => node.view().state.height > height + 1);
};

describe('the control endpoint of a peer', () => {
  it('is for its owner only, refuses what it does not know, and reports what it was told', async () => {
    const { sockets } = await twoPeers();
    const [socket] = sockets as [string];
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    await expect(putControl(socket, { skew: 3 } as object)).rejects.toMatchObject({ code: 'PEER_REFUSED' });
    const first = await getControlReport(socket, 0);
    expect(first.peerClockMs - first.machineClockMs, 'the settings it began with').toBe(250);
    await putControl(socket, { clockSkewMs: -5_000 });
    const report = await getControlReport(socket, 0);
    expect(report.settings).toEqual({ links: [], clockSkewMs: -5_000, diskFull: false, trace: null });
    expect(report.machineClockMs - report.peerClockMs).toBe(5_000);
    await expect(getControlReport(`${socket}.not`, 0)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
  });

  it('blocks and delays messages, says how many, and traces proposals and votes', async () => {
    const { sockets, keys } = await twoPeers();
    const [socket] = sockets as [string];
    const other = keys[1] as string;
    await grows(nodes[0] as RunningNode);
    const { height } = (nodes[0] as RunningNode).view().state;
    await putControl(socket, {
      links: [{ remote: other, direction: 'out', delayMs: 40 }],
      trace: { fromHeight: height, toHeight: height + 50 },
    });
    await grows(nodes[0] as RunningNode);
    const slow = await getControlReport(socket, height);
    const out = slow.links.find((link) => link.direction === 'out' && link.remote === other);
    expect(out?.maxWaitedMs).toBeGreaterThanOrEqual(39);
    expect(slow.commits.length).toBeGreaterThan(0);
    expect(slow.commits.every((commit) => commit.height >= height)).toBe(true);
    expect(new Set(slow.traced.map(({ what }) => what))).toEqual(new Set(['proposal', 'prevote', 'precommit']));
    await putControl(socket, { links: [{ remote: other, direction: 'in', blocked: true }] });
    await eventually('lost messages', async () =>
      (await getControlReport(socket, 0)).links.some((link) => link.direction === 'in' && link.lost > 0),
    );
  });

  it('severs a link, and the connection comes back when it is healed', async () => {
    const { sockets, keys } = await twoPeers();
    const [socket] = sockets as [string];
    const connected = async (): Promise<number> => (await getControlReport(socket, 0)).connected;
    await eventually('a connection', async () => (await connected()) === 1);
    await putControl(socket, { links: [{ remote: keys[1] as string, direction: 'out', severed: true }] });
    await eventually('no connection', async () => (await connected()) === 0);
    await putControl(socket, {});
    await eventually('the connection again', async () => (await connected()) === 1);
    await grows(nodes[0] as RunningNode);
  });

  it('fills the disk, at which the peer stops and says so', async () => {
    const { sockets } = await twoPeers();
    await putControl(sockets[0] as string, { diskFull: true });
    await expect(nodes[0]?.ended).rejects.toMatchObject({ code: 'STORE_FULL' });
  });
});
