import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { requireInput } from './frl-error.ts';

/** Port: where this package takes its randomness from. */
export interface Rng {
  /** Next integer in [0, 2^32). */
  uint32(): number;
  /** Next float in [0, 1) with 53 random bits. */
  uniform(): number;
  /** Next standard normal deviate. */
  normal(): number;
}

/**
 * xoshiro128** 1.1 (Blackman and Vigna). Consumes two words per `uniform` and two per `normal`, always, so that the
 * position of a stream does not depend on the values drawn.
 *
 * `state`: four 32-bit words, not all zero (`FRL_INVALID_INPUT` otherwise).
 */
export function createXoshiro128(state: readonly [number, number, number, number]): Rng {
  let [a, b, c, d] = [state[0] >>> 0, state[1] >>> 0, state[2] >>> 0, state[3] >>> 0];
  requireInput((a | b | c | d) !== 0, 'xoshiro128** needs a state that is not all zero');

  const uint32 = (): number => {
    const scrambled = Math.imul(b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result;
  };
  const mantissa = (): number => {
    const high = uint32() >>> 5;
    const low = uint32() >>> 6;
    return high * 0x4000000 + low;
  };
  return {
    uint32,
    uniform: () => mantissa() / 0x20000000000000,
    // The half keeps the argument strictly inside (0, 1), where the quantile function is finite.
    normal: () => normalQuantile((mantissa() + 0.5) / 0x20000000000000),
  };
}

/**
 * The independent stream named by `labels` under `seed`: its state is the first 16 bytes of
 * SHA-256(`wattmesh-frl|seed|label|...`). A stream is a function of its name alone, so a resumed run needs no saved
 * generator state: it asks for the stream of the round it resumes at.
 */
export function streamRng(seed: number | string, ...labels: readonly (number | string)[]): Rng {
  const digest = sha256(utf8ToBytes(['wattmesh-frl', seed, ...labels].join('|')));
  const words = new DataView(digest.buffer, digest.byteOffset, 16);
  return createXoshiro128([words.getUint32(0), words.getUint32(4), words.getUint32(8), words.getUint32(12)]);
}

/** Uniform permutation of 0..count-1 (Fisher-Yates), written into `order`. */
export function shuffleIndexes(order: Int32Array, count: number, rng: Rng): void {
  for (let i = 0; i < count; i++) order[i] = i;
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(rng.uniform() * (i + 1));
    const swapped = order[i] as number;
    order[i] = order[j] as number;
    order[j] = swapped;
  }
}

/** Horner evaluation; coefficients from the highest power down. */
function polynomial(x: number, coefficients: readonly number[]): number {
  let sum = 0;
  for (const coefficient of coefficients) sum = sum * x + coefficient;
  return sum;
}

const CENTRE_NUMERATOR = [
  2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946, 1971.5909503065513,
  133.14166789178438, 3.3871328727963665,
];
const CENTRE_DENOMINATOR = [
  5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751, 687.1870074920579,
  42.31333070160091, 1,
];
const MIDDLE_NUMERATOR = [
  0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684, 3.6478483247632045,
  5.769497221460691, 4.630337846156546, 1.4234371107496835,
];
const MIDDLE_DENOMINATOR = [
  1.0507500716444169e-9, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008, 0.6897673349851,
  1.6763848301838038, 2.053191626637759, 1,
];
const TAIL_NUMERATOR = [
  2.0103343992922881e-7, 0.000027115555687434876, 0.0012426609473880784, 0.026532189526576124, 0.29656057182850487,
  1.7848265399172913, 5.463784911164114, 6.657904643501103,
];
const TAIL_DENOMINATOR = [
  2.0442631033899397e-15, 1.421511758316446e-7, 0.000018463183175100548, 0.0007868691311456133, 0.014875361290850615,
  0.1369298809227358, 0.599832206555888, 1,
];

/**
 * Inverse of the standard normal distribution function, 0 < p < 1: Wichura's algorithm AS 241 (PPND16), about 16
 * digits. One uniform gives one normal, so no spare deviate has to be carried in a checkpoint.
 */
export function normalQuantile(p: number): number {
  const centred = p - 0.5;
  if (Math.abs(centred) <= 0.425) {
    const r = 0.180625 - centred * centred;
    return (centred * polynomial(r, CENTRE_NUMERATOR)) / polynomial(r, CENTRE_DENOMINATOR);
  }
  const r = Math.sqrt(-Math.log(centred < 0 ? p : 1 - p));
  const magnitude =
    r <= 5
      ? polynomial(r - 1.6, MIDDLE_NUMERATOR) / polynomial(r - 1.6, MIDDLE_DENOMINATOR)
      : polynomial(r - 5, TAIL_NUMERATOR) / polynomial(r - 5, TAIL_DENOMINATOR);
  return centred < 0 ? -magnitude : magnitude;
}
