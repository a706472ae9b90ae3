export type BenchErrorCode =
  /** What was asked for cannot be measured. */
  | 'BENCH_INVALID_OPTION'
  /** A program of the benchmark died or refused an order. */
  | 'BENCH_WORKER_FAILED'
  /** The peers did not find each other. */
  | 'BENCH_NO_NETWORK'
  /** Peers hold different blocks at one height. */
  | 'BENCH_DIVERGED';

/** A measurement that could not be made; the message says why and what to do. */
export class BenchError extends Error {
  readonly code: BenchErrorCode;

  constructor(code: BenchErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BenchError';
    this.code = code;
  }
}
