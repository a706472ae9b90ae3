/** Keys and small values of the chain database. Heights are hex of fixed width, so that keys sort by height. */

export const META = { format: 'meta/format', chain: 'meta/chain', head: 'meta/head' } as const;

export type HeightKind = 'block' | 'certificate' | 'state';
const PREFIX: Readonly<Record<HeightKind, string>> = { block: 'b', certificate: 'c', state: 's' };

export function heightKey(kind: HeightKind, height: number): string {
  return `${PREFIX[kind]}/${height.toString(16).padStart(10, '0')}`;
}

export function heightOfKey(key: string): number {
  return Number.parseInt(key.slice(2), 16);
}

/** First key of a kind, and the first key after it. */
export function keysOf(kind: HeightKind | 'hash' | 'transaction'): { readonly gte: string; readonly lt: string } {
  const prefix = kind === 'hash' ? 'h' : kind === 'transaction' ? 't' : PREFIX[kind];
  return { gte: `${prefix}/`, lt: `${prefix}0` };
}

export function hashKey(hash: string): string {
  return `h/${hash}`;
}

export function transactionKey(id: string): string {
  return `t/${id}`;
}

export function encodeNumbers(...values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(8 * values.length);
  for (const [k, value] of values.entries()) bytes.writeBigUInt64BE(BigInt(value), 8 * k);
  return bytes;
}

/** The `k`-th number; NaN when there is none. */
export function decodeNumber(bytes: Uint8Array, k = 0): number {
  if (bytes.length < 8 * k + 8) return Number.NaN;
  return Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(8 * k));
}
