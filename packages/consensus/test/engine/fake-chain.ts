import type { Block, Hash, MemberRank, Proposal, Vote, VoteType } from '../../src/chain/types.ts';
import type { HeightContext, Timeouts } from '../../src/engine/index.ts';

/** Blocks and signatures without cryptography: the engine sees both through its context only. */

export const HEIGHT = 5;
const ZERO = '0'.repeat(64);

export const TIMEOUTS: Timeouts = {
  proposeMs: 100,
  prevoteMs: 50,
  precommitMs: 50,
  stepMs: 30,
  collectMs: 60,
  resendMs: 200,
};

export interface FakeBlock {
  readonly block: Block;
  readonly blockHash: Hash;
}

/** A block that names its composer and round; `content` tells blocks of one composer and round apart. */
export function fakeBlock(composer: MemberRank, composingRound: number, content = 'a', height = HEIGHT): FakeBlock {
  const blockHash = `block-${height}-${composer}-${composingRound}-${content}`;
  const header: Block['header'] = {
    chainId: ZERO,
    height,
    parentHash: ZERO,
    term: 0,
    slot: 0,
    kind: 'transactions',
    composer,
    composingRound,
    chainTimeMs: 0,
    certificateHash: ZERO,
    seedSignature: null,
    transactionsRoot: ZERO,
    payloadHash: ZERO,
    evidenceRoot: ZERO,
    stateRoot: blockHash,
  };
  return {
    block: { header, parentCertificate: null, batches: [], payload: new Uint8Array(0), evidence: [] },
    blockHash,
  };
}

export function voteSignature(vote: Omit<Vote, 'signature'>): string {
  return `${vote.voter} signs ${vote.type} ${vote.height}/${vote.round} ${vote.blockHash} at ${vote.timestampMs}`;
}

export function fakeVote(
  type: VoteType,
  voter: MemberRank,
  round: number,
  blockHash: Hash | null,
  timestampMs = 1000,
  height = HEIGHT,
): Vote {
  const extension = type === 'precommit' && blockHash !== null ? { beaconShare: null, held: '', overdue: [] } : null;
  const vote = { type, height, round, blockHash, timestampMs, extension, voter };
  return { ...vote, signature: voteSignature(vote) };
}

export function fakeVotes(
  type: VoteType,
  voters: readonly MemberRank[],
  round: number,
  blockHash: Hash | null,
): Vote[] {
  return voters.map((voter) => fakeVote(type, voter, round, blockHash));
}

export function fakeProposal(
  proposer: MemberRank,
  round: number,
  blockHash: Hash,
  polRound = -1,
  height = HEIGHT,
): Proposal {
  return { height, round, blockHash, polRound, proposer, signature: `${proposer} proposes ${blockHash} in ${round}` };
}

export interface FakeContextOptions {
  readonly members: number;
  readonly quorum?: number;
  readonly self: MemberRank | null;
  readonly judge?: HeightContext['judge'];
  readonly timeouts?: Timeouts;
  /** Rank of the proposer of round 0; the others follow in order. */
  readonly firstProposer?: MemberRank;
}

export function fakeContext(options: FakeContextOptions): HeightContext {
  const { members, self, firstProposer = 0 } = options;
  const voter = self ?? -1;
  return {
    height: HEIGHT,
    members,
    quorum: options.quorum ?? Math.floor((2 * members) / 3) + 1,
    self,
    proposer: (round) => (firstProposer + round) % members,
    judge: options.judge ?? (() => 'valid'),
    signVote: (vote) => ({ ...vote, voter, signature: voteSignature({ ...vote, voter }) }),
    signProposal: ({ round, blockHash, polRound }) => fakeProposal(voter, round, blockHash, polRound),
    extend: () => ({ beaconShare: null, held: '', overdue: [] }),
    timeouts: options.timeouts ?? TIMEOUTS,
  };
}

/** Freezes data through and through; a map inside refuses to change from then on. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (ArrayBuffer.isView(value)) return value;
  if (value instanceof Map) {
    const refuse = (): never => {
      throw new TypeError('a frozen map was written to');
    };
    Object.assign(value, { set: refuse, delete: refuse, clear: refuse });
    for (const entry of value.values()) deepFreeze(entry);
  }
  Object.freeze(value);
  for (const entry of Object.values(value)) deepFreeze(entry);
  return value;
}
