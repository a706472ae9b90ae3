/**
 * How long until a message is everywhere: N peers in N processes on loopback, our transport against raw TCP.
 *
 *     node packages/node/bench/transport.ts --peers 10 --bytes 1024 --count 200
 *
 * Latency: peers publish in turn, one message in flight; a sample is the time from publishing until the last of the
 * others has it. Throughput: one peer publishes as fast as it can. All processes share the machine's clock and cores,
 * so figures of one run compare with each other, not with those of another machine.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { parseArgs } from 'node:util';
import { encodeFrame, FrameReader } from '../src/transport/frame-codec.ts';
import { Libp2pTransport } from '../src/transport/libp2p-transport.ts';
import { identityOfSecret } from '../src/transport/member-id.ts';
import { DEFAULT_LIMITS } from '../src/transport/transport-limits.ts';

const MODES = ['raw TCP', 'direct streams', 'gossip'] as const;
type Mode = (typeof MODES)[number];

type Order =
  | { do: 'connect'; peers: { member: string; address: string; tcpPort: number }[] }
  | { do: 'publish'; mode: Mode; firstId: number; count: number; bytes: number; gapMs: number }
  | { do: 'report' }
  | { do: 'stop' };

interface Tally {
  readonly sentNs: [number, string][];
  readonly heardNs: [number, string][];
  readonly cpuMicros: number;
}

const { values } = parseArgs({
  options: {
    peers: { type: 'string', default: '10' },
    bytes: { type: 'string', default: '1024' },
    count: { type: 'string', default: '200' },
    gap: { type: 'string', default: '15' },
    burst: { type: 'string', default: '1000' },
    worker: { type: 'string' },
  },
});
const peerCount = Number(values.peers);

if (values.worker === undefined) await lead();
else await follow(Number(values.worker));

/** Starts the peers, orders the runs and prints the table. */
async function lead(): Promise<void> {
  const [count, bytes, gapMs, burst] = [values.count, values.bytes, values.gap, values.burst].map(Number) as [
    number,
    number,
    number,
    number,
  ];
  const children = Array.from({ length: peerCount }, (_, index) =>
    fork(new URL(import.meta.url), ['--peers', values.peers, '--worker', `${index}`]),
  );
  const peers = (await Promise.all(children.map((child) => next(child)))) as never[];
  const startedMs = performance.now();
  await Promise.all(children.map((child) => ask(child, { do: 'connect', peers })));
  console.log(
    `${peerCount} peers connected in ${(performance.now() - startedMs).toFixed(0)} ms; ${bytes} bytes a message`,
  );

  const rows: Record<string, Record<string, string>> = {};
  let nextId = 0;
  const publish = async (mode: Mode, child: ChildProcess, howMany: number, pauseMs: number): Promise<void> => {
    await ask(child, { do: 'publish', mode, firstId: nextId, count: howMany, bytes, gapMs: pauseMs });
    nextId += howMany;
  };
  for (const mode of MODES) {
    for (const child of children) await publish(mode, child, 5, gapMs);
    await collect(children, peerCount * 5);
    for (const child of children) await publish(mode, child, Math.ceil(count / peerCount), gapMs);
    const latency = await collect(children, Math.ceil(count / peerCount) * peerCount);
    const [publisher] = children;
    if (publisher === undefined) throw new Error('no peers');
    await publish(mode, publisher, burst, 0);
    const flood = await collect(children, burst);
    const deliveries = burst * (peerCount - 1);
    rows[mode] = {
      'p50 ms': quantile(latency.delaysMs, 0.5).toFixed(2),
      'p99 ms': quantile(latency.delaysMs, 0.99).toFixed(2),
      'messages/s': (burst / (flood.spanMs / 1000)).toFixed(0),
      'CPU µs a delivery': (flood.cpuMicros / deliveries).toFixed(0),
    };
  }
  console.table(rows);
  for (const child of children) child.send({ do: 'stop' });
  await Promise.all(children.map((child) => once(child, 'exit')));
}

