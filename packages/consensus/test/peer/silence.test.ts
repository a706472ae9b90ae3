import { expect, test } from 'vitest';
import { blockHash, decodeBlock } from '../../src/chain/block.ts';
import { signProposal } from '../../src/chain/votes.ts';
import { Peer } from '../../src/peer/peer.ts';
import type { CommitRecord, PeerOutput, StoredPeer } from '../../src/peer/ports.ts';
import { decodeMessage, encodeMessage, type Message } from '../../src/wire/messages.ts';
import { POEG_LIFE } from '../world/poeg-life.ts';
import { worldOf } from '../world/run.ts';
import { World } from '../world/world.ts';
import { FAIR } from '../world/world-options.ts';
import { UNHURRIED } from './unhurried.ts';

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
  const peer = new Peer(rules, UNHURRIED, modules, stored);
  const outputs = [peer.handle({ type: 'start', nowMs: 0 })];
  const told = (from: number, message: Message): void => {
    const sender = rules.genesis.members[from]!.publicKey;
    outputs.push(peer.handle({ type: 'message', nowMs: 1, from, sender, bytes: encodeMessage(message) }));
  };
  const follow = (from: number, through: number): void => {
    told(0, { type: 'blocks', items: commits.slice(from - 1, through) });
    expect(peer.view.state.height).toBe(through);
  };
  const connect = (member: number): PeerOutput => peer.handle({ type: 'connection', nowMs: 1, member, up: true });
  return { outputs, told, connect, follow, sitsOut: () => peer.view.sittingOut };
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

test('an answer in a journal of which something cannot be read counts no more: it may be older than what is lost', () => {
  const { outputs, told, follow } = started(LOST);
  told(0, { type: 'status', height: 2 });
  told(2, { type: 'status', height: 2 });
  follow(1, 9);
  const { state, certificate } = commits[8]!;
  const journal = [...journalOf(outputs), Uint8Array.of(99)];
  expect(started({ head: { state, certificate }, journal, silentThrough: null }).sitsOut()).toBe(true);
});

test('it takes part in the height in which it learns that it may', () => {
  const follower = started(LOST);
  follower.follow(1, 9);
  const wellKnown = started({ head: commits[8]!, journal: [], silentThrough: 0 });
  const { header } = decodeBlock(commits[9]!.block);
  const { composer: proposer, composingRound: round } = header;
  const content = { height: 10, round, blockHash: blockHash(header), polRound: -1, proposer };
  const proposal = signProposal(rules.chainId, content, signers[proposer]!);
  const timersOf = (peer: ReturnType<typeof started>): string[] => {
    peer.told(proposer, { type: 'proposal', proposal, block: commits[9]!.block, polVotes: [] });
    return peer.outputs.at(-1)!.timers.map(({ id }) => id);
  };
  const waits = `engine/collect-prevote/10/${round}`;
  expect(timersOf(wellKnown)).toContain(waits);
  expect(timersOf(follower)).not.toContain(waits);
  follower.told(0, { type: 'status', height: 2 });
  follower.told(2, { type: 'status', height: 2 });
  expect(timersOf(follower)).toContain(waits);
});

test('who sits out does not claim any height: others would build on it', () => {
  const statuses = (stored: StoredPeer): number => {
    const peer = started(stored);
    peer.told(3, { type: 'status', height: 0 });
    const connected = peer.connect(2);
    return connected.sends.filter(({ bytes }) => decodeMessage(bytes).type === 'status').length;
  };
  expect(statuses({ head: null, journal: [], silentThrough: 0 })).toBe(1);
  expect(statuses(LOST)).toBe(0);
});

test('a follower signs nothing, and has nothing to ask', () => {
  const { told, outputs } = started(LOST, false);
  told(0, { type: 'status', height: 0 });
  told(2, { type: 'status', height: 0 });
  expect(journalOf(outputs)).toEqual([]);
  expect(rejoined(outputs)).toEqual([]);
});
