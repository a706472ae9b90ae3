export type ClusterErrorCode =
  | 'RUN_NOT_FOUND'
  | 'RUN_EXISTS'
  | 'RUN_UNKNOWN_PEER'
  | 'PEER_DID_NOT_START'
  | 'PEER_UNREACHABLE'
  | 'PEER_WOULD_NOT_STOP'
  | 'RUN_DIVERGED';

/** Something about a run of several peers; the message names the peer or folder and what to do. */
export class ClusterError extends Error {
  readonly code: ClusterErrorCode;

  constructor(code: ClusterErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ClusterError';
    this.code = code;
  }
}
