import { describe, expect, test } from 'vitest';
import {
  CertificateError,
  certificateHash,
  decodeCertificate,
  encodeCertificate,
  verifyCertificate,
  voteDigest,
  ZERO_HASH,
} from '../../src/chain/index.ts';
import type { Certificate, Vote } from '../../src/chain/types.ts';
import { sha256 } from '../../src/crypto/index.ts';
import { errorCode } from '../fixtures/error-code.ts';
import { testCertificate, testNetwork, testPrecommit } from '../fixtures/network.ts';

const network = testNetwork({ members: 5, quorum: 4 });
const foreign = testNetwork({ members: 5, quorum: 4, genesis: { chainName: 'another' } });
const at = { height: 7, round: 2, blockHash: 'ab'.repeat(32) };
const plain = testCertificate(network, at);
const seeding = testCertificate(network, at, 3);

function fault(certificate: Certificate, beaconTerm: number | null = null) {
  try {
    verifyCertificate(network, certificate, beaconTerm);
  } catch (error) {
    if (error instanceof CertificateError) return { code: error.code, vote: error.vote };
    throw error;
  }
  return null;
}

const withVotes = (certificate: Certificate, votes: readonly Vote[]) => ({ ...certificate, votes });
const replaced = (certificate: Certificate, index: number, change: Partial<Vote>) =>
  withVotes(certificate, certificate.votes.with(index, { ...(certificate.votes[index] as Vote), ...change }));
const badVote = (vote: string) => ({ code: 'CERTIFICATE_BAD_VOTE', vote });
const of = (code: string) => ({ code, vote: null });

test('any q members make a certificate', () => {
  for (const voters of [
    [0, 1, 2, 3],
    [0, 1, 2, 4],
    [1, 2, 3, 4],
  ]) {
    expect(fault(testCertificate(network, at, null, voters))).toBeNull();
    expect(fault(testCertificate(network, at, 3, voters), 3)).toBeNull();
  }
});

