import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ascii,
  bool,
  bytes,
  type Codec,
  CodecError,
  type CodecErrorCode,
  checked,
  decode,
  encode,
  enumeration,
  fromHex,
  hex,
  i64,
  isHex,
  list,
  mapped,
  option,
  recurringHex,
  struct,
  toHex,
  u8,
  u16,
  u32,
  u53,
  u64,
  union,
} from '../../src/codec/index.ts';

function errorOf(run: () => unknown): { code: CodecErrorCode; path: string } {
  try {
    run();
  } catch (error) {
    if (error instanceof CodecError) return { code: error.code, path: error.path };
    throw error;
  }
  throw new Error('nothing was thrown');
}

const refusesToEncode = <T>(codec: Codec<T>, value: unknown) => errorOf(() => encode(codec, value as T)).code;
const refusesToDecode = <T>(codec: Codec<T>, digits: string) => errorOf(() => decode(codec, fromHex(digits))).code;

test('hex of values that come again and again reads as hex of any others, however often and after whatever else', () => {
  const plain = hex(33);
  const recurring = recurringHex(33);
  // Few last bytes, so that values take each other's places.
  const value = fc
    .tuple(fc.uint8Array({ minLength: 31, maxLength: 31 }), fc.nat({ max: 1 }), fc.nat({ max: 1 }))
    .map(([start, a, b]) => Uint8Array.from([...start, 2 * a, b]));
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat({ max: 7 }), { maxLength: 30 }),
      (values, turns) => {
        for (const turn of turns) {
          const bytes = values[turn % values.length]!.slice();
          expect(decode(recurring, bytes)).toBe(decode(plain, bytes));
          bytes.fill(0);
        }
      },
    ),
  );
  expect(refusesToDecode(recurring, '00'.repeat(32))).toBe('CODEC_TRUNCATED');
});

describe('integers', () => {
  test('are big-endian and of fixed size', () => {
    expect(toHex(encode(u8, 0xab))).toBe('ab');
    expect(toHex(encode(u16, 0xab))).toBe('00ab');
    expect(toHex(encode(u32, 0xabcdef))).toBe('00abcdef');
    expect(toHex(encode(u53, Number.MAX_SAFE_INTEGER))).toBe('001fffffffffffff');
    expect(toHex(encode(u53, 2 ** 32))).toBe('0000000100000000');
    expect(toHex(encode(u64, 2n ** 64n - 1n))).toBe('ffffffffffffffff');
    expect(toHex(encode(i64, -1n))).toBe('ffffffffffffffff');
    expect(toHex(encode(i64, -(2n ** 63n)))).toBe('8000000000000000');
  });

  test.each<[string, Codec<number>, number]>([
    ['u8', u8, 2 ** 8 - 1],
    ['u16', u16, 2 ** 16 - 1],
    ['u32', u32, 2 ** 32 - 1],
    ['u53', u53, 2 ** 53 - 1],
  ])('%s refuses what is not an integer in range instead of wrapping it', (_, codec, max) => {
    expect(decode(codec, encode(codec, max))).toBe(max);
    for (const wrong of [max + 1, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, -0]) {
      expect(refusesToEncode(codec, wrong)).toBe('CODEC_RANGE');
    }
    expect(refusesToEncode(codec, 1n)).toBe('CODEC_TYPE');
    expect(refusesToEncode(codec, '1')).toBe('CODEC_TYPE');
    expect(refusesToEncode(codec, undefined)).toBe('CODEC_TYPE');
  });

  test('64-bit integers refuse what would wrap', () => {
    for (const wrong of [2n ** 64n, -1n]) expect(refusesToEncode(u64, wrong)).toBe('CODEC_RANGE');
    for (const wrong of [2n ** 63n, -(2n ** 63n) - 1n]) expect(refusesToEncode(i64, wrong)).toBe('CODEC_RANGE');
    expect(refusesToEncode(u64, 1)).toBe('CODEC_TYPE');
  });

  test('u53 refuses bytes above 2^53 - 1, which no number could hold exactly', () => {
    expect(refusesToDecode(u53, '0020000000000000')).toBe('CODEC_RANGE');
    expect(refusesToDecode(u53, 'ffffffffffffffff')).toBe('CODEC_RANGE');
  });
});