/** Asks for tallies until every message has reached every other peer. */
async function collect(
  children: readonly ChildProcess[],
  expected: number,
): Promise<{ delaysMs: number[]; spanMs: number; cpuMicros: number }> {
  const sent = new Map<number, bigint>();
  const heard = new Map<number, { copies: number; lastNs: bigint }>();
  let cpuMicros = 0;
  const isComplete = (): boolean =>
    sent.size === expected && [...sent.keys()].every((id) => heard.get(id)?.copies === peerCount - 1);
  while (!isComplete()) {
    for (const tally of (await Promise.all(children.map((child) => ask(child, { do: 'report' })))) as Tally[]) {
      cpuMicros += tally.cpuMicros;
      for (const [id, atNs] of tally.sentNs) sent.set(id, BigInt(atNs));
      for (const [id, text] of tally.heardNs) {
        const atNs = BigInt(text);
        const entry = heard.get(id) ?? { copies: 0, lastNs: 0n };
        heard.set(id, { copies: entry.copies + 1, lastNs: atNs > entry.lastNs ? atNs : entry.lastNs });
      }
    }
    // Asking costs CPU that belongs to the run.
    if (!isComplete()) await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const toMs = (ns: bigint): number => Number(ns) / 1e6;
  const delaysMs = [...sent].map(([id, atNs]) => toMs((heard.get(id)?.lastNs ?? 0n) - atNs));
  // Messages are sent in order, so the first of the map is the first in time.
  const [firstNs = 0n] = sent.values();
  const spansMs = [...heard.values()].map(({ lastNs }) => toMs(lastNs - firstNs));
  return { delaysMs, spanMs: Math.max(...spansMs), cpuMicros };
}

/** One peer: our transport and a raw TCP mesh, side by side. */
async function follow(index: number): Promise<void> {
  const secrets = Array.from({ length: peerCount }, (_, peer) => createHash('sha256').update(`bench ${peer}`).digest());
  const secretKey = secrets[index] as Uint8Array;
  // Measured is the network; a publisher at full speed would run into the rate limits.
  const unlimited = { messagesPerSecond: 1e9, burstMessages: 1e9, bytesPerSecond: 1e12, burstBytes: 1e12 };
  const lanes = { ...DEFAULT_LIMITS.lanes, bundles: unlimited, votes: unlimited };
  const queueBytes = { ...DEFAULT_LIMITS.queueBytes, votes: 1e9 };
  const transport = new Libp2pTransport({
    chainId: 'bench',
    secretKey,
    members: secrets.map((secret) => identityOfSecret(secret).member),
    limits: { lanes, queueBytes, gossipBufferBytes: 1e9 },
  });
  let sentNs: [number, string][] = [];
  let heardNs: [number, string][] = [];
  let cpu = process.cpuUsage();
  const hear = (bytes: Uint8Array): void => {
    const id = Buffer.from(bytes.buffer, bytes.byteOffset, 4).readUInt32LE();
    heardNs.push([id, `${process.hrtime.bigint()}`]);
  };
  transport.onMessage(({ bytes }) => {
    hear(bytes);
    return 'accept';
  });
  const sockets: net.Socket[] = [];
  const server = net.createServer({ noDelay: true }, (socket) => {
    const reader = new FrameReader(4_194_304);
    socket.on('data', (chunk) => reader.push(chunk, hear));
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await transport.start();

  const sendBy: Record<Mode, (bytes: Uint8Array) => void> = {
    'raw TCP': (bytes) => {
      const frame = encodeFrame(bytes);
      for (const socket of sockets) socket.write(frame);
    },
    'direct streams': (bytes) => {
      for (const { member } of transport.peers()) transport.send(member, 'votes', bytes);
    },
    gossip: (bytes) => transport.broadcast('bundles', bytes),
  };
  const connect = async ({ peers }: Extract<Order, { do: 'connect' }>): Promise<void> => {
    for (const [other, peer] of peers.entries()) {
      if (other === index) continue;
      transport.setAddress(peer.member, peer.address);
      const socket = net.connect({ port: peer.tcpPort, host: '127.0.0.1', noDelay: true });
      sockets.push(socket);
      await once(socket, 'connect');
    }
    const isComplete = (): boolean => transport.peers().every(({ connected }) => connected);
    await new Promise<void>((resolve) => {
      transport.onConnection(() => isComplete() && resolve());
      if (isComplete()) resolve();
    });
  };
  const publish = async (order: Extract<Order, { do: 'publish' }>): Promise<void> => {
    for (let offset = 0; offset < order.count; offset++) {
      const bytes = Buffer.alloc(order.bytes);
      bytes.writeUInt32LE(order.firstId + offset);
      sentNs.push([order.firstId + offset, `${process.hrtime.bigint()}`]);
      sendBy[order.mode](bytes);
      if (order.gapMs > 0) await new Promise((resolve) => setTimeout(resolve, order.gapMs));
      else if (offset % 10 === 9) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  process.on('message', async (order: Order) => {
    switch (order.do) {
      case 'connect':
        await connect(order);
        process.send?.('connected');
        break;
      case 'publish':
        await publish(order);
        process.send?.('published');
        break;
      case 'report': {
        const { user, system } = process.cpuUsage(cpu);
        process.send?.({ sentNs, heardNs, cpuMicros: user + system } satisfies Tally);
        [sentNs, heardNs, cpu] = [[], [], process.cpuUsage()];
        break;
      }
      case 'stop':
        for (const socket of sockets) socket.destroy();
        server.close();
        await transport.stop();
        process.disconnect();
    }
  });
  const tcpPort = (server.address() as net.AddressInfo).port;
  process.send?.({ member: transport.self, address: transport.listenAddresses[0], tcpPort });
}

async function next(child: ChildProcess): Promise<unknown> {
  const [answer] = await once(child, 'message');
  return answer;
}

function ask(child: ChildProcess, order: Order): Promise<unknown> {
  const answer = next(child);
  child.send(order);
  return answer;
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}