describe('what is no certificate', () => {
  test('a vote too few, a vote too many, none', () => {
    expect(fault(testCertificate(network, at, null, [0, 1, 2]))).toEqual(of('CERTIFICATE_WRONG_COUNT'));
    expect(fault(testCertificate(network, at, null, [0, 1, 2, 3, 4]))).toEqual(of('CERTIFICATE_WRONG_COUNT'));
    expect(fault(withVotes(plain, []))).toEqual(of('CERTIFICATE_WRONG_COUNT'));
  });

  test('one member twice, side by side or apart', () => {
    const [a, b, c] = plain.votes as [Vote, Vote, Vote];
    expect(fault(withVotes(plain, [a, b, b, c]))).toEqual(of('CERTIFICATE_DUPLICATE_VOTER'));
    expect(fault(withVotes(plain, [a, b, c, a]))).toEqual(of('CERTIFICATE_DUPLICATE_VOTER'));
    // Two different valid votes of one member are still one member.
    const later = testPrecommit(network, { ...at, voter: b.voter }, null, 1_700_000_009_000);
    expect(fault(withVotes(plain, [a, b, later, c]))).toEqual(of('CERTIFICATE_DUPLICATE_VOTER'));
  });

  test('votes out of order', () => {
    expect(fault(testCertificate(network, at, null, [0, 2, 1, 3]))).toEqual(of('CERTIFICATE_UNSORTED'));
    expect(fault(testCertificate(network, at, null, [3, 2, 1, 0]))).toEqual(of('CERTIFICATE_UNSORTED'));
  });

  test('votes of another round, height or hash, nil votes, prevotes', () => {
    for (const other of [
      { ...at, round: 1 },
      { ...at, height: 8 },
      { ...at, blockHash: 'cd'.repeat(32) },
    ]) {
      const votes = plain.votes.with(1, testPrecommit(network, { ...other, voter: 1 }));
      expect(fault(withVotes(plain, votes))).toEqual(of('CERTIFICATE_MIXED_VOTES'));
    }
    expect(fault(replaced(plain, 1, { blockHash: null, extension: null }))).toEqual(of('CERTIFICATE_MIXED_VOTES'));
    expect(fault(replaced(plain, 1, { type: 'prevote', extension: null }))).toEqual(of('CERTIFICATE_MIXED_VOTES'));
  });

  test('valid votes under another heading', () => {
    expect(fault({ ...plain, round: 1 })).toEqual(of('CERTIFICATE_MIXED_VOTES'));
    const relabelled = plain.votes.map((vote) => ({ ...vote, round: 1 }));
    expect(fault({ ...plain, round: 1, votes: relabelled })).toEqual(badVote('VOTE_BAD_SIGNATURE'));
  });

  test('a certificate of another chain with the same members', () => {
    expect(foreign.genesis.members).toEqual(network.genesis.members);
    expect(fault(testCertificate(foreign, at))).toEqual(badVote('VOTE_BAD_SIGNATURE'));
    expect(() => verifyCertificate(foreign, testCertificate(foreign, at), null)).not.toThrow();
  });

  test('a vote that does not verify', () => {
    const [first, second] = plain.votes as [Vote, Vote];
    expect(fault(replaced(plain, 0, { signature: second.signature }))).toEqual(badVote('VOTE_BAD_SIGNATURE'));
    expect(fault(replaced(plain, 0, { timestampMs: first.timestampMs + 1 }))).toEqual(badVote('VOTE_BAD_SIGNATURE'));
    expect(fault(replaced(plain, 3, { voter: 4 }))).toEqual(badVote('VOTE_BAD_SIGNATURE'));
    expect(fault(replaced(plain, 3, { voter: 5 }))).toEqual(badVote('VOTE_UNKNOWN_VOTER'));
    expect(fault(replaced(plain, 3, { timestampMs: -1 }))).toEqual(badVote('VOTE_MALFORMED'));
    expect(fault(replaced(plain, 3, { signature: 'zz' }))).toEqual(badVote('VOTE_MALFORMED'));
  });

  test('missing, superfluous and bad beacon shares', () => {
    expect(fault(plain, 3)).toEqual(badVote('VOTE_MISSING_SHARE'));
    expect(fault(seeding)).toEqual(badVote('VOTE_UNEXPECTED_SHARE'));
    // Signed by the voter, so only the share itself is at fault: of another term, of another block, of another member.
    expect(fault(seeding, 4)).toEqual(badVote('VOTE_BAD_SHARE'));
    const elsewhere = testCertificate(network, { ...at, blockHash: 'cd'.repeat(32) }, 3);
    for (const share of [elsewhere.votes[1]?.extension, seeding.votes[2]?.extension]) {
      const signed = withShare(share?.beaconShare as string);
      expect(fault(withVotes(seeding, seeding.votes.with(1, signed)), 3)).toEqual(badVote('VOTE_BAD_SHARE'));
    }
    // Good share, but not the one that was signed.
    const swapped = replaced(seeding, 1, { extension: seeding.votes[2]?.extension ?? null });
    expect(fault(swapped, 3)).toEqual(badVote('VOTE_BAD_SIGNATURE'));
  });
});

function withShare(beaconShare: string): Vote {
  const vote = seeding.votes[1] as Vote;
  const signer = network.signers[1];
  const content = { ...vote, extension: { beaconShare, held: '', overdue: [] } };
  return { ...content, signature: signer?.sign(voteDigest(network.chainId, content)) as string };
}

describe('bytes', () => {
  test('decode to the same certificate, which still verifies', () => {
    for (const certificate of [plain, seeding]) {
      const decoded = decodeCertificate(encodeCertificate(certificate));
      expect(decoded).toEqual(certificate);
      verifyCertificate(network, decoded, certificate === plain ? null : 3);
    }
  });

  test('do not exist for mixed votes', () => {
    const mixed = withVotes(plain, plain.votes.with(1, testPrecommit(network, { ...at, round: 1, voter: 1 })));
    expect(errorCode(() => encodeCertificate(mixed))).toBe('CODEC_RULE');
    expect(errorCode(() => encodeCertificate(replaced(plain, 0, { extension: null })))).toBe('CODEC_RULE');
    expect(errorCode(() => encodeCertificate(withVotes(plain, [])))).toBe('CODEC_LIMIT');
  });

  test('have a hash, and having none is 64 zeros', () => {
    expect(certificateHash(plain)).toBe(sha256(encodeCertificate(plain)));
    expect(certificateHash(testCertificate(network, at, null, [1, 2, 3, 4]))).not.toBe(certificateHash(plain));
    expect(certificateHash(null)).toBe(ZERO_HASH);
  });
});
