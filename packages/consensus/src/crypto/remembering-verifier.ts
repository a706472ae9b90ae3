import type { Hash } from '../chain/types.ts';
import { sha256 } from './sha256.ts';

type Verify = (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array) => boolean;

/**
 * The same verdicts as `verify` (a pure function of signatures and keys of fixed length), with the newest `capacity`
 * successes remembered. A beacon share arrives with its vote, in the bundle and in the next block's certificate: at over
 * 1 ms each, verifying it once instead of three times is worth the memory. Failures are not kept, so that nobody can
 * push valid shares out with garbage.
 */
export function rememberingVerifier(verify: Verify, capacity: number): Verify {
  const verified = new Set<Hash>();
  return (signature, message, publicKey) => {
    // Two parts of fixed length and one of any: unambiguous when joined.
    const key = sha256(signature, publicKey, message);
    if (verified.has(key)) return true;
    if (!verify(signature, message, publicKey)) return false;
    verified.add(key);
    if (verified.size > capacity) {
      // Sets iterate in the order of insertion.
      const oldest = verified.values().next();
      if (!oldest.done) verified.delete(oldest.value);
    }
    return true;
  };
}
