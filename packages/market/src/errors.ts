/** What can go wrong in this package; each code is also a metric label. */
export type MarketErrorCode =
  | 'MARKET_INVALID_INPUT'
  | 'MARKET_INVALID_PRICES'
  | 'MARKET_UNKNOWN_WINNER'
  | 'MARKET_TOO_LARGE';

/** Where the offending value stands: the field, and the index or indices inside it. */
export interface MarketErrorDetail {
  readonly field: string;
  readonly index?: number | readonly [number, number];
  readonly value?: string;
}

/** Thrown for inputs that no market can be computed from. Nothing has been changed when it is thrown. */
export class MarketError extends Error {
  readonly code: MarketErrorCode;
  readonly detail: MarketErrorDetail;

  constructor(code: MarketErrorCode, message: string, detail: MarketErrorDetail) {
    super(message);
    this.name = 'MarketError';
    this.code = code;
    this.detail = detail;
  }
}
