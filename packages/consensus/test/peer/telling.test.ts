import { expect, test } from 'vitest';
import { encodeBatch } from '../../src/chain/transactions.ts';
import type { Operation } from '../../src/chain/types.ts';
import { Peer } from '../../src/peer/peer.ts';
import type { PeerOptions, PeerOutput } from '../../src/peer/ports.ts';
import { decodeMessage, encodeMessage } from '../../src/wire/messages.ts';
import { PoegChain, WORKED4 } from '../fixtures/poeg-chain.ts';

const chain = new PoegChain(WORKED4, { payers: 1 });
const [edc, payer] = chain.network.accounts;
const pay: Operation = { type: 'transfer', asset: 'upos', to: edc!.publicKey, amount: 1n };
const batches = Array.from({ length: 5 }, (_, nonce) => chain.batch(payer!, nonce, [pay]));

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

function startedPeer(rank: number): Peer {
  const peer = new Peer(
    chain.rules,
    OPTIONS,
    { signer: chain.network.signers[rank]!, source: null, reader: { block: () => null, state: () => null } },
    { head: null, journal: [], silentThrough: 0 },
  );
  peer.handle({ type: 'start', nowMs: 0 });
  return peer;
}

function told({ sends }: PeerOutput): string[][] {
  return sends.flatMap((send) => {
    const message = send.type === 'broadcast' && send.topic === 'transactions' ? decodeMessage(send.bytes) : null;
    if (message?.type === 'batch') return [[message.batch.signature]];
    return message?.type === 'batches' ? [message.batches.map(({ signature }) => signature)] : [];
  });
}

const signaturesOf = (from: number, to: number) => batches.slice(from, to).map(({ signature }) => signature);

test('a batch is told at once when it has been quiet, and those that follow within the pause together', () => {
  const peer = startedPeer(0);
  const submit = (k: number, nowMs: number) =>
    peer.handle({ type: 'submit', nowMs, bytes: encodeMessage({ type: 'batch', batch: batches[k]! }) });
  expect(told(submit(0, 1_000))).toEqual([signaturesOf(0, 1)]);
  const second = submit(1, 1_010);
  expect(told(second)).toEqual([]);
  // Ten milliseconds for each of the three others.
  expect(second.timers).toContainEqual({ id: 'tell', delayMs: 20 });
  expect(told(submit(2, 1_015))).toEqual([]);
  expect(told(peer.handle({ type: 'timer', id: 'tell', nowMs: 1_030 }))).toEqual([signaturesOf(1, 3)]);
  expect(told(peer.handle({ type: 'timer', id: 'tell', nowMs: 1_050 }))).toEqual([]);
  expect(told(submit(3, 1_060))).toEqual([signaturesOf(3, 4)]);
  // A clock that was set back does not silence the peer.
  expect(told(submit(4, 10))).toEqual([signaturesOf(4, 5)]);
});

test('a group is taken batch by batch, and is bad when one of them must not be sent', () => {
  const peer = startedPeer(1);
  const sender = chain.network.signers[0]!.publicKey;
  const receive = (list: typeof batches, nowMs: number) =>
    peer.handle({ type: 'message', nowMs, from: 0, sender, bytes: encodeMessage({ type: 'batches', batches: list }) });
  expect(receive(batches.slice(0, 2), 1).verdict).toBe('accept');
  expect(peer.view.poolTransactions).toBe(2);
  // Some are known: what is new counts.
  expect(receive(batches.slice(1, 3), 2).verdict).toBe('accept');
  expect(peer.view.poolTransactions).toBe(3);
  expect(receive(batches.slice(0, 3), 3)).toMatchObject({ verdict: 'ignore', code: 'TRANSACTION_KNOWN' });
  const forged = { ...batches[4]!, firstNonce: 3 };
  expect(encodeBatch(forged)).not.toEqual(encodeBatch(batches[4]!));
  expect(receive([forged], 4)).toMatchObject({ verdict: 'reject', code: 'TRANSACTION_BAD_SIGNATURE' });
});
