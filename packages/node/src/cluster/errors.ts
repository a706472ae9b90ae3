export type ClusterErrorCode =
  | 'PEER_DID_NOT_START'
  /** It does not answer, or not as a peer. */
  | 'PEER_UNREACHABLE'
  /** It answered with an error of its own. */
  | 'PEER_REFUSED'
  | 'PEER_WOULD_NOT_STOP'
  | 'RUN_DIVERGED';

/** Something went wrong among running peers; the message names the peer and what to do. */
export class ClusterError extends Error {
  readonly code: ClusterErrorCode;

  constructor(code: ClusterErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ClusterError';
    this.code = code;
  }
}
