import { expect, test } from 'vitest';
import { encodeBlock } from '../../src/chain/block.ts';
import { encodeCertificate } from '../../src/chain/certificate.ts';
import { encodeBatch } from '../../src/chain/transactions.ts';
import type { Operation } from '../../src/chain/types.ts';
import { voteDigest } from '../../src/chain/votes.ts';
import { electionListOf } from '../../src/election/index.ts';
import { Peer } from '../../src/peer/peer.ts';
import type { PeerOptions, PeerOutput } from '../../src/peer/ports.ts';
import { decodeMessage, encodeMessage } from '../../src/wire/messages.ts';
import { PoegChain, WORKED4 } from '../fixtures/poeg-chain.ts';

// Two payers: one hands in what the tests are about, the other's transfers make blocks.
const network = { payers: 2 };
const chain = new PoegChain(WORKED4, network);
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

const keyOf = (rank: number): string => chain.network.signers[rank]!.publicKey;
const composerAt = (at: PoegChain, round = 0): number => {
  const list = electionListOf(at.rules, at.state, at.certificate);
  return list[round % list.length]!.rank;
};
const COMPOSER = composerAt(chain);
const NEXT = composerAt(chain, 1);
const OTHER = [0, 1, 2, 3].find((rank) => rank !== COMPOSER && rank !== NEXT)!;

function startedPeer(rank: number, connected: readonly number[] = [0, 1, 2, 3]): Peer {
  const peer = new Peer(
    chain.rules,
    OPTIONS,
    { signer: chain.network.signers[rank]!, source: null, reader: { block: () => null, state: () => null } },
    { head: null, journal: [], silentThrough: 0 },
  );
  peer.handle({ type: 'start', nowMs: 0 });
  for (const member of connected) if (member !== rank) peer.handle({ type: 'connection', member, up: true, nowMs: 0 });
  return peer;
}

/** Who was told about which batches: `all`, or the one member that they were handed to. */
function told({ sends }: PeerOutput): { to: string; batches: string[] }[] {
  return sends.flatMap((send) => {
    const message = decodeMessage(send.bytes);
    if (message.type !== 'batch' && message.type !== 'batches') return [];
    const list = message.type === 'batch' ? [message.batch] : message.batches;
    const to = send.type === 'send' ? send.to : 'all';
    expect(send.type === 'send' ? send.channel : send.topic).toBe(send.type === 'send' ? 'batches' : 'transactions');
    return [{ to, batches: list.map(({ signature }) => signature) }];
  });
}

const signaturesOf = (from: number, to: number) => batches.slice(from, to).map(({ signature }) => signature);
const toComposer = (from: number, to: number) => [{ to: keyOf(COMPOSER), batches: signaturesOf(from, to) }];
const toAll = (from: number, to: number) => [{ to: 'all', batches: signaturesOf(from, to) }];
const submitTo = (peer: Peer, k: number, nowMs: number) =>
  peer.handle({ type: 'submit', nowMs, bytes: encodeMessage({ type: 'batch', batch: batches[k]! }) });

/** Blocks of the other payer's transfers, and the messages that bring them. */
function othersBlocks(count: number, through: (grown: PoegChain) => void = () => {}) {
  const grown = new PoegChain(WORKED4, network);
  through(grown);
  const stranger = grown.network.accounts[2]!;
  const messages = Array.from({ length: count }, (_, nonce) => {
    const { block } = grown.grow('transactions', { batches: [grown.batch(stranger, nonce, [pay])] });
    const item = { block: encodeBlock(block), certificate: encodeCertificate(grown.certificate!) };
    return encodeMessage({ type: 'blocks', items: [item] });
  });
  return { grown, messages };
}

test('a batch is handed to the composer at once when it has been quiet, and those that follow within the pause together', () => {
  const peer = startedPeer(OTHER);
  expect(told(submitTo(peer, 0, 1_000))).toEqual(toComposer(0, 1));
  const second = submitTo(peer, 1, 1_010);
  expect(told(second)).toEqual([]);
  // Ten milliseconds for each of the three others.
  expect(second.timers).toContainEqual({ id: 'tell', delayMs: 20 });
  expect(told(submitTo(peer, 2, 1_015))).toEqual([]);
  expect(told(peer.handle({ type: 'timer', id: 'tell', nowMs: 1_030 }))).toEqual(toComposer(1, 3));
  expect(told(peer.handle({ type: 'timer', id: 'tell', nowMs: 1_050 }))).toEqual([]);
  expect(told(submitTo(peer, 3, 1_060))).toEqual(toComposer(3, 4));
  // A clock that was set back does not silence the peer.
  expect(told(submitTo(peer, 4, 10))).toEqual(toComposer(4, 5));
});

