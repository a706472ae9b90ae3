import type { Codec } from './codec.ts';
import { CodecError } from './errors.ts';
import { toHex, writeHex } from './hex.ts';

function checkInteger(value: number, max: number): void {
  if (typeof value !== 'number') throw new CodecError('CODEC_TYPE', `expected a number, got ${typeof value}`);
  // `Object.is` keeps -0 out: it would decode to 0, which is a different value in memory.
  if (!Number.isSafeInteger(value) || value < 0 || value > max || Object.is(value, -0)) {
    throw new CodecError('CODEC_RANGE', `expected an integer from 0 to ${max}, got ${value}`);
  }
}

function checkBigint(value: bigint, min: bigint, max: bigint): void {
  if (typeof value !== 'bigint') throw new CodecError('CODEC_TYPE', `expected a bigint, got ${typeof value}`);
  if (value < min || value > max) {
    throw new CodecError('CODEC_RANGE', `expected an integer from ${min} to ${max}, got ${value}`);
  }
}

/** Integer 0..2^8-1 in 1 byte. */
export const u8: Codec<number> = {
  minBytes: 1,
  write(writer, value) {
    checkInteger(value, 0xff);
    const offset = writer.reserve(1);
    writer.bytes[offset] = value;
  },
  read: (reader) => reader.view.getUint8(reader.take(1)),
};

/** Integer 0..2^16-1 in 2 bytes. */
export const u16: Codec<number> = {
  minBytes: 2,
  write(writer, value) {
    checkInteger(value, 0xffff);
    const offset = writer.reserve(2);
    writer.view.setUint16(offset, value);
  },
  read: (reader) => reader.view.getUint16(reader.take(2)),
};

/** Integer 0..2^32-1 in 4 bytes. */
export const u32: Codec<number> = {
  minBytes: 4,
  write(writer, value) {
    checkInteger(value, 0xffffffff);
    const offset = writer.reserve(4);
    writer.view.setUint32(offset, value);
  },
  read: (reader) => reader.view.getUint32(reader.take(4)),
};

/** Non-negative safe integer (0..2^53-1) in 8 bytes: heights, slots, milliseconds. */
export const u53: Codec<number> = {
  minBytes: 8,
  write(writer, value) {
    checkInteger(value, Number.MAX_SAFE_INTEGER);
    const offset = writer.reserve(8);
    writer.view.setUint32(offset, Math.floor(value / 0x1_0000_0000));
    writer.view.setUint32(offset + 4, value % 0x1_0000_0000);
  },
  read(reader) {
    const offset = reader.take(8);
    const high = reader.view.getUint32(offset);
    if (high > 0x1f_ffff) throw new CodecError('CODEC_RANGE', `expected at most 2^53-1, the upper half is ${high}`);
    return high * 0x1_0000_0000 + reader.view.getUint32(offset + 4);
  },
};

const U64_MAX = 2n ** 64n - 1n;
const I64_MIN = -(2n ** 63n);
const I64_MAX = 2n ** 63n - 1n;

/** Bigint 0..2^64-1 in 8 bytes: amounts. */
export const u64: Codec<bigint> = {
  minBytes: 8,
  write(writer, value) {
    checkBigint(value, 0n, U64_MAX);
    const offset = writer.reserve(8);
    writer.view.setBigUint64(offset, value);
  },
  read: (reader) => reader.view.getBigUint64(reader.take(8)),
};

/** Bigint -2^63..2^63-1 in 8 bytes, two's complement: signed balances. */
export const i64: Codec<bigint> = {
  minBytes: 8,
  write(writer, value) {
    checkBigint(value, I64_MIN, I64_MAX);
    const offset = writer.reserve(8);
    writer.view.setBigInt64(offset, value);
  },
  read: (reader) => reader.view.getBigInt64(reader.take(8)),
};

/** One byte, 0 or 1. */
export const bool: Codec<boolean> = {
  minBytes: 1,
  write(writer, value) {
    if (typeof value !== 'boolean') throw new CodecError('CODEC_TYPE', `expected a boolean, got ${typeof value}`);
    const offset = writer.reserve(1);
    writer.bytes[offset] = value ? 1 : 0;
  },
  read(reader) {
    const flag = reader.view.getUint8(reader.take(1));
    if (flag > 1) throw new CodecError('CODEC_TAG', `a boolean is 0 or 1, got ${flag}`);
    return flag === 1;
  },
};

