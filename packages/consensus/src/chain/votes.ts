import {
  bytes,
  type Codec,
  CodecError,
  checked,
  encode,
  enumeration,
  fromHex,
  hash,
  hex,
  list,
  mapped,
  option,
  struct,
  toHex,
  u16,
  u32,
  u53,
} from '../codec/index.ts';
import { type MemberSigner, taggedHash } from '../crypto/index.ts';
import { beaconMessage } from '../election/beacon.ts';
import { SignedDataError } from './errors.ts';
import { MAX_HELD_BYTES, MAX_OVERDUE_BATCHES } from './limits.ts';
import type { ChainRules } from './state.ts';
import type { Hash, OverdueBatch, Proposal, Vote, VoteExtension } from './types.ts';

export type UnsignedVote = Omit<Vote, 'signature'>;
export type UnsignedProposal = Omit<Proposal, 'signature'>;
/** What verifying votes needs of a chain's rules. */
export type VotingRules = Pick<ChainRules, 'genesis' | 'chainId' | 'signatures' | 'threshold'>;

/** BLS12-381 threshold share or combined signature. */
export const beaconSignatureCodec: Codec<string> = hex(96);
/** ECDSA, compact. */
export const SIGNATURE_BYTES = 64;
export const signatureCodec: Codec<string> = hex(SIGNATURE_BYTES);

/** Bytes of any length up to the limit, the last one not zero: one encoding for one set. */
const heldCodec: Codec<string> = checked(mapped(bytes(MAX_HELD_BYTES), fromHexField, toHex), (held) =>
  held.endsWith('00') ? 'the bitmap ends in zeros' : null,
);

function fromHexField(text: string): Uint8Array {
  try {
    return fromHex(text);
  } catch (error) {
    throw new CodecError('CODEC_RANGE', (error as Error).message);
  }
}

const overdueCodec: Codec<readonly OverdueBatch[]> = checked(
  list(struct<OverdueBatch>({ hash, account: u32, firstNonce: u53 }), MAX_OVERDUE_BATCHES),
  (overdue) =>
    overdue.every(({ hash: one }, k) => k === 0 || one > (overdue[k - 1] as OverdueBatch).hash)
      ? null
      : 'overdue batches stand in the order of their hashes, each once',
);

/** What a precommit says besides its block. */
export const extensionCodec: Codec<VoteExtension> = struct<VoteExtension>({
  beaconShare: option(beaconSignatureCodec),
  held: heldCodec,
  overdue: overdueCodec,
});

const voteFields = {
  type: enumeration(['prevote', 'precommit']),
  height: u53,
  round: u32,
  blockHash: option(hash),
  timestampMs: u53,
  extension: option(extensionCodec),
  voter: u16,
};

function extensionRule({ type, blockHash, extension }: UnsignedVote): string | null {
  const extended = type === 'precommit' && blockHash !== null;
  return (extension !== null) === extended
    ? null
    : 'an extension belongs to precommits for a block, and to all of them';
}

const unsignedVoteCodec: Codec<UnsignedVote> = checked(struct<UnsignedVote>(voteFields), extensionRule);

export const voteCodec: Codec<Vote> = checked(
  struct<Vote>({ ...voteFields, signature: signatureCodec }),
  extensionRule,
);

const polRoundCodec: Codec<number> = mapped(
  u32,
  (polRound: number) => polRound + 1,
  (stored) => stored - 1,
);

const proposalFields = {
  height: u53,
  round: u32,
  blockHash: hash,
  polRound: polRoundCodec,
  proposer: u16,
};

function polRule({ round, polRound }: UnsignedProposal): string | null {
  return polRound < round ? null : `polRound ${polRound} is not before round ${round}`;
}

const unsignedProposalCodec: Codec<UnsignedProposal> = checked(struct<UnsignedProposal>(proposalFields), polRule);

export const proposalCodec: Codec<Proposal> = checked(
  struct<Proposal>({ ...proposalFields, signature: signatureCodec }),
  polRule,
);

/**
 * What a voter signs: everything that the vote says, under the chain's id.
 * @throws CodecError when the vote cannot be encoded.
 */
export function voteDigest(chainId: Hash, vote: UnsignedVote): Hash {
  return taggedHash('vote', fromHex(chainId), encode(unsignedVoteCodec, vote));
}

/**
 * What a proposer signs: everything that the proposal says, under the chain's id.
 * @throws CodecError when the proposal cannot be encoded.
 */
export function proposalDigest(chainId: Hash, proposal: UnsignedProposal): Hash {
  return taggedHash('proposal', fromHex(chainId), encode(unsignedProposalCodec, proposal));
}