describe('bytes and text', () => {
  test('hex has one spelling', () => {
    expect(refusesToEncode(hex(2), 'ABCD')).toBe('CODEC_RANGE');
    expect(refusesToEncode(hex(2), 'ab')).toBe('CODEC_RANGE');
    expect(refusesToEncode(hex(2), 'abc')).toBe('CODEC_RANGE');
    expect(refusesToEncode(hex(2), 'abcdef')).toBe('CODEC_RANGE');
    expect(refusesToEncode(hex(2), 'ab c')).toBe('CODEC_RANGE');
    expect(refusesToEncode(hex(2), 'abç0')).toBe('CODEC_RANGE');
    expect(refusesToEncode(hex(2), null)).toBe('CODEC_TYPE');
    expect(() => fromHex('ABCD')).toThrow(RangeError);
    expect(() => fromHex('abc')).toThrow(RangeError);
    expect([isHex('abcd', 2), isHex('abcd', 3), isHex('abcg', 2), isHex('ABCD', 2), isHex(7, 2)]).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (raw) => {
        expect(toHex(raw)).toBe(Buffer.from(raw).toString('hex'));
        expect(fromHex(toHex(raw))).toEqual(raw);
      }),
    );
  });

  test('limits hold before anything is read or copied', () => {
    expect(refusesToEncode(bytes(3), new Uint8Array(4))).toBe('CODEC_LIMIT');
    expect(refusesToDecode(bytes(3), '0000000401020304')).toBe('CODEC_LIMIT');
    expect(refusesToDecode(bytes(2 ** 32), 'ffffffff')).toBe('CODEC_TRUNCATED');
    expect(refusesToEncode(bytes(3), [1, 2])).toBe('CODEC_TYPE');
    expect(refusesToEncode(ascii(3), 'abcd')).toBe('CODEC_LIMIT');
    expect(refusesToDecode(ascii(3), '0461626364')).toBe('CODEC_LIMIT');
  });

  test('text is printable ASCII', () => {
    expect(decode(ascii(9), encode(ascii(9), 'Wattmesh~'))).toBe('Wattmesh~');
    for (const wrong of ['\n', 'é', '\u007f', '\u{1f600}'])
      expect(refusesToEncode(ascii(9), wrong)).toBe('CODEC_RANGE');
    expect(refusesToDecode(ascii(9), '010a')).toBe('CODEC_RANGE');
    expect(refusesToDecode(ascii(9), '0180')).toBe('CODEC_RANGE');
    expect(refusesToEncode(ascii(9), 5)).toBe('CODEC_TYPE');
  });

  test('decoded bytes do not alias the input, whether a plain array, a view or a Node buffer', () => {
    const stored = encode(bytes(8), Uint8Array.of(1, 2, 3));
    const padded = Uint8Array.of(99, ...stored, 99);
    for (const input of [stored.slice(), padded.subarray(1, -1), Buffer.from(stored)]) {
      const value = decode(bytes(8), input);
      input.fill(0);
      expect([...value]).toEqual([1, 2, 3]);
    }
  });
});

