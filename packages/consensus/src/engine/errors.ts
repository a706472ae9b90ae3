/** Raised when a log cannot have been written by this peer at this height. Such a peer must sit the height out. */
export class EngineError extends Error {
  readonly code: 'ENGINE_LOG_INCONSISTENT';
  readonly details: { readonly height: number; readonly recordIndex: number; readonly reason: string };

  constructor(code: EngineError['code'], details: EngineError['details']) {
    super(
      `record ${details.recordIndex} of the agreement log of height ${details.height} ${details.reason}; ` +
        'take no part in this height until it is committed',
    );
    this.name = 'EngineError';
    this.code = code;
    this.details = details;
  }
}
