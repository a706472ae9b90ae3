/** Every layout of the chain under the same attack: one value, one encoding, and nothing else decodes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeBatch,
  decodeBlock,
  decodeCertificate,
  decodeHeader,
  decodeLogRecord,
  encodeBatch,
  encodeBlock,
  encodeCertificate,
  encodeHeader,
  encodeLogRecord,
  logRecordEncoder,
  proposalCodec,
  voteCodec,
} from '../../src/chain/index.ts';
import { CodecError, decode, encode } from '../../src/codec/index.ts';
import { decodeGenesis, encodeGenesis, GenesisError } from '../../src/genesis/index.ts';
import { WireError } from '../../src/wire/errors.ts';
import { decodeMessage, encodeMessage } from '../../src/wire/messages.ts';
import {
  batches,
  blocks,
  certificates,
  geneses,
  headers,
  logRecords,
  messages,
  proposals,
  votes,
} from '../fixtures/arbitraries.ts';

interface Layout {
  readonly name: string;
  readonly values: fc.Arbitrary<unknown>;
  readonly encode: (value: never) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => unknown;
}

const layouts: readonly Layout[] = [
  { name: 'vote', values: votes, encode: (v) => encode(voteCodec, v), decode: (b) => decode(voteCodec, b) },
  {
    name: 'proposal',
    values: proposals,
    encode: (v) => encode(proposalCodec, v),
    decode: (b) => decode(proposalCodec, b),
  },
  { name: 'certificate', values: certificates, encode: encodeCertificate, decode: decodeCertificate },
  { name: 'batch', values: batches, encode: encodeBatch, decode: decodeBatch },
  { name: 'header', values: headers, encode: encodeHeader, decode: decodeHeader },
  { name: 'block', values: blocks, encode: encodeBlock, decode: decodeBlock },
  { name: 'log record', values: logRecords, encode: encodeLogRecord, decode: decodeLogRecord },
  { name: 'message', values: messages, encode: encodeMessage, decode: decodeMessage },
];

type Mutation = (bytes: Uint8Array) => Uint8Array;

/** A changed byte, a changed bit, a byte more, a byte less, two parts swapped, a cut, an addition. */
const mutations: fc.Arbitrary<Mutation> = fc
  .record({ kind: fc.nat(6), at: fc.nat(), to: fc.nat(), byte: fc.nat(255) })
  .map(({ kind, at, to, byte }) => (bytes) => {
    const all = [...bytes];
    const i = at % Math.max(1, all.length);
    const j = to % Math.max(1, all.length);
    switch (kind) {
      case 0:
        all[i] = byte;
        break;
      case 1:
        all[i] = (all[i] ?? 0) ^ (1 << (byte % 8));
        break;
      case 2:
        all.splice(i, 0, byte);
        break;
      case 3:
        all.splice(i, 1);
        break;
      case 4:
        return Uint8Array.of(...all.slice(Math.min(i, j)), ...all.slice(0, Math.min(i, j)));
      case 5:
        all.length = i;
        break;
      default:
        all.push(byte);
    }
    return Uint8Array.from(all);
  });

/** Decodes, or fails with an error of a known kind. */
function attempt(layout: Layout, bytes: Uint8Array): { readonly value: unknown } | null {
  try {
    return { value: layout.decode(bytes) };
  } catch (error) {
    if (error instanceof CodecError || error instanceof WireError) return null;
    throw error;
  }
}

describe.each(layouts)('the layout of a $name', (layout) => {
  test('round trip', () => {
    fc.assert(
      fc.property(layout.values, (value) => {
        const bytes = layout.encode(value as never);
        expect(layout.decode(bytes)).toEqual(value);
        expect(layout.encode(layout.decode(bytes) as never)).toEqual(bytes);
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  test('changed bytes fail or are the encoding of what they decode to', () => {
    let decoded = 0;
    fc.assert(
      fc.property(layout.values, fc.array(mutations, { minLength: 1, maxLength: 3 }), (value, changes) => {
        const bytes = changes.reduce((current, change) => change(current), layout.encode(value as never));
        const outcome = attempt(layout, bytes);
        if (outcome === null) return;
        decoded += 1;
        expect(Buffer.from(layout.encode(outcome.value as never)).equals(bytes)).toBe(true);
      }),
      { numRuns: 400, seed: 2 },
    );
    // Otherwise the property said nothing.
    expect(decoded).toBeGreaterThan(20);
  });

  test('no prefix and no extension of an encoding decodes', () => {
    fc.assert(
      fc.property(layout.values, fc.uint8Array({ minLength: 1, maxLength: 8 }), (value, more) => {
        const bytes = layout.encode(value as never);
        expect(attempt(layout, Uint8Array.of(...bytes, ...more))).toBeNull();
        for (let length = 0; length < bytes.length; length += 1 + Math.floor(bytes.length / 40)) {
          expect(attempt(layout, bytes.subarray(0, length))).toBeNull();
        }
      }),
      { numRuns: 15, seed: 3 },
    );
  });

  test('random bytes decode to nothing, or to what they encode', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const outcome = attempt(layout, bytes);
        if (outcome !== null) expect(layout.encode(outcome.value as never)).toEqual(bytes);
      }),
      { numRuns: 300, seed: 4 },
    );
  });
});

test('a genesis decodes only when it is valid too, so random ones of the right form are refused by rule', () => {
  fc.assert(
    fc.property(geneses, (genesis) => {
      expect(() => decodeGenesis(encodeGenesis(genesis))).toThrow(GenesisError);
    }),
    { numRuns: 50, seed: 5 },
  );
});

test('a record that is made with the encodings of blocks at hand has the same bytes', () => {
  const encodeWith = logRecordEncoder(encodeBlock);
  fc.assert(
    fc.property(logRecords, (record) => {
      expect(encodeWith(record)).toEqual(encodeLogRecord(record));
    }),
    { numRuns: 30, seed: 5 },
  );
});
