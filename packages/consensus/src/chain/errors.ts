/**
 * Why a signed thing counts for nothing. `_MALFORMED`: it cannot even be encoded. `VOTE_UNKNOWN_VOTER`,
 * `PROPOSAL_UNKNOWN_PROPOSER`: no member has the rank. `_BAD_SIGNATURE`: not signed by whom it names, for this chain.
 * `VOTE_MISSING_SHARE`, `VOTE_UNEXPECTED_SHARE`, `VOTE_BAD_SHARE`: the beacon share of a precommit.
 */
export type SignedDataErrorCode =
  | 'VOTE_MALFORMED'
  | 'VOTE_UNKNOWN_VOTER'
  | 'VOTE_BAD_SIGNATURE'
  | 'VOTE_MISSING_SHARE'
  | 'VOTE_UNEXPECTED_SHARE'
  | 'VOTE_BAD_SHARE'
  | 'PROPOSAL_MALFORMED'
  | 'PROPOSAL_UNKNOWN_PROPOSER'
  | 'PROPOSAL_BAD_SIGNATURE'
  | 'TRANSACTION_MALFORMED'
  | 'TRANSACTION_WRONG_CHAIN'
  | 'TRANSACTION_BAD_SIGNATURE';

/** A vote, proposal or transaction batch that does not verify. */
export class SignedDataError extends Error {
  readonly code: SignedDataErrorCode;

  constructor(code: SignedDataErrorCode, reason: string) {
    super(`${code}: ${reason}`);
    this.name = 'SignedDataError';
    this.code = code;
  }
}

/**
 * `CERTIFICATE_WRONG_COUNT`: not exactly `q` votes. `CERTIFICATE_UNSORTED`, `CERTIFICATE_DUPLICATE_VOTER`: not in
 * ascending rank. `CERTIFICATE_MIXED_VOTES`: a vote that is no precommit for the certificate's height, round and hash.
 * `CERTIFICATE_BAD_VOTE`: a vote that does not verify; `vote` says why.
 */
export type CertificateErrorCode =
  | 'CERTIFICATE_WRONG_COUNT'
  | 'CERTIFICATE_UNSORTED'
  | 'CERTIFICATE_DUPLICATE_VOTER'
  | 'CERTIFICATE_MIXED_VOTES'
  | 'CERTIFICATE_BAD_VOTE';

/** Votes that do not amount to a certificate. */
export class CertificateError extends Error {
  readonly code: CertificateErrorCode;
  /** What is wrong with the single vote, when `code` is `CERTIFICATE_BAD_VOTE`. */
  readonly vote: SignedDataErrorCode | null;

  constructor(code: CertificateErrorCode, reason: string, vote: SignedDataErrorCode | null = null) {
    super(`${code}: ${reason}`);
    this.name = 'CertificateError';
    this.code = code;
    this.vote = vote;
  }
}
