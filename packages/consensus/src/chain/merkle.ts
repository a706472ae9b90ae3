/**
 * Merkle trees in the shape of RFC 6962 (leaves and inner nodes hashed with different prefixes, no leaf ever doubled),
 * with one addition: the root also commits to the number of leaves, so that a proof fixes the leaf's place. Without it
 * the last leaf of a tree of three would also prove itself as the second of two.
 */
import { fromHex, isHex, toHex } from '../codec/hex.ts';
import { sha256, sha256Bytes } from '../crypto/sha256.ts';
import type { Hash } from './types.ts';

/** Stands where a block has no certificate or no payload. */
export const ZERO_HASH: Hash = '0'.repeat(64);

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);
const ROOT = Uint8Array.of(2);
const MAX_LEAVES = 0xffff_ffff;

/** Root over leaves in order; the empty list has a root too. */
export function merkleRoot(leaves: readonly Uint8Array[]): Hash {
  return rootOf(leaves.length, leaves.length === 0 ? new Uint8Array() : subtree(leaves.map(leafHash)));
}

/**
 * Hashes beside the path from leaf `index` to the root, from the bottom up.
 * @throws RangeError when there is no such leaf.
 */
export function merkleProof(leaves: readonly Uint8Array[], index: number): readonly Hash[] {
  if (!Number.isInteger(index) || index < 0 || index >= leaves.length) {
    throw new RangeError(`a proof needs an index below the number of leaves ${leaves.length}, got ${index}`);
  }
  const proof: Hash[] = [];
  let hashes = leaves.map(leafHash);
  let at = index;
  const siblings: Hash[] = [];
  while (hashes.length > 1) {
    const split = splitAt(hashes.length);
    const left = at < split;
    siblings.push(toHex(subtree(left ? hashes.slice(split) : hashes.slice(0, split))));
    hashes = left ? hashes.slice(0, split) : hashes.slice(split);
    if (!left) at -= split;
  }
  proof.push(...siblings.reverse());
  return proof;
}

/** Whether `leaf` is leaf number `index` of exactly `count` under `root`. False for every malformed input. */
export function verifyMerkleProof(
  root: Hash,
  leaf: Uint8Array,
  index: number,
  count: number,
  proof: readonly Hash[],
): boolean {
  if (!Number.isInteger(count) || count < 1 || count > MAX_LEAVES) return false;
  if (!Number.isInteger(index) || index < 0 || index >= count) return false;
  if (!proof.every((sibling) => isHex(sibling, 32))) return false;
  const turns = turnsTo(index, count);
  if (turns.length !== proof.length) return false;
  let path = leafHash(leaf);
  turns.forEach((left, i) => {
    const sibling = fromHex(proof[i] as Hash);
    path = left ? sha256Bytes(NODE, path, sibling) : sha256Bytes(NODE, sibling, path);
  });
  return rootOf(count, path) === root;
}

/** From the bottom up: whether the path's node is the left child. */
function turnsTo(index: number, count: number): readonly boolean[] {
  const turns: boolean[] = [];
  let at = index;
  let size = count;
  while (size > 1) {
    const split = splitAt(size);
    const left = at < split;
    turns.push(left);
    if (!left) at -= split;
    size = left ? split : size - split;
  }
  return turns.reverse();
}

/** Largest power of two below `size`. */
function splitAt(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

function leafHash(leaf: Uint8Array): Uint8Array {
  return sha256Bytes(LEAF, leaf);
}

function subtree(hashes: readonly Uint8Array[]): Uint8Array {
  // Level by level, an odd last node moving up unchanged, gives the same tree as splitting at powers of two.
  let level = hashes;
  while (level.length > 1) {
    const above: Uint8Array[] = [];
    for (let i = 0; i + 1 < level.length; i += 2) {
      above.push(sha256Bytes(NODE, level[i] as Uint8Array, level[i + 1] as Uint8Array));
    }
    if (level.length % 2 === 1) above.push(level[level.length - 1] as Uint8Array);
    level = above;
  }
  return level[0] as Uint8Array;
}

function rootOf(count: number, tree: Uint8Array): Hash {
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, count);
  return sha256(ROOT, size, tree);
}
