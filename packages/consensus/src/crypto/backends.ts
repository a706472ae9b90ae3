import { createSignatureScheme, nativeSignatureFailure } from './signature-scheme.ts';
import { blstThresholdFailure, createThresholdScheme } from './threshold-scheme.ts';

export interface Backends {
  readonly signatures: 'native' | 'noble';
  readonly threshold: 'blst' | 'noble';
  readonly sha256: 'node:crypto';
  /** Why a slower implementation stands in, one sentence each; empty when the fast ones are in use. */
  readonly fallbacks: readonly string[];
}

/** Names of the cryptographic implementations in use, for a log line at start: a silent fallback costs a factor of 15 to 40. */
export function backends(): Backends {
  const fallbacks: string[] = [];
  if (nativeSignatureFailure !== null) fallbacks.push(`secp256k1 native: ${nativeSignatureFailure}`);
  if (blstThresholdFailure !== null) fallbacks.push(`blst: ${blstThresholdFailure}`);
  return {
    signatures: createSignatureScheme().name,
    threshold: createThresholdScheme().name,
    sha256: 'node:crypto',
    fallbacks,
  };
}
