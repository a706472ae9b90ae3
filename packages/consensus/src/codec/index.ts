/** Canonical fixed layouts for everything that is hashed, signed, stored or sent. */
export { type Codec, decode, encode, Reader, type ValueOf, Writer } from './codec.ts';
export { checked, enumeration, list, mapped, option, struct, union } from './composites.ts';
export { CodecError, type CodecErrorCode } from './errors.ts';
export { fromHex, isHex, toHex } from './hex.ts';
export { ascii, bool, bytes, hash, hex, i64, recurringHex, u8, u16, u32, u53, u64 } from './primitives.ts';
