import { expect, test } from 'vitest';
import { Peer } from '../../src/peer/peer.ts';
import type { CommitRecord, PeerOptions, PeerOutput, StoredPeer } from '../../src/peer/ports.ts';
import { encodeMessage, type Message } from '../../src/wire/messages.ts';
import { POEG_LIFE } from '../world/poeg-life.ts';
import { worldOf } from '../world/run.ts';
import { World } from '../world/world.ts';
import { FAIR } from '../world/world-options.ts';

const OPTIONS: PeerOptions = {
  timeouts: { proposeMs: 2_000, prevoteMs: 1_000, precommitMs: 1_000, stepMs: 500, collectMs: 1_000, resendMs: 1_000 },
  txPatienceMs: 1_500,
  minBlockIntervalMs: 0,
  slotPaceMs: 1e6,
  readyTimeoutMs: 1e6,
  statusMs: 1_000,
  syncTimeoutMs: 4_000,
  maxPoolTransactions: 1_000,
};
const SELF = 1;

// A chain of four members, q = 3, with which this peer catches up after it has lost its disk.
const world = new World({ ...worldOf(1), weather: FAIR, clock: 'ready', members: 4, stormMs: 3_000 });
world.storm();
world.calm(60_000, () => world.isAtRest(4));
const { rules, signers } = world.chain;
const commits = world.nodes[0]?.disk.commits as readonly CommitRecord[];
const LOST: StoredPeer = { head: null, journal: [], silentThrough: null };

function started(stored: StoredPeer, signs = true) {
  const source = POEG_LIFE.source(world.chain, 'another forecast', SELF);
  const modules = { signer: signs ? signers[SELF]! : null, source, reader: { block: () => null, state: () => null } };
  const peer = new Peer(rules, OPTIONS, modules, stored);
  const outputs = [peer.handle({ type: 'start', nowMs: 0 })];
  const told = (from: number, message: Message): void => {
    const sender = rules.genesis.members[from]!.publicKey;
    outputs.push(peer.handle({ type: 'message', nowMs: 1, from, sender, bytes: encodeMessage(message) }));
  };
  const follow = (from: number, through: number): void => {
    told(0, { type: 'blocks', items: commits.slice(from - 1, through) });
    expect(peer.view.state.height).toBe(through);
  };
  return { outputs, told, follow, sitsOut: () => peer.view.sittingOut };
}

const journalOf = (outputs: readonly PeerOutput[]) =>
  outputs.flatMap(({ writes }) => writes.flatMap((write) => (write.type === 'journal' ? [write.bytes] : [])));
const rejoined = (outputs: readonly PeerOutput[]) =>
  outputs.flatMap(({ notices }) => notices.flatMap((one) => (one.type === 'rejoined' ? [one.silentThrough] : [])));

test('a peer that has lost its disk signs nothing until two heights above what q - 1 others have reached', () => {
  const { outputs, told, follow, sitsOut } = started(LOST);
  told(0, { type: 'status', height: 4 });
  told(2, { type: 'status', height: 5 });
  follow(1, 4);
  // Member 2 may know of heights that this peer has not seen.
  expect(rejoined(outputs)).toEqual([]);
  follow(5, 5);
  expect(rejoined(outputs)).toEqual([7]);
  expect(sitsOut()).toBe(true);
  follow(6, 6);
  expect(sitsOut()).toBe(true);
  follow(7, 7);
  expect(sitsOut()).toBe(false);
});

test('the word of one member is not enough, however often it is given, nor is its own', () => {
  const { outputs, told, follow, sitsOut } = started(LOST);
  for (let k = 0; k < 3; k += 1) told(2, { type: 'status', height: 1 });
  told(SELF, { type: 'status', height: 1 });
  follow(1, 9);
  expect(rejoined(outputs)).toEqual([]);
  expect(sitsOut()).toBe(true);
});

test('a claim that nobody can make good counts for nothing', () => {
  const { outputs, told, follow } = started(LOST);
  told(3, { type: 'status', height: Number.MAX_SAFE_INTEGER });
  told(0, { type: 'status', height: 2 });
  follow(1, 6);
  expect(rejoined(outputs)).toEqual([]);
  told(2, { type: 'status', height: 6 });
  expect(rejoined(outputs)).toEqual([8]);
});

test('what it has learned stands in the journal, also in one that was started anew', () => {
  const { outputs, told, follow } = started(LOST);
  told(0, { type: 'status', height: 2 });
  told(2, { type: 'status', height: 2 });
  follow(1, 5);
  const { state, certificate } = commits[4]!;
  const carried = outputs.flatMap(({ writes }) =>
    writes.flatMap((write) => (write.type === 'commit' && write.commit.height === 5 ? write.commit.carry : [])),
  );
  for (const journal of [journalOf(outputs), carried]) {
    const again = started({ head: { state, certificate }, journal, silentThrough: null });
    expect(again.sitsOut()).toBe(false);
    expect(rejoined(again.outputs)).toEqual([]);
  }
  expect(started({ head: { state, certificate }, journal: [], silentThrough: null }).sitsOut()).toBe(true);
});

test('a follower signs nothing, and has nothing to ask', () => {
  const { told, outputs } = started(LOST, false);
  told(0, { type: 'status', height: 0 });
  told(2, { type: 'status', height: 0 });
  expect(journalOf(outputs)).toEqual([]);
  expect(rejoined(outputs)).toEqual([]);
});
