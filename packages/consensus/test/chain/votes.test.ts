import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  proposalDigest,
  signProposal,
  signVote,
  verifyProposalSignature,
  verifyVote,
  voteDigest,
} from '../../src/chain/index.ts';
import type { Proposal, Vote } from '../../src/chain/types.ts';
import type { MemberSigner } from '../../src/crypto/index.ts';
import { beaconMessage } from '../../src/election/index.ts';
import { errorCode } from '../fixtures/error-code.ts';
import { testNetwork } from '../fixtures/network.ts';

const network = testNetwork({ members: 4 });
const foreign = testNetwork({ members: 4, genesis: { chainName: 'another' } });
const signer = network.signers[2] as MemberSigner;
const hash = 'ab'.repeat(32);
const beacon = { term: 6, settlementHash: hash };
const share = signer.signBeaconShare(beaconMessage(network.chainId, 6, hash));
const silent = { held: '', overdue: [] };
const unsigned = {
  type: 'precommit' as const,
  height: 9,
  round: 1,
  blockHash: hash,
  timestampMs: 1_700_000_000_123,
  extension: { beaconShare: null, ...silent },
  voter: 2,
};
const vote = signVote(network.chainId, unsigned, signer);
const seeding = signVote(network.chainId, { ...unsigned, extension: { beaconShare: share, ...silent } }, signer);

const u = (value: number, bytes: number) => {
  const buffer = Buffer.alloc(bytes);
  if (bytes === 8) buffer.writeBigUInt64BE(BigInt(value));
  else buffer.writeUIntBE(value, 0, bytes);
  return buffer;
};
const raw = (digits: string) => Buffer.from(digits, 'hex');
const digestOf = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest('hex');

describe('the digest of a vote', () => {
  test('is laid out as documented', () => {
    const head = [Buffer.from('wattmesh/vote\0'), raw(network.chainId), u(1, 1), u(9, 8), u(1, 4), u(1, 1), raw(hash)];
    const time = u(1_700_000_000_123, 8);
    const noReports = u(0, 8);
    expect(voteDigest(network.chainId, vote)).toBe(digestOf(...head, time, u(1, 1), u(0, 1), noReports, u(2, 2)));
    expect(voteDigest(network.chainId, seeding)).toBe(
      digestOf(...head, time, u(1, 1), u(1, 1), raw(share), noReports, u(2, 2)),
    );
  });

  test('covers every field and the chain', () => {
    const digests = [
      voteDigest(network.chainId, unsigned),
      voteDigest(foreign.chainId, unsigned),
      voteDigest(network.chainId, { ...unsigned, type: 'prevote', extension: null }),
      voteDigest(network.chainId, { ...unsigned, height: 10 }),
      voteDigest(network.chainId, { ...unsigned, round: 2 }),
      voteDigest(network.chainId, { ...unsigned, blockHash: 'cd'.repeat(32) }),
      voteDigest(network.chainId, { ...unsigned, blockHash: null, extension: null }),
      voteDigest(network.chainId, { ...unsigned, timestampMs: 1 }),
      voteDigest(network.chainId, { ...unsigned, extension: { beaconShare: share, ...silent } }),
      voteDigest(network.chainId, { ...unsigned, voter: 3 }),
    ];
    expect(new Set(digests).size).toBe(digests.length);
  });
});

