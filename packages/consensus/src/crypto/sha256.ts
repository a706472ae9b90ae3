/**
 * SHA-256 and domain tags.
 *
 * The one file of the package that imports a Node module: `crypto.hash` runs 9 times as fast as the portable
 * implementation at 100 KB and wins on every input above 64 bytes, and hashing is on the path of every transaction,
 * vote and block. It is a pure function all the same; the tests compare it with `@noble/hashes`.
 */
import { hash } from 'node:crypto';
import type { Hash } from '../chain/types.ts';
import { fromHex } from '../codec/hex.ts';

/** Where short parts are joined: nearly all that is hashed is a tag and a few hundred bytes, read before anything else runs. */
const DESK = new Uint8Array(1_024);
/** Its first bytes, by their number. */
const DESK_VIEWS: Uint8Array[] = [];

function deskOf(length: number): Uint8Array {
  if (length > DESK.length) return new Uint8Array(length);
  DESK_VIEWS[length] ??= DESK.subarray(0, length);
  return DESK_VIEWS[length];
}

/** The concatenation; valid until the next call. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0] as Uint8Array;
  let length = 0;
  for (const part of parts) length += part.length;
  const all = deskOf(length);
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

/** SHA-256 of the concatenated parts. */
export function sha256(...parts: readonly Uint8Array[]): Hash {
  return hash('sha256', joined(parts), 'hex');
}

/** SHA-256 of the concatenated parts, as 32 bytes. */
export function sha256Bytes(...parts: readonly Uint8Array[]): Uint8Array {
  // By way of hex: for 32 bytes that is half of what a Node buffer costs.
  return fromHex(hash('sha256', joined(parts), 'hex'));
}

/** What a digest can be of. A signature or hash made for one domain means nothing in another. */
export const HASH_DOMAINS = [
  'genesis',
  'block',
  'vote',
  'proposal',
  'transaction',
  'batch',
  'transaction-id',
  'announcement',
  'reading',
  'action',
  'payment',
  'model-update',
  'evidence',
  'beacon',
  'beacon-dealer',
  'state',
] as const;
export type HashDomain = (typeof HASH_DOMAINS)[number];

// The NUL keeps the tags prefix-free: no tag followed by data can look like another tag followed by other data.
const TAGS = new Map<string, Uint8Array>(
  HASH_DOMAINS.map((domain) => [domain, new TextEncoder().encode(`wattmesh/${domain}\0`)]),
);

function tagOf(domain: HashDomain): Uint8Array {
  const tag = TAGS.get(domain);
  if (tag === undefined) throw new RangeError(`no hash domain is called ${JSON.stringify(domain)}`);
  return tag;
}

/** SHA-256 over the domain's tag and the concatenated parts. The parts themselves must be unambiguous when joined. */
export function taggedHash(domain: HashDomain, ...parts: readonly Uint8Array[]): Hash {
  return sha256(tagOf(domain), ...parts);
}

/** `taggedHash` as 32 bytes. */
export function taggedHashBytes(domain: HashDomain, ...parts: readonly Uint8Array[]): Uint8Array {
  return sha256Bytes(tagOf(domain), ...parts);
}
