import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  blockHash,
  decodeBlock,
  decodeHeader,
  encodeBlock,
  encodeHeader,
  evidenceBytes,
  MAX_BLOCK_BYTES,
  payloadHash,
  ZERO_HASH,
} from '../../src/chain/index.ts';
import type { BlockHeader } from '../../src/chain/types.ts';
import { toHex } from '../../src/codec/index.ts';
import { blocks, headers } from '../fixtures/arbitraries.ts';
import { errorCode } from '../fixtures/error-code.ts';

const header: BlockHeader = {
  chainId: '01'.repeat(32),
  height: 2 ** 33 + 5,
  parentHash: '02'.repeat(32),
  term: 6,
  slot: 7,
  kind: 'settlement',
  composer: 258,
  composingRound: 9,
  chainTimeMs: 1_700_000_000_000,
  certificateHash: '03'.repeat(32),
  seedSignature: '04'.repeat(96),
  transactionsRoot: '05'.repeat(32),
  payloadHash: '06'.repeat(32),
  evidenceRoot: '08'.repeat(32),
  stateRoot: '07'.repeat(32),
};

/** Written out by hand: a change of the layout is a change of every hash, and must be made here, too. */
const HEADER_BYTES = [
  '01'.repeat(32),
  '0000000200000005',
  '02'.repeat(32),
  '0000000000000006',
  '0000000000000007',
  '02',
  '0102',
  '00000009',
  '0000018bcfe56800',
  '03'.repeat(32),
  `01${'04'.repeat(96)}`,
  '05'.repeat(32),
  '06'.repeat(32),
  '08'.repeat(32),
  '07'.repeat(32),
].join('');

test('a header has the documented bytes, and its hash is theirs under the tag', () => {
  expect(toHex(encodeHeader(header))).toBe(HEADER_BYTES);
  const tagged = Buffer.concat([Buffer.from('wattmesh/block\0'), Buffer.from(HEADER_BYTES, 'hex')]);
  expect(blockHash(header)).toBe(createHash('sha256').update(tagged).digest('hex'));
  expect(decodeHeader(encodeHeader(header))).toEqual(header);
});

test('the hash covers every field', () => {
  const fields = Object.keys(header) as (keyof BlockHeader)[];
  fc.assert(
    fc.property(headers, headers, (a, b) => {
      for (const field of fields) {
        const changed = { ...a, [field]: b[field] };
        expect(blockHash(changed) === blockHash(a)).toBe(a[field] === b[field]);
      }
    }),
    { numRuns: 20, seed: 1 },
  );
});

describe('a block', () => {
  test('is its header followed by its body', () => {
    fc.assert(
      fc.property(blocks, (block) => {
        const bytes = encodeBlock(block);
        expect(decodeBlock(bytes)).toEqual(block);
        expect(toHex(bytes).startsWith(toHex(encodeHeader(block.header)))).toBe(true);
        const evidence = 4 + evidenceBytes(block.evidence);
        const payload = bytes.subarray(bytes.length - evidence - block.payload.length, bytes.length - evidence);
        expect(toHex(payload)).toBe(toHex(block.payload));
      }),
      { numRuns: 30, seed: 2 },
    );
  });

  test('has a bounded payload', () => {
    const block = {
      header,
      parentCertificate: null,
      batches: [],
      evidence: [],
      payload: new Uint8Array(MAX_BLOCK_BYTES + 1),
    };
    expect(errorCode(() => encodeBlock(block))).toBe('CODEC_LIMIT');
  });

  test('commits to its payload by SHA-256, and to none by 64 zeros', () => {
    const payload = Uint8Array.of(1, 2, 3);
    expect(payloadHash(payload)).toBe(createHash('sha256').update(payload).digest('hex'));
    expect(payloadHash(new Uint8Array())).toBe(ZERO_HASH);
  });
});
