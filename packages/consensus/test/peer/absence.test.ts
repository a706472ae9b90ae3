import { expect, test } from 'vitest';
import { decodeState } from '../../src/execution/index.ts';
import { encodeJournalEntry } from '../../src/peer/journal.ts';
import { Peer } from '../../src/peer/peer.ts';
import type { CommitRecord, PeerOutput, StoredPeer } from '../../src/peer/ports.ts';
import { decodeMessage as decodeContribution } from '../../src/poeg/messages.ts';
import { decodeMessage, encodeMessage } from '../../src/wire/messages.ts';
import { POEG_LIFE } from '../world/poeg-life.ts';
import { worldOf } from '../world/run.ts';
import { World } from '../world/world.ts';
import { FAIR } from '../world/world-options.ts';
import { UNHURRIED } from './unhurried.ts';

const SELF = 1;
const OTHER = 0;

// Somebody else's chain of four slots, which this peer catches up with.
const world = new World({ ...worldOf(1), weather: FAIR, clock: 'ready', members: 4, stormMs: 3_000 });
world.storm();
world.calm(60_000, () => world.isAtRest(4));
const { rules, signers } = world.chain;
const commits = world.nodes[OTHER]?.disk.commits as readonly CommitRecord[];
const slotAfter = (height: number) => decodeState(rules, commits[height - 1]!.state).slot;
/** The first height in a slot. */
const firstIn = (slot: number) => commits.findIndex(({ state }) => decodeState(rules, state).slot === slot) + 1;

function startedPeer(stored: StoredPeer) {
  const modules = {
    signer: signers[SELF]!,
    source: POEG_LIFE.source(world.chain, 'another forecast', SELF),
    reader: { block: () => null, state: () => null },
  };
  const peer = new Peer(rules, UNHURRIED, modules, stored);
  const outputs = [peer.handle({ type: 'start', nowMs: 0 })];
  const follow = (from: number, through: number): void => {
    const items = commits.slice(from - 1, through);
    const sender = rules.genesis.members[OTHER]!.publicKey;
    const bytes = encodeMessage({ type: 'blocks', items });
    const output = peer.handle({ type: 'message', nowMs: 1, from: OTHER, sender, bytes });
    expect(output.verdict).toBe('accept');
    outputs.push(output);
  };
  return { peer, outputs, follow };
}

/** Slots for which this member has signed and told an announcement. */
const announcedIn = (outputs: readonly PeerOutput[]): number[] => [
  ...new Set(
    outputs.flatMap(({ sends }) =>
      sends.flatMap(({ bytes }) => {
        const message = decodeMessage(bytes);
        const contribution = message.type === 'contribution' ? decodeContribution(message.bytes) : null;
        return contribution?.type === 'announcement' ? [contribution.slot - 1] : [];
      }),
    ),
  ),
];
const journalOf = (outputs: readonly PeerOutput[]) =>
  outputs.flatMap(({ writes }) => writes.flatMap((write) => (write.type === 'journal' ? [write.bytes] : [])));

const silentThrough = firstIn(1);
const fresh = { head: null, journal: [] };

test('what the journal holds for a later slot is told there, and nothing else signed, when the chain was lost', () => {
  const slot = 3;
  const { app } = decodeState(rules, commits[firstIn(slot) - 1]!.state);
  const source = POEG_LIFE.source(world.chain, 'the forecast before', SELF);
  const signed = source.contributions(slot, app, { get: () => null });
  const journal = signed.map((bytes) => encodeJournalEntry({ type: 'contribution', bytes }));
  const { outputs, follow } = startedPeer({ head: null, journal, silentThrough: 0 });
  follow(1, firstIn(slot));
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  const told = outputs.flatMap(({ sends }) =>
    sends.flatMap(({ bytes }) => {
      const message = decodeMessage(bytes);
      if (message.type !== 'contribution') return [];
      const contribution = decodeContribution(message.bytes);
      return contribution.type === 'announcement' && contribution.slot === slot + 1 ? [hex(message.bytes)] : [];
    }),
  );
  expect(new Set(told).size).toBe(1);
  expect(signed.map(hex)).toContain(told[0]);
});

test('a peer announces in every slot while it knows what it has signed', () => {
  const { outputs, follow } = startedPeer({ ...fresh, silentThrough: 0 });
  follow(1, firstIn(3));
  expect(announcedIn(outputs)).toEqual([0, 1, 2, 3]);
});

test('a peer that sits out announces only after the slot of the last height of which it knows nothing', () => {
  const { outputs, follow } = startedPeer({ ...fresh, silentThrough });
  follow(1, silentThrough);
  expect(slotAfter(silentThrough)).toBe(1);
  expect(announcedIn(outputs)).toEqual([]);
  follow(silentThrough + 1, firstIn(3));
  expect(announcedIn(outputs)).toEqual([2, 3]);
});

test.each(['journal', 'carried entries'])('it is still absent after a restart that reads its %s', (where) => {
  const { peer, outputs, follow } = startedPeer({ ...fresh, silentThrough });
  follow(1, silentThrough);
  const last = outputs.flatMap(({ writes }) => writes).findLast((write) => write.type === 'commit');
  const { carry } = (last as { commit: CommitRecord }).commit;
  const journal = where === 'journal' ? journalOf(outputs) : carry;
  const again = startedPeer({ head: commits[silentThrough - 1]!, journal, silentThrough: 0 });
  expect(again.peer.view.state.height).toBe(peer.view.state.height);
  expect(again.peer.view.sittingOut).toBe(false);
  again.follow(silentThrough + 1, firstIn(2));
  expect(announcedIn(again.outputs)).toEqual([2]);
});

test('what it signs later in a slot is not taken either while it is absent', () => {
  const { peer } = startedPeer({ ...fresh, silentThrough });
  const [bytes] = POEG_LIFE.source(world.chain, 'a third forecast', SELF).contributions(0, null, { get: () => null });
  const refused = peer.handle({ type: 'contribute', nowMs: 2, bytes: bytes! });
  expect(refused).toMatchObject({ verdict: 'ignore', code: 'CONTRIBUTION_NOT_TAKEN', writes: [], sends: [] });
});
