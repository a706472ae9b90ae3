import type { Instruments } from '../shell/instruments.ts';
import { monotonicMs } from './clock.ts';

/** What a peer is slowed by on purpose, to see whether the measurement finds it. Milliseconds each time. */
export interface Slowness {
  /** After each write to the disk. */
  readonly fsyncMs: number;
  /** In each verification of a signature. */
  readonly verifyMs: number;
  /** In each signature. */
  readonly signMs: number;
}

export const NOT_SLOWED: Slowness = { fsyncMs: 0, verifyMs: 0, signMs: 0 };

/** Instruments that slow an honest peer at its ports. */
export function slowed({ fsyncMs, verifyMs, signMs }: Slowness): Instruments {
  return {
    signatures: (scheme) => ({
      ...scheme,
      sign: (digest, secretKey) => {
        spin(signMs);
        return scheme.sign(digest, secretKey);
      },
      verify: (signature, digest, publicKey) => {
        spin(verifyMs);
        return scheme.verify(signature, digest, publicKey);
      },
    }),
    peer: (peer) => peer,
    ports: (ports) => ({
      ...ports,
      write: async (writes) => {
        await ports.write(writes);
        if (fsyncMs > 0) await new Promise((resolve) => setTimeout(resolve, fsyncMs));
      },
    }),
  };
}

/** Signatures are made and checked without a pause for other work, so a slow one blocks as well. */
function spin(ms: number): void {
  if (ms <= 0) return;
  const untilMs = monotonicMs() + ms;
  while (monotonicMs() < untilMs);
}

/** `outer` around `inner`: what the outer one measures includes what the inner one does. */
export function around(outer: Instruments, inner: Instruments): Instruments {
  return {
    signatures: (scheme) => outer.signatures(inner.signatures(scheme)),
    peer: (peer) => outer.peer(inner.peer(peer)),
    ports: (ports) => outer.ports(inner.ports(ports)),
  };
}
