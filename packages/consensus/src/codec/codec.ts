import { CodecError } from './errors.ts';

/**
 * How one type of value is laid out in bytes: fixed order, big-endian, no padding, no alternatives. Every value has one
 * encoding and every byte string that decodes re-encodes to itself, so encodings can be hashed and signed.
 */
export interface Codec<T> {
  /** Least number of bytes that any value takes: lets a list refuse an impossible count before it reads an item. */
  readonly minBytes: number;
  write(writer: Writer, value: T): void;
  read(reader: Reader): T;
}

/** Type of the values of a codec. */
export type ValueOf<C> = C extends Codec<infer T> ? T : never;

/** An output buffer that grows by doubling. */
export class Writer {
  bytes: Uint8Array = new Uint8Array(256);
  view: DataView = new DataView(this.bytes.buffer);
  length = 0;

  /** Makes room for `count` bytes and returns the offset at which they go. */
  reserve(count: number): number {
    const offset = this.length;
    const needed = offset + count;
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
      grown.set(this.bytes);
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    }
    this.length = needed;
    return offset;
  }
}

/** A cursor over input bytes; never reads outside of the view that it was given. */
export class Reader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  private offset = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Offset of the next byte that is read. */
  get position(): number {
    return this.offset;
  }

  get remaining(): number {
    return this.bytes.length - this.offset;
  }

  /** Consumes `count` bytes and returns the offset at which they start. */
  take(count: number): number {
    const offset = this.offset;
    if (count > this.bytes.length - offset) {
      throw new CodecError('CODEC_TRUNCATED', `needs ${count} bytes, ${this.bytes.length - offset} are left`);
    }
    this.offset = offset + count;
    return offset;
  }
}

/**
 * The canonical bytes of a value.
 * @throws CodecError when a field is out of range or over its limit; nothing is ever wrapped or cut off.
 */
export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  // Most values are small and many: a new buffer for each would cost more than writing it.
  const writer = spare ?? new Writer();
  spare = null;
  writer.length = 0;
  try {
    codec.write(writer, value);
    return writer.bytes.slice(0, writer.length);
  } finally {
    if (writer.bytes.length <= MAX_SPARE_BYTES) spare = writer;
  }
}

/** A writer that nobody is using, if there is one; a rule that encodes while it is being encoded gets another. */
let spare: Writer | null = null;
const MAX_SPARE_BYTES = 65_536;

/**
 * The value whose canonical bytes these are, all of them.
 * @throws CodecError for anything that `encode` would not have produced.
 */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array): T {
  const reader = new Reader(bytes);
  const value = codec.read(reader);
  if (reader.remaining !== 0) {
    throw new CodecError('CODEC_TRAILING', `${reader.remaining} bytes follow the value`);
  }
  return value;
}
