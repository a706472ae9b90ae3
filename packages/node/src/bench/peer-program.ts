/**
 * One peer of a measured network: the peer that `wattmesh node` runs, with a tracer around its parts and a local socket
 * through which the load comes in.
 */
import { once } from 'node:events';
import net from 'node:net';
import { decodeBlock } from '@wattmesh/consensus';
import { readNodeConfig } from '../config/node-config.ts';
import { type RunningNode, startNode } from '../node.ts';
import { encodeFrame, FrameReader } from '../transport/frame-codec.ts';
import { monotonicMs } from './clock.ts';
import { around, type Slowness, slowed } from './slowness.ts';
import { type TraceEvent, Tracer, type TraceTotals } from './tracer.ts';
import { type Usage, UsageMeter } from './usage.ts';
import { serveOrders } from './worker.ts';

export interface PeerStart {
  readonly configFile: string;
  readonly slowness: Slowness;
}

export interface PeerReport {
  readonly events: readonly TraceEvent[];
  readonly totals: TraceTotals;
  readonly usage: Usage;
  /** Sums over all other peers, since the last report. */
  readonly traffic: Traffic;
  readonly atMs: number;
}

export interface Traffic {
  readonly messagesIn: number;
  readonly messagesOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly dropped: number;
}

/** A frame of the load: place of the batch in the run (4 bytes), then a `batch` message. Answer: place (4), 1 taken or 0 refused. */
const MAX_LOAD_FRAME = 1 << 20;

const tracer = new Tracer();
const usage = new UsageMeter();
let node: RunningNode | null = null;
let server: net.Server | null = null;
let before: Traffic = noTraffic();

serveOrders(
  {
    start: async ({ configFile, slowness }: PeerStart) => {
      const config = await readNodeConfig(configFile);
      node = await startNode(config, around(tracer.instruments, slowed(slowness)));
      server = net.createServer({ noDelay: true }, (socket) => takeLoad(socket, running()));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return { loadPort: (server.address() as net.AddressInfo).port, publicKey: node.publicKey };
    },
    state: () => {
      const { state, poolTransactions } = running().view();
      return {
        height: state.height,
        slot: state.slot,
        phase: state.phase,
        poolTransactions,
        connected: running()
          .peers()
          .filter(({ connected }) => connected).length,
      };
    },
    nonces: () =>
      running()
        .view()
        .state.ledger.accounts.map(({ publicKey, nonce }) => ({ publicKey, nonce })),
    report: (): PeerReport => {
      const now = trafficOf(running());
      const traffic = {
        messagesIn: now.messagesIn - before.messagesIn,
        messagesOut: now.messagesOut - before.messagesOut,
        bytesIn: now.bytesIn - before.bytesIn,
        bytesOut: now.bytesOut - before.bytesOut,
        dropped: now.dropped - before.dropped,
      };
      before = now;
      return { ...tracer.take(), usage: usage.take(), traffic, atMs: monotonicMs() };
    },
    /** Places in the chain of the batches from `from` on: for each block its height and, per batch, sender and first nonce. */
    batches: (from: number) => committedBatches(running(), from),
  },
  async () => {
    usage.stop();
    server?.close();
    await node?.stop();
  },
);

function running(): RunningNode {
  if (node === null) throw new Error('the peer has not started');
  return node;
}

function takeLoad(socket: net.Socket, peer: RunningNode): void {
  const reader = new FrameReader(MAX_LOAD_FRAME);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    const answers: Uint8Array[] = [];
    reader.push(chunk, (frame) => {
      const { verdict } = peer.submit(frame.slice(4));
      const answer = new Uint8Array(5);
      answer.set(frame.subarray(0, 4));
      answer[4] = verdict === 'accept' ? 1 : 0;
      answers.push(encodeFrame(answer));
    });
    if (answers.length > 0) socket.write(Buffer.concat(answers));
  });
}

function committedBatches(
  peer: RunningNode,
  from: number,
): { height: number; batches: { sender: string; firstNonce: number; operations: number }[] }[] {
  const blocks = [];
  for (let height = from; height <= peer.store.head; height += 1) {
    const stored = peer.store.block(height);
    if (stored === null) break;
    const { batches } = decodeBlock(stored.block);
    blocks.push({
      height,
      batches: batches.map(({ sender, firstNonce, operations }) => ({
        sender,
        firstNonce,
        operations: operations.length,
      })),
    });
  }
  return blocks;
}

function trafficOf(peer: RunningNode): Traffic {
  return peer.peers().reduce(
    (sum, { messagesIn, messagesOut, bytesIn, bytesOut, dropped }) => ({
      messagesIn: sum.messagesIn + messagesIn,
      messagesOut: sum.messagesOut + messagesOut,
      bytesIn: sum.bytesIn + bytesIn,
      bytesOut: sum.bytesOut + bytesOut,
      dropped: sum.dropped + dropped,
    }),
    noTraffic(),
  );
}

function noTraffic(): Traffic {
  return { messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0, dropped: 0 };
}
