import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';

/** A source of uniform draws in [0, 1). */
export interface RandomStream {
  next(): number;
}

/**
 * xoshiro128** (Blackman and Vigna) with the 128-bit state taken from SHA-256 of the seed and the purpose of the stream, as
 * four little-endian words. Streams of different purposes are independent: adding homes, days or draws for one purpose moves
 * no draw of another. A draw has 53 bits, from two outputs. For scenarios only, never for secrets or elections.
 */
export function randomStream(seed: string, ...purpose: (string | number)[]): RandomStream {
  // The length of each part stands before it, so that no two lists of parts give the same bytes.
  const parts = ['wattmesh/data/1', seed, ...purpose.map(String)];
  const digest = sha256(utf8ToBytes(parts.map((part) => `${part.length}:${part}`).join('')));
  const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
  const words = [0, 4, 8, 12].map((offset) => view.getUint32(offset, true)) as [number, number, number, number];
  const word = xoshiro128(words);
  return { next: () => ((word() >>> 5) * 67_108_864 + (word() >>> 6)) / 9_007_199_254_740_992 };
}

/** The generator itself: successive 32-bit outputs from four words of state, not all 0. */
export function xoshiro128(state: readonly [number, number, number, number]): () => number {
  let [a, b, c, d] = state;
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return result;
  };
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** A standard normal draw: the inverse distribution function of one uniform draw. */
export function drawNormal(stream: RandomStream): number {
  // The inverse is minus infinity at 0.
  return normalQuantile(Math.max(stream.next(), 2 ** -54));
}

/** Distribution function of the standard normal; absolute error below 1e-7 (erfc by the rational Chebyshev fit of Press et al.). */
export function normalCdf(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * x);
  const series = ERFC.reduceRight((sum, coefficient) => sum * t + coefficient, 0);
  const tail = 0.5 * t * Math.exp(-x * x + series);
  return z > 0 ? 1 - tail : tail;
}

const ERFC = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
  0.17087277,
];

/** Inverse of the standard normal distribution function for 0 < p < 1; relative error below 1.2e-9 (Acklam's fit). */
export function normalQuantile(p: number): number {
  const low = 0.02425;
  if (p < low) return tailQuantile(Math.sqrt(-2 * Math.log(p)));
  if (p > 1 - low) return -tailQuantile(Math.sqrt(-2 * Math.log(1 - p)));
  const q = p - 0.5;
  const r = q * q;
  return (polynomial(CENTRE_TOP, r) * q) / (polynomial(CENTRE_BOTTOM, r) * r + 1);
}

function tailQuantile(q: number): number {
  return polynomial(TAIL_TOP, q) / (polynomial(TAIL_BOTTOM, q) * q + 1);
}

function polynomial(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (const coefficient of coefficients) sum = sum * x + coefficient;
  return sum;
}

const CENTRE_TOP = [
  -3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2, -3.066479806614716e1,
  2.506628277459239,
];
const CENTRE_BOTTOM = [
  -5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1, -1.328068155288572e1,
];
const TAIL_TOP = [
  -7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734, 4.374664141464968,
  2.938163982698783,
];
const TAIL_BOTTOM = [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416];
