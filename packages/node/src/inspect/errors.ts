export type InspectErrorCode =
  /** A running peer holds the store, and no API of it is known. */
  | 'INSPECT_STORE_IN_USE'
  /** The folder or the API holds no chain. */
  | 'INSPECT_NO_CHAIN'
  | 'INSPECT_NO_SUCH_BLOCK'
  | 'INSPECT_NO_SUCH_ACCOUNT'
  /** Two sources are of different chains. */
  | 'INSPECT_OTHER_CHAIN'
  /** A stored block cannot be decoded or executed. */
  | 'INSPECT_CHAIN_INVALID'
  /** Two peers hold different blocks at one height. */
  | 'INSPECT_CHAINS_DIFFER'
  /** The outcome recorded for an item of evidence is not what deciding it again gives. */
  | 'INSPECT_EVIDENCE_DISAGREES'
  /** The chain's application has no market to explain. */
  | 'INSPECT_NO_MARKET'
  | 'INSPECT_BAD_OPTION';

/** Something that cannot be inspected; the message says where it was looked for and what to do. */
export class InspectError extends Error {
  readonly code: InspectErrorCode;
  /** The height concerned; null when it is about the whole chain. */
  readonly height: number | null;

  constructor(code: InspectErrorCode, message: string, options: ErrorOptions & { readonly height?: number } = {}) {
    super(message, options);
    this.name = 'InspectError';
    this.code = code;
    this.height = options.height ?? null;
  }
}
