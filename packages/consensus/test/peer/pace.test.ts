import { expect, test } from 'vitest';
import type { Operation } from '../../src/chain/types.ts';
import { Peer } from '../../src/peer/peer.ts';
import type { PeerEvent, PeerOptions, PeerOutput } from '../../src/peer/ports.ts';
import { encodeMessage } from '../../src/wire/messages.ts';
import { PoegChain, WORKED4 } from '../fixtures/poeg-chain.ts';

const chain = new PoegChain(WORKED4.slice(0, 2), { payers: 1 });
const [edc, payer] = chain.network.accounts;
const pay: Operation = { type: 'transfer', asset: 'upos', to: edc!.publicKey, amount: 1n };

const OPTIONS: PeerOptions = {
  timeouts: { proposeMs: 2_000, prevoteMs: 1_000, precommitMs: 1_000, stepMs: 500, collectMs: 1_000, resendMs: 1_000 },
  txPatienceMs: 1_500,
  minBlockIntervalMs: 0,
  slotPaceMs: 1e6,
  readyTimeoutMs: 5_000,
  statusMs: 1_000,
  syncTimeoutMs: 4_000,
  maxPoolTransactions: 1_000,
};
const HOP_MS = 10;

/** Two peers, both needed for a block, with messages that take `hopMs` each. */
class Pair {
  readonly #peers = chain.network.signers.map(
    (signer) =>
      new Peer(
        chain.rules,
        OPTIONS,
        { signer, source: null, reader: { block: () => null, state: () => null } },
        { head: null, journal: [], silentThrough: 0 },
      ),
  );
  nowMs = 1_000;
  hopMs = HOP_MS;
  readonly composedMs: number[] = [];
  /** Transactions of the blocks that the first peer has committed. */
  readonly sizes: number[] = [];
  readonly timers: { rank: number; id: string; atMs: number }[] = [];
  #inFlight: { to: number; event: PeerEvent }[] = [];
  #nonce = 0;

  constructor() {
    for (const rank of [0, 1]) this.#take(rank, this.#peers[rank]!.handle({ type: 'start', nowMs: this.nowMs }));
    this.settle();
  }

  /** Both peers are handed the same new batches, at the same time. */
  submit(count: number): void {
    for (let k = 0; k < count; k += 1) {
      const bytes = encodeMessage({ type: 'batch', batch: chain.batch(payer!, this.#nonce, [pay]) });
      this.#nonce += 1;
      for (const rank of [0, 1])
        this.#take(
          rank,
          this.#peers[rank]!.handle({
            type: 'message',
            from: 1 - rank,
            sender: chain.network.signers[1 - rank]!.publicKey,
            bytes,
            nowMs: this.nowMs,
          }),
        );
    }
  }

  /** Delivers messages until there are none; timers do not ring. */
  settle(): void {
    while (this.#inFlight.length > 0) {
      this.nowMs += this.hopMs;
      const arriving = this.#inFlight;
      this.#inFlight = [];
      for (const { to, event } of arriving) this.#take(to, this.#peers[to]!.handle({ ...event, nowMs: this.nowMs }));
    }
  }

  get height(): number {
    return this.#peers[0]!.view.state.height;
  }

  /** When a peer that paces itself looks again, if it does. */
  pausesUntilMs(): number | undefined {
    return this.timers.find(({ id }) => id === `interval/${this.height + 1}`)?.atMs;
  }

  #take(rank: number, { sends, notices, timers }: PeerOutput): void {
    const sender = chain.network.signers[rank]!.publicKey;
    for (const { bytes } of sends)
      this.#inFlight.push({
        to: 1 - rank,
        event: { type: 'message', from: rank, sender, bytes, nowMs: this.nowMs },
      });
    for (const notice of notices) {
      if (notice.type === 'composed') this.composedMs.push(this.nowMs);
      if (notice.type === 'committed' && rank === 0) this.sizes.push(notice.transactions);
    }
    for (const { id, delayMs } of timers) this.timers.push({ rank, id, atMs: this.nowMs + delayMs });
  }
}

test('a busy composer lets the next block fill up, three times as long as its last one took', () => {
  const pair = new Pair();
  pair.submit(1);
  const startMs = pair.nowMs;
  pair.submit(5);
  pair.settle();
  // Proposal, prevote, bundle, precommit.
  const decidedMs = startMs + 4 * HOP_MS;
  expect(pair.height).toBe(1);
  expect(pair.composedMs).toEqual([startMs]);
  expect(pair.pausesUntilMs()).toBe(decidedMs + 3 * 4 * HOP_MS);
});

test.each([2, 300])('with %d batches waiting the next block is composed at once', (waiting) => {
  const pair = new Pair();
  pair.submit(1);
  const startMs = pair.nowMs;
  pair.submit(waiting);
  pair.settle();
  expect(pair.composedMs).toEqual([startMs, startMs + 4 * HOP_MS]);
  expect(pair.height).toBe(2);
});

test('a block that takes longer than a round waits makes the next ones smaller', () => {
  const pair = new Pair();
  pair.hopMs = OPTIONS.timeouts.proposeMs / 2;
  pair.submit(601);
  pair.settle();
  pair.submit(601);
  pair.settle();
  // Each takes four hops, twice the time that it may take; one transaction can be no smaller.
  expect(pair.sizes).toEqual([1, 600, 1, 300, 256]);
});
