/**
 * `CRYPTO_BACKEND_UNAVAILABLE`: the implementation that was asked for is not installed or failed its self-test.
 * `CRYPTO_SECRET_KEY`: a secret key or key share is not a scalar in range. `CRYPTO_DIGEST`: a digest to be signed is
 * not 32 bytes. `CRYPTO_SHARES`: shares that cannot be combined. `CRYPTO_DEAL`: impossible parameters for dealing keys.
 */
export type CryptoErrorCode =
  | 'CRYPTO_BACKEND_UNAVAILABLE'
  | 'CRYPTO_SECRET_KEY'
  | 'CRYPTO_DIGEST'
  | 'CRYPTO_SHARES'
  | 'CRYPTO_DEAL';

/** Misuse of a cryptographic function by its caller. Bad input from other peers never throws: it does not verify. */
export class CryptoError extends Error {
  readonly code: CryptoErrorCode;

  constructor(code: CryptoErrorCode, reason: string) {
    super(`${code}: ${reason}`);
    this.name = 'CryptoError';
    this.code = code;
  }
}