describe('a vote', () => {
  const code = (changed: Partial<Vote>, of: typeof beacon | null = null, from: Vote = vote) =>
    errorCode(() => verifyVote(network, { ...from, ...changed }, of));

  test('verifies as signed, with its share where one is due', () => {
    verifyVote(network, vote, null);
    verifyVote(network, seeding, beacon);
    for (const type of ['prevote', 'precommit'] as const) {
      const nil = { ...unsigned, type, blockHash: null, extension: null };
      verifyVote(network, signVote(network.chainId, nil, signer), beacon);
    }
    const prevote = { ...unsigned, type: 'prevote' as const, extension: null };
    verifyVote(network, signVote(network.chainId, prevote, signer), beacon);
    // A precommit for another block than the settlement owes no share.
    const other = { ...unsigned, blockHash: 'cd'.repeat(32) };
    verifyVote(network, signVote(network.chainId, other, signer), beacon);
  });

  test('does not verify with any field changed, under another chain or by another member', () => {
    for (const changed of [
      { height: 10 },
      { round: 0 },
      { blockHash: 'cd'.repeat(32) },
      { timestampMs: 0 },
      { voter: 1 },
      { blockHash: null, extension: null },
      { type: 'prevote' as const, extension: null },
      { signature: seeding.signature },
    ]) {
      expect(code(changed)).toBe('VOTE_BAD_SIGNATURE');
    }
    expect(errorCode(() => verifyVote(foreign, vote, null))).toBe('VOTE_BAD_SIGNATURE');
    const forged = signVote(network.chainId, unsigned, network.signers[1] as MemberSigner);
    expect(errorCode(() => verifyVote(network, forged, null))).toBe('VOTE_BAD_SIGNATURE');
  });

  test('needs a member behind it', () => {
    for (const voter of [4, -1, 0.5, 65_536]) expect(code({ voter })).toBe('VOTE_UNKNOWN_VOTER');
  });

  test('has a form', () => {
    for (const changed of [
      { height: -1 },
      { round: 2 ** 32 },
      { timestampMs: 0.5 },
      { blockHash: 'AB'.repeat(32) },
      { extension: null },
      { type: 'prevote' as const },
      { blockHash: null },
      { signature: vote.signature.slice(2) },
      { signature: vote.signature.toUpperCase() },
      { type: 'commit' as never },
    ]) {
      expect(code(changed)).toBe('VOTE_MALFORMED');
    }
  });

  test('carries a valid share exactly where one is due', () => {
    expect(code({}, beacon)).toBe('VOTE_MISSING_SHARE');
    expect(code({}, null, seeding)).toBe('VOTE_UNEXPECTED_SHARE');
    expect(code({}, { ...beacon, settlementHash: 'cd'.repeat(32) }, seeding)).toBe('VOTE_UNEXPECTED_SHARE');
    expect(code({}, { ...beacon, term: 7 }, seeding)).toBe('VOTE_BAD_SHARE');
    expect(code({ extension: { beaconShare: 'c0'.padEnd(192, '0'), ...silent } }, beacon)).toBe('VOTE_BAD_SIGNATURE');
  });
});

describe('a proposal', () => {
  const content = { height: 9, round: 3, blockHash: hash, polRound: -1, proposer: 2 };
  const proposal = signProposal(network.chainId, content, signer);
  const code = (changed: Partial<Proposal>) =>
    errorCode(() => verifyProposalSignature(network, { ...proposal, ...changed }));

  test('has a digest laid out as documented: polRound counts from 0 for none', () => {
    for (const [polRound, stored] of [
      [-1, 0],
      [2, 3],
    ] as const) {
      expect(proposalDigest(network.chainId, { ...content, polRound })).toBe(
        digestOf(
          Buffer.from('wattmesh/proposal\0'),
          raw(network.chainId),
          u(9, 8),
          u(3, 4),
          raw(hash),
          u(stored, 4),
          u(2, 2),
        ),
      );
    }
  });

  test('verifies as signed and not otherwise', () => {
    verifyProposalSignature(network, proposal);
    for (const changed of [
      { height: 8 },
      { round: 4 },
      { blockHash: 'cd'.repeat(32) },
      { polRound: 0 },
      { proposer: 0 },
    ]) {
      expect(code(changed)).toBe('PROPOSAL_BAD_SIGNATURE');
    }
    expect(errorCode(() => verifyProposalSignature(foreign, proposal))).toBe('PROPOSAL_BAD_SIGNATURE');
    // A vote's signature is good for no proposal.
    expect(code({ signature: vote.signature })).toBe('PROPOSAL_BAD_SIGNATURE');
  });

  test('needs a member and a form', () => {
    for (const proposer of [4, -1]) expect(code({ proposer })).toBe('PROPOSAL_UNKNOWN_PROPOSER');
    for (const changed of [{ polRound: 3 }, { polRound: 4 }, { polRound: -2 }, { round: -1 }, { signature: '' }]) {
      expect(code(changed)).toBe('PROPOSAL_MALFORMED');
    }
  });
});