/** Exactly `length` bytes, lowercase hex in memory: hashes, keys, signatures. */
export function hex(length: number): Codec<string> {
  return {
    minBytes: length,
    write(writer, value) {
      if (typeof value !== 'string') throw new CodecError('CODEC_TYPE', `expected hex, got ${typeof value}`);
      if (value.length !== length * 2) {
        throw new CodecError('CODEC_RANGE', `expected ${length * 2} hex digits, got ${value.length}`);
      }
      const offset = writer.reserve(length);
      if (!writeHex(value, writer.bytes, offset)) {
        throw new CodecError('CODEC_RANGE', `expected lowercase hex, got ${JSON.stringify(value.slice(0, 80))}`);
      }
    },
    read(reader) {
      const offset = reader.take(length);
      return toHex(reader.bytes.subarray(offset, offset + length));
    },
  };
}

const KNOWN_TEXTS = 512;

/**
 * Like `hex`, for the few values that come again and again, such as the keys of a chain's accounts: what was read lately is
 * not made anew. Equal bytes give equal text either way.
 */
export function recurringHex(length: number): Codec<string> {
  const plain = hex(length);
  const known: { readonly bytes: Uint8Array; readonly text: string }[] = [];
  return {
    ...plain,
    read(reader) {
      const offset = reader.take(length);
      const { bytes: all } = reader;
      // Keys and hashes are as good as random in their last bytes.
      const last = offset + length;
      const place = ((((all[last - 2] as number) << 8) | (all[last - 1] as number)) & (KNOWN_TEXTS - 1)) >>> 0;
      const entry = known[place];
      if (entry !== undefined && isAt(all, offset, entry.bytes)) return entry.text;
      const own = Uint8Array.prototype.slice.call(all, offset, last);
      const text = toHex(own);
      known[place] = { bytes: own, text };
      return text;
    },
  };
}

function isAt(all: Uint8Array, offset: number, expected: Uint8Array): boolean {
  for (let i = 0; i < expected.length; i++) if (all[offset + i] !== expected[i]) return false;
  return true;
}

/** SHA-256 digest. */
export const hash: Codec<string> = hex(32);

/** Up to `max` bytes behind a 4-byte length. Decoding copies, so the result never aliases a network buffer. */
export function bytes(max: number): Codec<Uint8Array> {
  return {
    minBytes: 4,
    write(writer, value) {
      if (!(value instanceof Uint8Array)) throw new CodecError('CODEC_TYPE', 'expected a Uint8Array');
      if (value.length > max) throw new CodecError('CODEC_LIMIT', `expected at most ${max} bytes, got ${value.length}`);
      u32.write(writer, value.length);
      const offset = writer.reserve(value.length);
      writer.bytes.set(value, offset);
    },
    read(reader) {
      const length = u32.read(reader);
      if (length > max) throw new CodecError('CODEC_LIMIT', `expected at most ${max} bytes, got ${length}`);
      const offset = reader.take(length);
      // Not `bytes.slice`: on a Node Buffer that would be a view.
      return Uint8Array.prototype.slice.call(reader.bytes, offset, offset + length);
    },
  };
}

/** Up to `max` printable ASCII characters (0x20..0x7e) behind a 1-byte length; `max` is at most 255. */
export function ascii(max: number): Codec<string> {
  return {
    minBytes: 1,
    write(writer, value) {
      if (typeof value !== 'string') throw new CodecError('CODEC_TYPE', `expected a string, got ${typeof value}`);
      if (value.length > max) {
        throw new CodecError('CODEC_LIMIT', `expected at most ${max} characters, got ${value.length}`);
      }
      u8.write(writer, value.length);
      const offset = writer.reserve(value.length);
      for (let i = 0; i < value.length; i++) {
        const code = value.charCodeAt(i);
        if (code < 0x20 || code > 0x7e) throw new CodecError('CODEC_RANGE', `character ${i} is not printable ASCII`);
        writer.bytes[offset + i] = code;
      }
    },
    read(reader) {
      const length = u8.read(reader);
      if (length > max) throw new CodecError('CODEC_LIMIT', `expected at most ${max} characters, got ${length}`);
      const offset = reader.take(length);
      let text = '';
      for (let i = 0; i < length; i++) {
        const code = reader.bytes[offset + i] as number;
        if (code < 0x20 || code > 0x7e) throw new CodecError('CODEC_RANGE', `character ${i} is not printable ASCII`);
        text += String.fromCharCode(code);
      }
      return text;
    },
  };
}
