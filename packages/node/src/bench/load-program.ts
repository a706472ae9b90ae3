/** The open-loop client: signs all transactions before the run, then sends each at its intended time. */
import { once } from 'node:events';
import net from 'node:net';
import {
  createDigestSigner,
  createSignatureScheme,
  encodeMessage,
  type Operation,
  signBatch,
} from '@wattmesh/consensus';
import { encodeFrame, FrameReader } from '../transport/frame-codec.ts';
import { monotonicMs } from './clock.ts';
import { runSchedule, type Schedule } from './schedule.ts';
import { type Usage, UsageMeter } from './usage.ts';
import { serveOrders } from './worker.ts';

export interface LoadPlan {
  readonly chainId: string;
  /** Batch `i` is sent by account `i` modulo their number; each account talks to one peer. */
  readonly accounts: readonly {
    readonly secretKey: Uint8Array;
    readonly publicKey: string;
    readonly firstNonce: number;
    readonly peer: number;
  }[];
  readonly count: number;
  /** Operations under one signature. */
  readonly operations: number;
}

export interface LoadResult {
  readonly startMs: number;
  /** When each batch left, and when its peer answered; NaN when it did not. */
  readonly sentMs: Float64Array;
  readonly answeredMs: Float64Array;
  /** 0 no answer, 1 taken, 2 refused. */
  readonly answers: Uint8Array;
  readonly usage: Usage;
}

const ANSWER_LIMIT_MS = 3_000;

const usage = new UsageMeter();
let sockets: net.Socket[] = [];
let frames: { readonly bytes: Uint8Array; readonly peer: number }[] = [];
let onAnswer: (place: number, isTaken: boolean) => void = () => undefined;

serveOrders(
  {
    connect: async (ports: readonly number[]) => {
      sockets = await Promise.all(
        ports.map(async (port) => {
          const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
          await once(socket, 'connect');
          const reader = new FrameReader(64);
          socket.on('data', (chunk) =>
            reader.push(chunk, (answer) =>
              onAnswer(new DataView(answer.buffer, answer.byteOffset).getUint32(0), answer[4] === 1),
            ),
          );
          socket.on('error', () => socket.destroy());
          return socket;
        }),
      );
    },
    prepare: (plan: LoadPlan) => {
      frames = prepared(plan);
      return frames[0]?.bytes.length ?? 0;
    },
    run: (perSecond: number) => run(perSecond),
  },
  async () => {
    usage.stop();
    for (const socket of sockets) socket.destroy();
  },
);

function prepared({ chainId, accounts, count, operations }: LoadPlan): typeof frames {
  const scheme = createSignatureScheme();
  const signers = accounts.map(({ secretKey }) => createDigestSigner(scheme, secretKey));
  return Array.from({ length: count }, (_, place) => {
    const sender = place % accounts.length;
    const turn = Math.floor(place / accounts.length);
    const { firstNonce, peer } = accounts[sender] as LoadPlan['accounts'][number];
    const transfers = Array.from({ length: operations }, (_, k): Operation => {
      const to = accounts[(sender + 1 + k) % accounts.length]?.publicKey ?? '';
      return { type: 'transfer', asset: 'upos', to, amount: 1n };
    });
    const batch = signBatch(
      { chainId, firstNonce: firstNonce + turn * operations, operations: transfers },
      signers[sender] as (typeof signers)[number],
    );
    const message = encodeMessage({ type: 'batch', batch });
    const body = new Uint8Array(4 + message.length);
    new DataView(body.buffer).setUint32(0, place);
    body.set(message, 4);
    return { bytes: encodeFrame(body), peer };
  });
}

async function run(perSecond: number): Promise<LoadResult> {
  const count = frames.length;
  const sentMs = new Float64Array(count).fill(Number.NaN);
  const answeredMs = new Float64Array(count).fill(Number.NaN);
  const answers = new Uint8Array(count);
  const all = Promise.withResolvers<void>();
  let answered = 0;
  onAnswer = (place, isTaken) => {
    answeredMs[place] = monotonicMs();
    answers[place] = isTaken ? 1 : 2;
    answered += 1;
    if (answered === count) all.resolve();
  };
  usage.take();
  const schedule: Schedule = { startMs: monotonicMs() + 50, perSecond, count };
  await runSchedule(schedule, monotonicMs, (place, atMs) => {
    const frame = frames[place] as (typeof frames)[number];
    sentMs[place] = atMs;
    sockets[frame.peer]?.write(frame.bytes);
  });
  const limit = setTimeout(() => all.resolve(), ANSWER_LIMIT_MS);
  await all.promise;
  clearTimeout(limit);
  return { startMs: schedule.startMs, sentMs, answeredMs, answers, usage: usage.take() };
}
