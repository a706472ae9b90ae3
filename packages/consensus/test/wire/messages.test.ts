import { describe, expect, test } from 'vitest';
import { MAX_BLOCK_BYTES } from '../../src/chain/index.ts';
import { toHex } from '../../src/codec/index.ts';
import {
  decodeMessage,
  encodeMessage,
  MAX_CONTRIBUTION_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_RANGE_BLOCKS,
  type Message,
} from '../../src/wire/messages.ts';
import { errorCode } from '../fixtures/error-code.ts';
import { testCertificate, testNetwork } from '../fixtures/network.ts';

const network = testNetwork({ members: 4 });
const hash = 'ab'.repeat(32);
const { votes } = testCertificate(network, { height: 3, round: 0, blockHash: hash }, 2);
const proposal = { height: 3, round: 1, blockHash: hash, polRound: 0, proposer: 1, signature: '11'.repeat(64) };
const batch = {
  chainId: network.chainId,
  sender: network.signers[0]?.publicKey as string,
  firstNonce: 0,
  operations: [{ type: 'stake' as const, amount: 1n }],
  signature: '22'.repeat(64),
};
const bytes = Uint8Array.of(1, 2, 3);

/** In the order of their numbers on the wire, which must not change. */
const messages: readonly Message[] = [
  { type: 'proposal', proposal, block: bytes, polVotes: votes },
  { type: 'votes', votes },
  { type: 'batch', batch },
  { type: 'contribution', bytes },
  { type: 'status', height: 8 },
  { type: 'get-blocks', from: 5, count: 64 },
  { type: 'blocks', items: [{ block: bytes, certificate: bytes }] },
  { type: 'get-block', height: 5, hash },
  { type: 'block', block: bytes },
  { type: 'evidence', item: { type: 'omitted', hash } },
  { type: 'get-contribution', key: 'announcement/3/1' },
  { type: 'get-batch', hash },
  { type: 'batches', batches: [batch, { ...batch, firstNonce: 1 }] },
  { type: 'get-blobs', hashes: [hash] },
  { type: 'blob', bytes },
];

test.each(messages.map((message, kind) => ({ message, kind })))('$message.type is kind $kind', ({ message, kind }) => {
  const encoded = encodeMessage(message);
  expect(encoded[0]).toBe(kind);
  expect(decodeMessage(encoded)).toEqual(message);
});

test('short messages have the documented bytes', () => {
  expect(toHex(encodeMessage({ type: 'status', height: 8 }))).toBe('040000000000000008');
  expect(toHex(encodeMessage({ type: 'get-blocks', from: 5, count: 64 }))).toBe('05000000000000000540');
  expect(toHex(encodeMessage({ type: 'contribution', bytes }))).toBe('0300000003010203');
});

test('kinds that no message has are named as such', () => {
  for (let kind = messages.length; kind < 256; kind++) {
    expect(errorCode(() => decodeMessage(Uint8Array.of(kind, 0, 0)))).toBe('WIRE_UNKNOWN_KIND');
  }
  expect(errorCode(() => decodeMessage(new Uint8Array()))).toBe('CODEC_TRUNCATED');
  expect(errorCode(() => encodeMessage({ type: 'hello' } as never))).toBe('CODEC_TAG');
});

describe('limits', () => {
  test.each<[string, Message]>([
    ['a contribution', { type: 'contribution', bytes: new Uint8Array(MAX_CONTRIBUTION_BYTES + 1) }],
    ['a block', { type: 'block', block: new Uint8Array(MAX_BLOCK_BYTES + 1) }],
    ['a range', { type: 'blocks', items: Array(MAX_RANGE_BLOCKS + 1).fill({ block: bytes, certificate: bytes }) }],
    ['an empty range', { type: 'blocks', items: [] }],
    ['no votes', { type: 'votes', votes: [] }],
    ['many votes', { type: 'votes', votes: Array(1025).fill(votes[0]) }],
  ])('%s out of bounds is not encoded', (_, message) => {
    expect(errorCode(() => encodeMessage(message))).toBe('CODEC_LIMIT');
  });

  test('a request asks for 1 to 64 blocks', () => {
    for (const count of [0, 65, 255]) {
      expect(errorCode(() => encodeMessage({ type: 'get-blocks', from: 1, count }))).toBe('CODEC_RULE');
      const encoded = Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0, 1, count);
      expect(errorCode(() => decodeMessage(encoded))).toBe('CODEC_RULE');
    }
  });

  test('the largest of each fits; what exceeds a message as a whole is refused on both ends', () => {
    const contribution = encodeMessage({ type: 'contribution', bytes: new Uint8Array(MAX_CONTRIBUTION_BYTES) });
    expect(decodeMessage(contribution).type).toBe('contribution');
    expect(encodeMessage({ type: 'block', block: new Uint8Array(MAX_BLOCK_BYTES) }).length).toBeLessThan(
      MAX_MESSAGE_BYTES,
    );
    const item = { block: new Uint8Array(2_100_000), certificate: bytes };
    expect(errorCode(() => encodeMessage({ type: 'blocks', items: [item, item] }))).toBe('WIRE_TOO_LARGE');
    expect(errorCode(() => decodeMessage(new Uint8Array(MAX_MESSAGE_BYTES + 1)))).toBe('WIRE_TOO_LARGE');
  });

  test('a length that promises more than there is does not cost more than there is', () => {
    // kind, count 64, then the first block's length of 3,500,000 with nothing behind it
    const encoded = Uint8Array.of(6, 0, 0, 0, 64, 0, 0x35, 0x67, 0xe0);
    expect(errorCode(() => decodeMessage(encoded))).toBe('CODEC_TRUNCATED');
  });
});
