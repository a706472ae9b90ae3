import type { Codec } from './codec.ts';
import { CodecError, located } from './errors.ts';
import { u8, u32 } from './primitives.ts';

/** `min` to `max` items behind a 4-byte count. */
export function list<T>(item: Codec<T>, max: number, min = 0): Codec<readonly T[]> {
  if (item.minBytes < 1)
    throw new RangeError('a list needs items of at least one byte, or a short input could be long');
  const checkCount = (count: number) => {
    if (count > max || count < min) {
      throw new CodecError('CODEC_LIMIT', `expected ${min} to ${max} items, got ${count}`);
    }
  };
  return {
    minBytes: 4 + min * item.minBytes,
    write(writer, values) {
      if (!Array.isArray(values)) throw new CodecError('CODEC_TYPE', 'expected an array');
      checkCount(values.length);
      u32.write(writer, values.length);
      for (let i = 0; i < values.length; i++) {
        try {
          item.write(writer, values[i] as T);
        } catch (error) {
          throw located(error, `[${i}]`);
        }
      }
    },
    read(reader) {
      const count = u32.read(reader);
      checkCount(count);
      if (count * item.minBytes > reader.remaining) {
        throw new CodecError('CODEC_TRUNCATED', `${count} items do not fit into ${reader.remaining} bytes`);
      }
      const values: T[] = [];
      for (let i = 0; i < count; i++) {
        try {
          values.push(item.read(reader));
        } catch (error) {
          throw located(error, `[${i}]`);
        }
      }
      return values;
    },
  };
}

/** A flag byte (0 or 1), then the value if there is one. */
export function option<T>(inner: Codec<T>): Codec<T | null> {
  return {
    minBytes: 1,
    write(writer, value) {
      u8.write(writer, value === null ? 0 : 1);
      if (value !== null) inner.write(writer, value);
    },
    read(reader) {
      const flag = u8.read(reader);
      if (flag > 1) throw new CodecError('CODEC_TAG', `an option's flag is 0 or 1, got ${flag}`);
      return flag === 0 ? null : inner.read(reader);
    },
  };
}

/** One of up to 256 names as one byte: its place in the list, which must never be reordered. */
export function enumeration<const T extends string>(names: readonly T[]): Codec<T> {
  return {
    minBytes: 1,
    write(writer, value) {
      const index = names.indexOf(value);
      if (index < 0) throw new CodecError('CODEC_TAG', `expected one of ${names.join(', ')}, got ${String(value)}`);
      u8.write(writer, index);
    },
    read(reader) {
      const index = u8.read(reader);
      const name = names[index];
      if (name === undefined) throw new CodecError('CODEC_TAG', `expected 0 to ${names.length - 1}, got ${index}`);
      return name;
    },
  };
}

/** The fields in the order in which they are listed, nothing between them. */
export function struct<T extends object>(fields: { readonly [K in keyof T]-?: Codec<T[K]> }): Codec<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  const codecs = names.map((name) => fields[name] as Codec<unknown>);
  return {
    minBytes: codecs.reduce((sum, codec) => sum + codec.minBytes, 0),
    write(writer, value) {
      if (typeof value !== 'object' || value === null) throw new CodecError('CODEC_TYPE', 'expected an object');
      for (let i = 0; i < names.length; i++) {
        const name = names[i] as keyof T & string;
        try {
          (codecs[i] as Codec<unknown>).write(writer, value[name]);
        } catch (error) {
          throw located(error, name);
        }
      }
    },
    read(reader) {
      const value: Record<string, unknown> = {};
      for (let i = 0; i < names.length; i++) {
        const name = names[i] as string;
        try {
          value[name] = (codecs[i] as Codec<unknown>).read(reader);
        } catch (error) {
          throw located(error, name);
        }
      }
      return value as T;
    },
  };
}

/**
 * One of several shapes told apart by their `type`: a tag byte (the variant's place in the list, which must never be
 * reordered), then the variant's other fields.
 */
export function union<T extends { readonly type: string }>(
  variants: {
    readonly [K in T['type']]: Codec<Omit<Extract<T, { readonly type: K }>, 'type'>>;
  },
): Codec<T> {
  const names = Object.keys(variants) as T['type'][];
  const codecs = names.map((name) => variants[name] as Codec<object>);
  return {
    minBytes: 1 + Math.min(...codecs.map((codec) => codec.minBytes)),
    write(writer, value) {
      if (typeof value !== 'object' || value === null) throw new CodecError('CODEC_TYPE', 'expected an object');
      const tag = names.indexOf(value.type);
      if (tag < 0) throw new CodecError('CODEC_TAG', `expected one of ${names.join(', ')}, got ${String(value.type)}`);
      u8.write(writer, tag);
      (codecs[tag] as Codec<object>).write(writer, value);
    },
    read(reader) {
      const tag = u8.read(reader);
      const codec = codecs[tag];
      if (codec === undefined) throw new CodecError('CODEC_TAG', `expected 0 to ${names.length - 1}, got ${tag}`);
      return { type: names[tag], ...codec.read(reader) } as unknown as T;
    },
  };
}

/**
 * A value that is stored as another one. Both functions must be inverse on everything that they accept, and throw a
 * `CodecError` on the rest.
 */
export function mapped<Stored, T>(
  stored: Codec<Stored>,
  toStored: (value: T) => Stored,
  fromStored: (stored: Stored) => T,
): Codec<T> {
  return {
    minBytes: stored.minBytes,
    write: (writer, value) => stored.write(writer, toStored(value)),
    read: (reader) => fromStored(stored.read(reader)),
  };
}

/** A rule on top of a layout, applied when encoding and when decoding; `rule` says what is wrong, or null. */
export function checked<T>(inner: Codec<T>, rule: (value: T) => string | null): Codec<T> {
  const check = (value: T): T => {
    const wrong = rule(value);
    if (wrong !== null) throw new CodecError('CODEC_RULE', wrong);
    return value;
  };
  return mapped(inner, check, check);
}
