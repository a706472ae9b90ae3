import { type Codec, CodecError, decode, encode, hash, list, mapped, struct, u16, u32, u53 } from '../codec/index.ts';
import { sha256 } from '../crypto/index.ts';
import { CertificateError, SignedDataError } from './errors.ts';
import { MAX_MEMBERS } from './limits.ts';
import { ZERO_HASH } from './merkle.ts';
import type { Certificate, Hash, Hex, MemberRank, Vote, VoteExtension } from './types.ts';
import { extensionCodec, signatureCodec, type VotingRules, verifyVote } from './votes.ts';

/** What the votes of one certificate do not share. */
interface StoredVote {
  readonly voter: MemberRank;
  readonly timestampMs: number;
  readonly extension: VoteExtension;
  readonly signature: Hex;
}

interface StoredCertificate {
  readonly height: number;
  readonly round: number;
  readonly blockHash: Hash;
  readonly votes: readonly StoredVote[];
}

const storedCodec: Codec<StoredCertificate> = struct<StoredCertificate>({
  height: u53,
  round: u32,
  blockHash: hash,
  votes: list(
    struct<StoredVote>({
      voter: u16,
      timestampMs: u53,
      extension: extensionCodec,
      signature: signatureCodec,
    }),
    MAX_MEMBERS,
    1,
  ),
});

function isOf(certificate: Certificate, vote: Vote): boolean {
  return (
    vote.type === 'precommit' &&
    vote.height === certificate.height &&
    vote.round === certificate.round &&
    vote.blockHash === certificate.blockHash
  );
}

/** Height, round and hash stand once, so that bytes with mixed votes do not exist. */
export const certificateCodec: Codec<Certificate> = mapped(
  storedCodec,
  (certificate: Certificate): StoredCertificate => ({
    ...certificate,
    votes: certificate.votes.map((vote, i) => {
      if (!isOf(certificate, vote) || vote.extension === null) {
        throw new CodecError('CODEC_RULE', 'not a precommit of this certificate', `votes[${i}]`);
      }
      const { voter, timestampMs, signature } = vote;
      return { voter, timestampMs, extension: vote.extension, signature };
    }),
  }),
  ({ height, round, blockHash, votes }): Certificate => ({
    height,
    round,
    blockHash,
    votes: votes.map(({ voter, timestampMs, extension, signature }) => ({
      type: 'precommit',
      height,
      round,
      blockHash,
      timestampMs,
      extension,
      voter,
      signature,
    })),
  }),
);

/** @throws CodecError, also when votes do not belong to the certificate. */
export function encodeCertificate(certificate: Certificate): Uint8Array {
  return encode(certificateCodec, certificate);
}

/** @throws CodecError for bytes that are no certificate's; whether its votes suffice is for `verifyCertificate`. */
export function decodeCertificate(bytes: Uint8Array): Certificate {
  return decode(certificateCodec, bytes);
}

/** SHA-256 of the encoded certificate; 64 zeros for none. Stands in the header of the block that embeds it. */
export function certificateHash(certificate: Certificate | null): Hash {
  return certificate === null ? ZERO_HASH : sha256(encodeCertificate(certificate));
}

/**
 * Checks that a certificate is exactly `q` valid precommits of one height, round and hash, in ascending rank. For a
 * term's last settlement `beaconTerm` is the term that it seeds, and each vote must carry its share; otherwise null.
 * @throws CertificateError
 */
export function verifyCertificate(rules: VotingRules, certificate: Certificate, beaconTerm: number | null): void {
  const { votes, blockHash } = certificate;
  if (votes.length !== rules.genesis.quorum) {
    throw new CertificateError(
      'CERTIFICATE_WRONG_COUNT',
      `needs exactly ${rules.genesis.quorum} votes, has ${votes.length}`,
    );
  }
  let previous = -1;
  for (const vote of votes) {
    if (!isOf(certificate, vote)) {
      throw new CertificateError(
        'CERTIFICATE_MIXED_VOTES',
        `the vote of member ${vote.voter} is no precommit for this height, round and hash`,
      );
    }
    if (vote.voter === previous) {
      throw new CertificateError('CERTIFICATE_DUPLICATE_VOTER', `member ${vote.voter} votes more than once`);
    }
    if (vote.voter < previous) {
      const repeated = votes.filter(({ voter }) => voter === vote.voter).length > 1;
      throw new CertificateError(
        repeated ? 'CERTIFICATE_DUPLICATE_VOTER' : 'CERTIFICATE_UNSORTED',
        repeated ? `member ${vote.voter} votes more than once` : `member ${vote.voter} stands after member ${previous}`,
      );
    }
    previous = vote.voter;
  }
  const beacon = beaconTerm === null ? null : { term: beaconTerm, settlementHash: blockHash };
  for (const vote of votes) {
    try {
      verifyVote(rules, vote, beacon);
    } catch (error) {
      if (!(error instanceof SignedDataError)) throw error;
      throw new CertificateError('CERTIFICATE_BAD_VOTE', error.message, error.code);
    }
  }
}
