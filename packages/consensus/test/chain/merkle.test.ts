import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { merkleProof, merkleRoot, verifyMerkleProof } from '../../src/chain/index.ts';
import { fromHex, toHex } from '../../src/codec/index.ts';

const digest = (...parts: Uint8Array[]) => new Uint8Array(createHash('sha256').update(Buffer.concat(parts)).digest());

/** RFC 6962, section 2.1, word for word. */
function rfc6962(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 1) return digest(Uint8Array.of(0), leaves[0] as Uint8Array);
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return digest(Uint8Array.of(1), rfc6962(leaves.slice(0, k)), rfc6962(leaves.slice(k)));
}

const leavesOf = (count: number) => Array.from({ length: count }, (_, i) => new TextEncoder().encode(`leaf ${i}`));

test('the root is the tree of RFC 6962 under a prefix and the number of leaves', () => {
  for (let count = 1; count <= 40; count++) {
    const leaves = leavesOf(count);
    const size = Uint8Array.of(0, 0, 0, count);
    expect(merkleRoot(leaves)).toBe(toHex(digest(Uint8Array.of(2), size, rfc6962(leaves))));
  }
  expect(merkleRoot([])).toBe(toHex(digest(Uint8Array.of(2, 0, 0, 0, 0))));
});

test('RFC 6962 reference vector: the inner tree of the eight published leaves', () => {
  const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
  expect(toHex(rfc6962(leaves.map(fromHex)))).toBe('5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328');
});

describe('proofs', () => {
  test('prove every leaf of every small tree at its place', () => {
    for (let count = 1; count <= 20; count++) {
      const leaves = leavesOf(count);
      const root = merkleRoot(leaves);
      leaves.forEach((leaf, index) => {
        const proof = merkleProof(leaves, index);
        expect(verifyMerkleProof(root, leaf, index, count, proof)).toBe(true);
        expect(proof.length).toBeLessThanOrEqual(Math.ceil(Math.log2(count)));
      });
    }
  });

  test('prove no leaf at another place, in a tree of another size, or with any part changed', () => {
    for (let count = 1; count <= 12; count++) {
      const leaves = leavesOf(count);
      const root = merkleRoot(leaves);
      for (let index = 0; index < count; index++) {
        const leaf = leaves[index] as Uint8Array;
        const proof = merkleProof(leaves, index);
        for (let other = 0; other <= 14; other++) {
          for (let size = 0; size <= 14; size++) {
            const verified = verifyMerkleProof(root, leaf, other, size, proof);
            expect(verified).toBe(other === index && size === count);
          }
        }
        expect(verifyMerkleProof(root, Uint8Array.of(...leaf, 0), index, count, proof)).toBe(false);
        expect(verifyMerkleProof(`${root.slice(0, -1)}x`, leaf, index, count, proof)).toBe(false);
        expect(verifyMerkleProof(root, leaf, index, count, [...proof, root])).toBe(false);
        if (proof.length > 0) expect(verifyMerkleProof(root, leaf, index, count, proof.slice(1))).toBe(false);
        proof.forEach((sibling, i) => {
          const flipped = (sibling[0] === '0' ? '1' : '0') + sibling.slice(1);
          expect(verifyMerkleProof(root, leaf, index, count, proof.with(i, flipped))).toBe(false);
          // Uppercase would be a second spelling, anything else is no hash.
          for (const wrong of [`${sibling.slice(0, -1)}A`, '', sibling.slice(2)]) {
            expect(verifyMerkleProof(root, leaf, index, count, proof.with(i, wrong))).toBe(false);
          }
        });
      }
    }
  });

  test('refuse numbers that are no places', () => {
    const [leaf] = leavesOf(1) as [Uint8Array];
    const root = merkleRoot([leaf]);
    for (const [index, count] of [
      [-1, 1],
      [0.5, 1],
      [0, 0],
      [0, 2 ** 32],
      [Number.NaN, 1],
      [0, Number.POSITIVE_INFINITY],
    ] as const) {
      expect(verifyMerkleProof(root, leaf, index, count, [])).toBe(false);
    }
    for (const index of [-1, 1, 0.5]) expect(() => merkleProof([leaf], index)).toThrow(RangeError);
  });
});

describe('no two lists share a root', () => {
  test('the last leaf twice is another list (the flaw of trees that double it)', () => {
    for (let count = 1; count <= 16; count++) {
      const leaves = leavesOf(count);
      const repeated = [...leaves, leaves[count - 1] as Uint8Array];
      expect(merkleRoot(repeated)).not.toBe(merkleRoot(leaves));
    }
  });

  test('an inner node is no leaf', () => {
    const [a, b] = leavesOf(2) as [Uint8Array, Uint8Array];
    const inner = Uint8Array.of(...digest(Uint8Array.of(0), a), ...digest(Uint8Array.of(0), b));
    expect(merkleRoot([inner])).not.toBe(merkleRoot([a, b]));
    expect(merkleRoot([Uint8Array.of(1, ...inner)])).not.toBe(merkleRoot([a, b]));
    expect(verifyMerkleProof(merkleRoot([a, b]), inner, 0, 1, [])).toBe(false);
  });

  test('order, splits and additions matter', () => {
    const small = fc.array(fc.uint8Array({ maxLength: 3 }), { maxLength: 6 });
    fc.assert(
      fc.property(small, small, (first, second) => {
        const same = JSON.stringify(first) === JSON.stringify(second);
        expect(merkleRoot(first) === merkleRoot(second)).toBe(same);
      }),
      { numRuns: 500, seed: 1 },
    );
  });
});