describe('combinators', () => {
  const shape = union<{ type: 'dot' } | { type: 'line'; length: number }>({
    dot: struct({}),
    line: struct({ length: u8 }),
  });
  const record = struct<{ flag: boolean; kind: 'a' | 'b'; maybe: number | null; items: readonly { size: bigint }[] }>({
    flag: bool,
    kind: enumeration(['a', 'b']),
    maybe: option(u16),
    items: list(struct<{ size: bigint }>({ size: u64 }), 3, 1),
  });
  const value = { flag: true, kind: 'b' as const, maybe: 7, items: [{ size: 1n }] };

  test('lay fields out in order with nothing between them', () => {
    expect(toHex(encode(record, value))).toBe('01' + '01' + '010007' + '00000001' + '0000000000000001');
    expect(toHex(encode(record, { ...value, maybe: null }))).toBe('01' + '01' + '00' + '00000001' + '0000000000000001');
    expect(toHex(encode(shape, { type: 'line', length: 5 }))).toBe('0105');
    expect(decode(shape, fromHex('00'))).toEqual({ type: 'dot' });
  });

  test('refuse every second spelling of a flag, a name or a variant', () => {
    expect(refusesToDecode(bool, '02')).toBe('CODEC_TAG');
    expect(refusesToDecode(option(u8), '0200')).toBe('CODEC_TAG');
    expect(refusesToDecode(enumeration(['a', 'b']), '02')).toBe('CODEC_TAG');
    expect(refusesToDecode(shape, '02')).toBe('CODEC_TAG');
    expect(refusesToEncode(enumeration(['a', 'b']), 'c')).toBe('CODEC_TAG');
    expect(refusesToEncode(shape, { type: 'circle' })).toBe('CODEC_TAG');
    expect(refusesToEncode(shape, null)).toBe('CODEC_TYPE');
    expect(refusesToEncode(bool, 1)).toBe('CODEC_TYPE');
    expect(refusesToEncode(option(u8), undefined)).toBe('CODEC_TYPE');
  });

  test('bound lists, and refuse a count that cannot fit before reading an item', () => {
    const items = list(u64, 1_000_000, 1);
    expect(refusesToEncode(items, [])).toBe('CODEC_LIMIT');
    expect(refusesToEncode(list(u8, 2), [1, 2, 3])).toBe('CODEC_LIMIT');
    expect(refusesToEncode(items, 'no list')).toBe('CODEC_TYPE');
    expect(refusesToDecode(items, '00000000')).toBe('CODEC_LIMIT');
    expect(refusesToDecode(items, 'ffffffff')).toBe('CODEC_LIMIT');
    let reads = 0;
    const counting: Codec<bigint> = {
      ...u64,
      read(reader) {
        reads += 1;
        return u64.read(reader);
      },
    };
    expect(refusesToDecode(list(counting, 1_000_000), `000f4240${'00'.repeat(80)}`)).toBe('CODEC_TRUNCATED');
    expect(reads).toBe(0);
    expect(() => list(struct({}), 5)).toThrow(RangeError);
  });

  test('say where the error is', () => {
    const nested = struct<{ outer: { list: readonly { size: bigint }[] } }>({
      outer: struct<{ list: readonly { size: bigint }[] }>({ list: list(struct<{ size: bigint }>({ size: u64 }), 4) }),
    });
    const wrong = { outer: { list: [{ size: 1n }, { size: -1n }] } };
    expect(errorOf(() => encode(nested, wrong))).toEqual({ code: 'CODEC_RANGE', path: 'outer.list[1].size' });
    expect(errorOf(() => decode(nested, fromHex('00000001')))).toEqual({ code: 'CODEC_TRUNCATED', path: 'outer.list' });
    expect(() => encode(nested, wrong)).toThrow(/CODEC_RANGE at outer\.list\[1\]\.size: .*got -1/);
  });

  test('apply rules in both directions and pass other errors on', () => {
    const even = checked(u8, (n) => (n % 2 === 0 ? null : `${n} is odd`));
    expect(refusesToEncode(even, 3)).toBe('CODEC_RULE');
    expect(refusesToDecode(even, '03')).toBe('CODEC_RULE');
    expect(decode(even, fromHex('04'))).toBe(4);
    const broken = struct<{ field: number }>({
      field: mapped(
        u8,
        () => {
          throw new TypeError('of another kind');
        },
        (n) => n,
      ),
    });
    expect(() => encode(broken, { field: 1 })).toThrow(TypeError);
  });

  test('refuse trailing and missing bytes', () => {
    const encoded = encode(record, value);
    expect(errorOf(() => decode(record, Uint8Array.of(...encoded, 0))).code).toBe('CODEC_TRAILING');
    for (let length = 0; length < encoded.length; length++) {
      expect(errorOf(() => decode(record, encoded.subarray(0, length))).code).toBe('CODEC_TRUNCATED');
    }
  });

  test('encode inside of encoding, and after a failure, without traces of the other value', () => {
    const nested = struct<{ first: number; inner: number; last: number }>({
      first: u32,
      inner: mapped(
        bytes(8),
        (inner: number) => encode(u16, inner),
        (stored) => decode(u16, stored),
      ),
      last: u8,
    });
    const value = { first: 1, inner: 2, last: 3 };
    expect(toHex(encode(nested, value))).toBe('00000001' + '00000002' + '0002' + '03');
    expect(refusesToEncode(nested, { ...value, last: 256 })).toBe('CODEC_RANGE');
    expect(refusesToEncode(nested, { ...value, inner: -1 })).toBe('CODEC_RANGE');
    expect(toHex(encode(u8, 7))).toBe('07');
    expect(decode(nested, encode(nested, value))).toEqual(value);
  });

  test('grow their buffer as needed and hand out exactly what was written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (raw) => {
        const encoded = encode(bytes(5000), raw);
        expect(encoded.length).toBe(raw.length + 4);
        expect(encoded.buffer.byteLength).toBe(encoded.length);
        expect(decode(bytes(5000), encoded)).toEqual(raw);
      }),
    );
  });
});
