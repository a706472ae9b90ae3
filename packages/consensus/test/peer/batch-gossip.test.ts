import { expect, test } from 'vitest';
import type { Operation, TransactionBatch } from '../../src/chain/types.ts';
import { Peer } from '../../src/peer/peer.ts';
import type { PeerOptions } from '../../src/peer/ports.ts';
import { encodeMessage } from '../../src/wire/messages.ts';
import { PoegChain, WORKED4 } from '../fixtures/poeg-chain.ts';

const chain = new PoegChain(WORKED4, { payers: 1 });
const [edc, payer] = chain.network.accounts;
const pay: Operation = { type: 'transfer', asset: 'upos', to: edc!.publicKey, amount: 1n };
const batches = Array.from({ length: 4 }, (_, nonce) => chain.batch(payer!, nonce, [pay]));

const OPTIONS: PeerOptions = {
  timeouts: { proposeMs: 2_000, prevoteMs: 1_000, precommitMs: 1_000, stepMs: 500, collectMs: 1_000, resendMs: 1_000 },
  txPatienceMs: 1_500,
  minBlockIntervalMs: 0,
  slotPaceMs: 1e6,
  readyTimeoutMs: 5_000,
  statusMs: 1_000,
  syncTimeoutMs: 4_000,
  maxPoolTransactions: 3,
};

/** A peer that receives groups of batches from member 0, and how many signatures it has checked. */
function countingPeer() {
  let checked = 0;
  const { signatures } = chain.rules;
  const verify: typeof signatures.verify = (...signed) => {
    checked += 1;
    return signatures.verify(...signed);
  };
  const rules = { ...chain.rules, signatures: { ...signatures, verify } };
  const reader = { block: () => null, state: () => null };
  const modules = { signer: chain.network.signers[1]!, source: null, reader };
  const peer = new Peer(rules, OPTIONS, modules, { head: null, journal: [], silentThrough: 0 });
  peer.handle({ type: 'start', nowMs: 0 });
  const sender = chain.network.signers[0]!.publicKey;
  const receive = (...group: TransactionBatch[]) => {
    const before = checked;
    const bytes = encodeMessage({ type: 'batches', batches: group });
    const { verdict, code } = peer.handle({ type: 'message', nowMs: 1, from: 0, sender, bytes });
    return { verdict, code, checked: checked - before };
  };
  return { peer, receive };
}

/** Says that it is somebody's, with a signature that is nobody's: what a flooder makes for nothing. */
const forged = (batch: TransactionBatch, change: Partial<TransactionBatch>): TransactionBatch => ({
  ...batch,
  ...change,
});

test('no signature is checked of a batch that the pool would not take', () => {
  const { peer, receive } = countingPeer();
  expect(receive(batches[0]!, batches[1]!)).toEqual({ verdict: 'accept', code: null, checked: 2 });
  const refused = { verdict: 'ignore', checked: 0 };
  expect(receive(batches[0]!)).toEqual({ ...refused, code: 'TRANSACTION_KNOWN' });
  const taken = forged(batches[2]!, { firstNonce: 1 });
  expect(receive(taken)).toEqual({ ...refused, code: 'TRANSACTION_NONCE_TAKEN' });
  const far = Array.from({ length: 20 }, (_, k) => forged(batches[2]!, { firstNonce: 10_000 + k }));
  expect(receive(...far)).toEqual({ ...refused, code: 'TRANSACTION_TOO_FAR_AHEAD' });
  const stranger = forged(batches[2]!, { sender: chain.network.meters[0]!.publicKey });
  expect(receive(stranger)).toEqual({ ...refused, code: 'TRANSACTION_UNKNOWN_SENDER' });
  expect(receive(batches[2]!)).toMatchObject({ verdict: 'accept', checked: 1 });
  expect(receive(forged(batches[3]!, { signature: '11'.repeat(64) }))).toEqual({
    ...refused,
    code: 'TRANSACTION_POOL_FULL',
  });
  expect(peer.view.poolTransactions).toBe(3);
});

test('a batch that the pool would take, with a wrong signature, makes the whole message bad', () => {
  const { peer, receive } = countingPeer();
  const bad = forged(batches[1]!, { firstNonce: 2 });
  const verdict = receive(batches[0]!, bad, batches[1]!);
  expect(verdict).toEqual({ verdict: 'reject', code: 'TRANSACTION_BAD_SIGNATURE', checked: 2 });
  expect(peer.view.poolTransactions).toBe(1);
});
