import type { PeerEvent, PeerOutput, SignatureScheme } from '@wattmesh/consensus';
import type { Instruments } from '../shell/instruments.ts';
import type { ShellPeer, ShellPorts } from '../shell/peer-shell.ts';
import { monotonicMs } from './clock.ts';
import { headOf } from './message-head.ts';

/** All times in milliseconds of `monotonicMs`. */
export type TraceEvent =
  /** The peer worked on an event: a proposal, votes, or anything that made it compose or commit. */
  | {
      readonly e: 'handle';
      readonly startMs: number;
      readonly endMs: number;
      readonly signMs: number;
      readonly verifyMs: number;
      readonly message: 'proposal' | 'prevote' | 'precommit' | null;
      /** Height of the message. */
      readonly height: number | null;
      /** Public key of the member that brought the message. */
      readonly sender: string | null;
      readonly composed: { readonly height: number; readonly blockHash: string; readonly kind: string } | null;
      readonly committed: readonly {
        readonly height: number;
        readonly blockHash: string;
        readonly round: number;
        readonly viaSync: boolean;
        readonly transactions: number;
      }[];
    }
  | {
      readonly e: 'send';
      readonly what: 'proposal' | 'prevote' | 'precommit';
      readonly to: 'all' | 'one';
      readonly height: number;
      readonly atMs: number;
    }
  /** The block of this height is on this peer's disk. */
  | { readonly e: 'durable'; readonly height: number; readonly atMs: number };

/** Sums over a measurement; times in milliseconds. */
export interface TraceTotals {
  readonly signMs: number;
  readonly signed: number;
  readonly verifyMs: number;
  readonly verified: number;
  readonly writeMs: number;
  readonly writes: number;
  /** Time in `Peer.handle` by kind of event or message. */
  readonly handleMs: Readonly<Record<string, number>>;
  readonly handled: Readonly<Record<string, number>>;
}

const KINDS = [
  'proposal',
  'votes',
  'batch',
  'contribution',
  'status',
  'get-blocks',
  'blocks',
  'get-block',
  'block',
  'batches',
];

/** Records when a peer did what. It stands around the peer's parts and changes nothing that they do. */
export class Tracer {
  #events: TraceEvent[] = [];
  #totals = emptyTotals();
  #signMs = 0;
  #verifyMs = 0;

  readonly instruments: Instruments = {
    signatures: (scheme) => this.#signatures(scheme),
    peer: (peer) => this.#peer(peer),
    ports: (ports) => this.#ports(ports),
  };

  /** What was recorded since the last call. */
  take(): { readonly events: readonly TraceEvent[]; readonly totals: TraceTotals } {
    const taken = { events: this.#events, totals: this.#totals };
    this.#events = [];
    this.#totals = emptyTotals();
    return taken;
  }

  #signatures(scheme: SignatureScheme): SignatureScheme {
    return {
      name: scheme.name,
      publicKey: (secretKey) => scheme.publicKey(secretKey),
      sign: (digest, secretKey) => {
        const startMs = monotonicMs();
        const signature = scheme.sign(digest, secretKey);
        const ms = monotonicMs() - startMs;
        this.#signMs += ms;
        this.#totals.signMs += ms;
        this.#totals.signed += 1;
        return signature;
      },
      verify: (signature, digest, publicKey) => {
        const startMs = monotonicMs();
        const isValid = scheme.verify(signature, digest, publicKey);
        const ms = monotonicMs() - startMs;
        this.#verifyMs += ms;
        this.#totals.verifyMs += ms;
        this.#totals.verified += 1;
        return isValid;
      },
    };
  }

  #peer(peer: ShellPeer): ShellPeer {
    const handle = (event: PeerEvent): PeerOutput => {
      this.#signMs = 0;
      this.#verifyMs = 0;
      const startMs = monotonicMs();
      const output = peer.handle(event);
      const endMs = monotonicMs();
      this.#handled(event, output, startMs, endMs);
      return output;
    };
    return {
      handle,
      get view() {
        return peer.view;
      },
    };
  }

  #handled(event: PeerEvent, output: PeerOutput, startMs: number, endMs: number): void {
    const label = event.type === 'message' ? (KINDS[event.bytes[0] ?? -1] ?? 'unknown') : event.type;
    this.#totals.handleMs[label] = (this.#totals.handleMs[label] ?? 0) + endMs - startMs;
    this.#totals.handled[label] = (this.#totals.handled[label] ?? 0) + 1;
    const head = event.type === 'message' ? headOf(event.bytes) : null;
    const isAgreement = head !== null && head.kind !== 'other';
    const committed = output.notices.filter((notice) => notice.type === 'committed');
    const composed = output.notices.find((notice) => notice.type === 'composed');
    if (!isAgreement && committed.length === 0 && composed === undefined) return;
    this.#events.push({
      e: 'handle',
      startMs,
      endMs,
      signMs: this.#signMs,
      verifyMs: this.#verifyMs,
      message: !isAgreement ? null : head.kind === 'proposal' ? 'proposal' : head.type,
      height: isAgreement ? head.height : null,
      sender: event.type === 'message' ? event.sender : null,
      composed:
        composed === undefined ? null : { height: composed.height, blockHash: composed.blockHash, kind: composed.kind },
      committed: committed.map(({ height, blockHash, round, viaSync, transactions }) => ({
        height,
        blockHash,
        round,
        viaSync,
        transactions,
      })),
    });
  }

  #ports(ports: ShellPorts): ShellPorts {
    return {
      ...ports,
      write: async (writes) => {
        const startMs = monotonicMs();
        await ports.write(writes);
        this.#totals.writeMs += monotonicMs() - startMs;
        this.#totals.writes += 1;
      },
      broadcast: (topic, bytes, resend) => {
        this.#sent(bytes, 'all');
        ports.broadcast(topic, bytes, resend);
      },
      send: (to, channel, bytes) => {
        this.#sent(bytes, 'one');
        ports.send(to, channel, bytes);
      },
      notice: (notice) => {
        if (notice.type === 'committed')
          this.#events.push({ e: 'durable', height: notice.height, atMs: monotonicMs() });
        ports.notice(notice);
      },
    };
  }

  #sent(bytes: Uint8Array, to: 'all' | 'one'): void {
    const head = headOf(bytes);
    if (head.kind === 'other') return;
    const what = head.kind === 'proposal' ? 'proposal' : head.type;
    this.#events.push({ e: 'send', what, to, height: head.height, atMs: monotonicMs() });
  }
}

function emptyTotals(): {
  -readonly [K in keyof TraceTotals]: TraceTotals[K] extends number ? number : Record<string, number>;
} {
  return { signMs: 0, signed: 0, verifyMs: 0, verified: 0, writeMs: 0, writes: 0, handleMs: {}, handled: {} };
}