test('who composes itself tells nobody; who is not connected to the composer tells everybody', () => {
  expect(told(submitTo(startedPeer(COMPOSER), 0, 1_000))).toEqual([]);
  const without = [0, 1, 2, 3].filter((rank) => rank !== COMPOSER);
  expect(told(submitTo(startedPeer(OTHER, without), 0, 1_000))).toEqual(toAll(0, 1));
});

test('while no block is made, everybody is told about what waits: the composer may be silent', () => {
  const peer = startedPeer(OTHER);
  submitTo(peer, 0, 1_000);
  const resend = (nowMs: number) => told(peer.handle({ type: 'timer', id: 'resend-own', nowMs }));
  expect(resend(1_900)).toEqual([]);
  expect(resend(2_000)).toEqual(toAll(0, 1));
  expect(resend(3_000)).toEqual([]);
  // Ever more rarely.
  expect(resend(4_000)).toEqual(toAll(0, 1));
});

test('while blocks are made without it, everybody is told after four heights, then after eight more', () => {
  const peer = startedPeer(OTHER);
  submitTo(peer, 0, 1);
  const { messages } = othersBlocks(13);
  const toldAt = messages.map((bytes, k) => {
    const output = peer.handle({ type: 'message', nowMs: 2 + k, from: COMPOSER, sender: keyOf(COMPOSER), bytes });
    expect(peer.view.state.height).toBe(k + 1);
    // A composer that leaves something out is no reason to say it all the time, however long that takes.
    expect(told(peer.handle({ type: 'timer', id: 'resend-own', nowMs: 2 + k }))).toEqual([]);
    return told(output).map(({ to, batches: list }) => ({ height: k + 1, to, list }));
  });
  const expected = { to: 'all', list: signaturesOf(0, 1) };
  expect(toldAt.flat()).toEqual([
    { height: 4, ...expected },
    { height: 12, ...expected },
  ]);
});

test('what is in a block is not told any more', () => {
  const peer = startedPeer(OTHER);
  submitTo(peer, 0, 1);
  const { messages } = othersBlocks(6, (grown) => void grown.grow('transactions', { batches: [batches[0]!] }));
  const first = new PoegChain(WORKED4, network);
  const { block } = first.grow('transactions', { batches: [batches[0]!] });
  const item = { block: encodeBlock(block), certificate: encodeCertificate(first.certificate!) };
  for (const bytes of [encodeMessage({ type: 'blocks', items: [item] }), ...messages])
    expect(told(peer.handle({ type: 'message', nowMs: 2, from: COMPOSER, sender: keyOf(COMPOSER), bytes }))).toEqual(
      [],
    );
  expect(peer.view.state.height).toBe(7);
  expect(told(peer.handle({ type: 'timer', id: 'resend-own', nowMs: 9_000 }))).toEqual([]);
});

test('when a round fails, all that waits is handed to who proposes next', () => {
  const peer = startedPeer(OTHER);
  submitTo(peer, 0, 1_000);
  // Its patience ends, then the time for a proposal; the others' nil votes end the round.
  peer.handle({ type: 'timer', id: 'patience/1', nowMs: 2_600 });
  peer.handle({ type: 'timer', id: 'engine/propose/1/0', nowMs: 4_700 });
  const outputs = (['prevote', 'precommit'] as const).flatMap((type) =>
    [0, 1, 2, 3]
      .filter((rank) => rank !== OTHER)
      .map((voter) => {
        const unsigned = { type, height: 1, round: 0, voter, blockHash: null, timestampMs: 4_700, extension: null };
        const signature = chain.network.signers[voter]!.sign(voteDigest(chain.rules.chainId, unsigned));
        const bytes = encodeMessage({ type: 'votes', votes: [{ ...unsigned, signature }] });
        return peer.handle({ type: 'message', nowMs: 4_700, from: voter, sender: keyOf(voter), bytes });
      }),
  );
  outputs.push(peer.handle({ type: 'timer', id: 'engine/precommit/1/0', nowMs: 9_000 }));
  expect(peer.view.round).toBe(1);
  expect(outputs.flatMap(told)).toEqual([{ to: keyOf(NEXT), batches: signaturesOf(0, 1) }]);
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