/** A vote with its signature; `signer` is the member of rank `vote.voter`. */
export function signVote(chainId: Hash, vote: UnsignedVote, signer: Pick<MemberSigner, 'sign'>): Vote {
  return { ...vote, signature: signer.sign(voteDigest(chainId, vote)) };
}

/** A proposal with its signature; `signer` is the member of rank `proposal.proposer`. */
export function signProposal(chainId: Hash, proposal: UnsignedProposal, signer: Pick<MemberSigner, 'sign'>): Proposal {
  return { ...proposal, signature: signer.sign(proposalDigest(chainId, proposal)) };
}

/**
 * Checks a vote's form, voter and signature, and nothing of what its extension should hold: enough to hold the voter to it.
 * @throws SignedDataError with a VOTE_ code.
 */
export function verifyVoteSignature(rules: Pick<VotingRules, 'genesis' | 'chainId' | 'signatures'>, vote: Vote): void {
  const member = rules.genesis.members[vote.voter];
  if (member === undefined) throw new SignedDataError('VOTE_UNKNOWN_VOTER', `there is no member of rank ${vote.voter}`);
  const digest = taggedHash('vote', fromHex(rules.chainId), signedBytes('VOTE_MALFORMED', voteCodec, vote));
  if (!rules.signatures.verify(fromHex(vote.signature), fromHex(digest), fromHex(member.publicKey))) {
    throw new SignedDataError('VOTE_BAD_SIGNATURE', `member ${vote.voter} did not sign this vote for this chain`);
  }
}

/**
 * Checks a vote's form, voter, signature and beacon share. A precommit for `beacon.settlementHash` must carry a valid
 * share for `beacon.term`; every other vote must carry none (protocol section 3.6). `beacon` is null unless the block
 * voted on is known to be a term's last settlement.
 * @throws SignedDataError with a VOTE_ code.
 */
export function verifyVote(
  rules: VotingRules,
  vote: Vote,
  beacon: { readonly term: number; readonly settlementHash: Hash } | null,
): void {
  const { genesis, chainId, threshold } = rules;
  const member = genesis.members[vote.voter];
  if (member === undefined) throw new SignedDataError('VOTE_UNKNOWN_VOTER', `there is no member of rank ${vote.voter}`);
  signedBytes('VOTE_MALFORMED', voteCodec, vote);
  const share = vote.extension?.beaconShare ?? null;
  const needsShare = beacon !== null && vote.type === 'precommit' && vote.blockHash === beacon.settlementHash;
  if (needsShare && share === null) {
    throw new SignedDataError('VOTE_MISSING_SHARE', `member ${vote.voter} sent no share for term ${beacon.term}`);
  }
  if (!needsShare && share !== null) {
    throw new SignedDataError('VOTE_UNEXPECTED_SHARE', `member ${vote.voter} sent a share for a block that needs none`);
  }
  verifyVoteSignature(rules, vote);
  if (needsShare && share !== null) {
    const message = fromHex(beaconMessage(chainId, beacon.term, beacon.settlementHash));
    if (!threshold.verifyShare(fromHex(share), message, fromHex(member.beaconKey))) {
      throw new SignedDataError(
        'VOTE_BAD_SHARE',
        `the share of member ${vote.voter} is not one for term ${beacon.term}`,
      );
    }
  }
}

/**
 * Checks a proposal's form, rank and signature, not whether it was its signer's turn.
 * @throws SignedDataError with a PROPOSAL_ code.
 */
export function verifyProposalSignature(
  rules: Pick<ChainRules, 'genesis' | 'chainId' | 'signatures'>,
  proposal: Proposal,
): void {
  const member = rules.genesis.members[proposal.proposer];
  if (member === undefined) {
    throw new SignedDataError('PROPOSAL_UNKNOWN_PROPOSER', `there is no member of rank ${proposal.proposer}`);
  }
  const message = signedBytes('PROPOSAL_MALFORMED', proposalCodec, proposal);
  const digest = taggedHash('proposal', fromHex(rules.chainId), message);
  if (!rules.signatures.verify(fromHex(proposal.signature), fromHex(digest), fromHex(member.publicKey))) {
    throw new SignedDataError(
      'PROPOSAL_BAD_SIGNATURE',
      `member ${proposal.proposer} did not sign this proposal for this chain`,
    );
  }
}

/** Everything before the signature, which comes last in every layout: what `voteDigest` and `proposalDigest` encode. */
function signedBytes<T>(code: 'VOTE_MALFORMED' | 'PROPOSAL_MALFORMED', codec: Codec<T>, value: T): Uint8Array {
  try {
    return encode(codec, value).subarray(0, -SIGNATURE_BYTES);
  } catch (error) {
    if (error instanceof CodecError) throw new SignedDataError(code, error.message);
    throw error;
  }
}
