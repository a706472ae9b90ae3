/**
 * One process of the floor: the message steps of one agreement (proposal, prevotes, bundle, precommits, bundle) over raw
 * TCP, with the same signatures, the same appends that are synced before a message leaves, and nothing else. Rank 0 leads.
 */
import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import net from 'node:net';
import { createDigestSigner, createSignatureScheme, fromHex, sha256 } from '@wattmesh/consensus';
import { appendSynced } from '../store/synced-append.ts';
import { encodeFrame, FrameReader } from '../transport/frame-codec.ts';
import { monotonicMs } from './clock.ts';
import { serveOrders } from './worker.ts';

export interface FloorStart {
  readonly rank: number;
  readonly members: number;
  readonly quorum: number;
  readonly file: string;
}

/** Kind, round, rank; then a signature; then the payload, or the votes of a bundle. */
const HEAD_BYTES = 7;
const SIGNATURE_BYTES = 64;
const VOTE_BYTES = HEAD_BYTES + SIGNATURE_BYTES;
/** Length of a vote in the peers' own log and messages. */
const RECORD_BYTES = 130;
const KIND = { proposal: 1, prevote: 2, prevotes: 3, precommit: 4, precommits: 5 } as const;

const scheme = createSignatureScheme();
const secretOf = (rank: number): Uint8Array => fromHex(sha256(Buffer.from(`floor ${rank}`)));
let self: FloorStart;
let file: FileHandle;
let server: net.Server;
let publicKeys: Uint8Array[] = [];
const sockets = new Map<number, net.Socket>();
const started = new Map<number, number>();
const committed = new Map<number, number>();
const tallies = new Map<string, Uint8Array[]>();
/** A process handles one message after the other, as a peer does; its writes finish in order. */
let line: Promise<void> = Promise.resolve();

serveOrders(
  {
    start: async (start: FloorStart) => {
      self = start;
      file = await open(start.file, 'a');
      publicKeys = Array.from({ length: start.members }, (_, rank) => scheme.publicKey(secretOf(rank)));
      server = net.createServer({ noDelay: true }, (socket) => receive(socket));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return (server.address() as net.AddressInfo).port;
    },
    connect: async (ports: readonly number[]) => {
      for (const [rank, port] of ports.entries()) {
        if (rank === self.rank) continue;
        const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
        await once(socket, 'connect');
        socket.on('error', () => socket.destroy());
        sockets.set(rank, socket);
      }
    },
    lead: async ({ rounds, perSecond, payloadBytes }: { rounds: number; perSecond: number; payloadBytes: number }) => {
      for (let round = 0; round < rounds; round += 1) {
        void propose(round, payloadBytes);
        await new Promise((resolve) => setTimeout(resolve, 1_000 / perSecond));
      }
    },
    times: () => ({ started: [...started], committed: [...committed] }),
  },
  async () => {
    for (const socket of sockets.values()) socket.destroy();
    server?.close();
    await file?.close();
  },
);

function receive(socket: net.Socket): void {
  const reader = new FrameReader(8_000_000);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) =>
    reader.push(chunk, (message) => {
      line = line.then(() => handle(message)).catch((error) => void process.stderr.write(`${String(error)}\n`));
    }),
  );
}

async function propose(round: number, payloadBytes: number): Promise<void> {
  started.set(round, monotonicMs());
  const proposal = signed(KIND.proposal, round, new Uint8Array(payloadBytes));
  const vote = signed(KIND.prevote, round);
  await append(proposal.length + RECORD_BYTES);
  broadcast(proposal);
  await count(vote);
}

async function handle(message: Uint8Array): Promise<void> {
  const kind = message[0];
  const round = roundOf(message);
  if (kind === KIND.proposal) {
    check(message.subarray(0, VOTE_BYTES));
    const vote = signed(KIND.prevote, round);
    await append(RECORD_BYTES);
    sockets.get(0)?.write(encodeFrame(vote));
  } else if (kind === KIND.prevote || kind === KIND.precommit) {
    check(message);
    await count(message);
  } else {
    for (let at = HEAD_BYTES; at < message.length; at += VOTE_BYTES) {
      const vote = message.subarray(at, at + VOTE_BYTES);
      if (rankOf(vote) !== self.rank) check(vote);
    }
    if (kind === KIND.prevotes) {
      const vote = signed(KIND.precommit, round);
      await append(message.length + RECORD_BYTES);
      sockets.get(0)?.write(encodeFrame(vote));
    } else {
      await append(message.length + RECORD_BYTES);
      committed.set(round, monotonicMs());
    }
  }
}

/** The leader's side: at a quorum it votes on or decides. */
async function count(vote: Uint8Array): Promise<void> {
  const kind = vote[0] as number;
  const round = roundOf(vote);
  const key = `${kind}/${round}`;
  const votes = [...(tallies.get(key) ?? []), vote];
  tallies.set(key, votes);
  if (votes.length !== self.quorum) return;
  const bundle = concat(head(kind + 1, round), ...votes);
  if (kind === KIND.prevote) {
    const own = signed(KIND.precommit, round);
    await append(bundle.length + RECORD_BYTES);
    broadcast(bundle);
    await count(own);
  } else {
    broadcast(bundle);
    await append(bundle.length + RECORD_BYTES);
    committed.set(round, monotonicMs());
  }
}

async function append(bytes: number): Promise<void> {
  appendSynced(file.fd, new Uint8Array(bytes));
}

function broadcast(message: Uint8Array): void {
  const frame = encodeFrame(message);
  for (const socket of sockets.values()) socket.write(frame);
}

function head(kind: number, round: number): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES);
  bytes[0] = kind;
  const view = new DataView(bytes.buffer);
  view.setUint32(1, round);
  view.setUint16(5, self.rank);
  return bytes;
}

function roundOf(message: Uint8Array): number {
  return new DataView(message.buffer, message.byteOffset).getUint32(1);
}

function rankOf(message: Uint8Array): number {
  return new DataView(message.buffer, message.byteOffset).getUint16(5);
}

function signed(kind: number, round: number, payload: Uint8Array = new Uint8Array()): Uint8Array {
  const start = head(kind, round);
  const signer = createDigestSigner(scheme, secretOf(self.rank));
  return concat(start, fromHex(signer.sign(sha256(start))), payload);
}

function check(vote: Uint8Array): void {
  const start = vote.slice(0, HEAD_BYTES);
  const digest = fromHex(sha256(start));
  const key = publicKeys[rankOf(start)] as Uint8Array;
  if (!scheme.verify(vote.slice(HEAD_BYTES, VOTE_BYTES), digest, key))
    throw new Error('a signature of the floor is wrong');
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
