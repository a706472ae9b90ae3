import { expect, test } from 'vitest';
import { batchHash } from '../../src/chain/transactions.ts';
import type { TransactionBatch } from '../../src/chain/types.ts';
import { decodeState } from '../../src/execution/index.ts';
import { decodeJournalEntry, encodeJournalEntry } from '../../src/peer/journal.ts';
import { Peer } from '../../src/peer/peer.ts';
import type { CommitRecord, StoredPeer } from '../../src/peer/ports.ts';
import { decodeMessage, encodeMessage, type Message } from '../../src/wire/messages.ts';
import { runWorld, worldOf } from '../world/run.ts';
import { FAIR } from '../world/world-options.ts';
import { UNHURRIED } from './unhurried.ts';

const SELF = 1;
const OTHER = 2;

// Member 0 leaves out the transactions of others as long as it may, so that they are reported.
const world = runWorld({
  ...worldOf(1),
  weather: { ...FAIR, loss: 0.1 },
  members: 4,
  transactions: 200,
  misbehaving: { 0: [{ name: 'censor' }] },
});
const { rules, signers } = world.chain;
const { genesis, application } = rules;
const { disk } = world.nodes[SELF]!;
const { journal } = disk.load();
const reported = journal.flatMap((bytes) => {
  const entry = decodeJournalEntry(bytes);
  return entry?.type === 'reported' ? [decodeMessage(entry.bytes)] : [];
});

/** What a peer that starts from this disk gives to somebody who asks. */
function asked(stored: StoredPeer, question: Message): Message[] {
  const modules = { signer: signers[SELF]!, source: null, reader: disk };
  const peer = new Peer(rules, UNHURRIED, modules, stored);
  peer.handle({ type: 'start', nowMs: 0 });
  const sender = genesis.members[OTHER]!.publicKey;
  const { sends } = peer.handle({ type: 'message', nowMs: 1, from: OTHER, sender, bytes: encodeMessage(question) });
  return sends.flatMap((send) => (send.type === 'send' && send.to === sender ? [decodeMessage(send.bytes)] : []));
}

function headAt({ state, certificate }: CommitRecord): StoredPeer['head'] {
  return { state, certificate };
}

test('the journal holds the contributions of others that a precommit has reported, and not its own a second time', () => {
  const closing = disk.commits.findIndex(({ state }) => decodeState(rules, state).phase === 'closed');
  const commit = disk.commits[closing]!;
  const { slot, app } = decodeState(rules, commit.state);
  const owed = genesis.members.flatMap((_, rank) =>
    application.owed(genesis, slot, rank).map((key) => ({ rank, key })),
  );
  expect(owed.length).toBeGreaterThanOrEqual(genesis.members.length);
  const keys = reported.flatMap((message) => {
    if (message.type !== 'contribution') return [];
    const verdict = application.checkContribution(genesis, rules.chainId, message.bytes, slot);
    return verdict.ok && application.admits(genesis, app, slot, verdict.contribution) ? [verdict.contribution.key] : [];
  });
  expect(keys.length).toBeGreaterThan(0);
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys.filter((key) => owed.some((one) => one.rank === SELF && one.key === key))).toEqual([]);

  // As if it had crashed right after the closing block.
  for (const key of keys) {
    const question: Message = { type: 'get-contribution', key };
    const answers = asked({ head: headAt(commit), journal, silentThrough: 0 }, question);
    expect(answers.map(({ type }) => type)).toContain('contribution');
    expect(asked({ head: headAt(commit), journal: [], silentThrough: 0 }, question)).toEqual([]);
  }
});

test('the journal holds the batches that a precommit has reported, and they are given out after a restart', () => {
  const batches = reported.flatMap((message) => (message.type === 'batch' ? [message.batch] : []));
  expect(batches.length).toBeGreaterThan(0);
  const batch = batches[0] as TransactionBatch;
  const hash = batchHash(batch);
  // The block before the one that it came into.
  const before = disk.commits.findLast(({ state }) => {
    const account = decodeState(rules, state).ledger.accounts.find(({ publicKey }) => publicKey === batch.sender);
    return account?.nonce === batch.firstNonce;
  });
  const stored: StoredPeer = { head: headAt(before!), journal, silentThrough: 0 };
  expect(asked(stored, { type: 'get-batch', hash })).toEqual([{ type: 'batch', batch: expect.anything() }]);
  expect(asked({ ...stored, journal: [] }, { type: 'get-batch', hash })).toEqual([]);
});

test('a journal that is started anew carries on what was reported and is in no block yet', () => {
  const entries = disk.commits.flatMap(({ height, state, carry }) =>
    carry.flatMap((bytes) => {
      const entry = decodeJournalEntry(bytes);
      return entry?.type === 'reported' ? [{ height, state, bytes: entry.bytes }] : [];
    }),
  );
  expect(entries.length).toBeGreaterThan(0);
  for (const { state, bytes } of entries) {
    const message = decodeMessage(bytes);
    if (message.type !== 'contribution') continue;
    const { slot } = decodeState(rules, state);
    // What is settled need not be kept.
    expect(application.checkContribution(genesis, rules.chainId, message.bytes, slot).ok).toBe(true);
  }
  const bytes = encodeMessage({ type: 'get-batch', hash: '0'.repeat(64) });
  const odd = encodeJournalEntry({ type: 'reported', bytes });
  expect(asked({ head: null, journal: [odd], silentThrough: 0 }, { type: 'status', height: 0 })).toEqual([]);
});
