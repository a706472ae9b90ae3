const DIGITS = '0123456789abcdef';
/** Character codes of the two digits of each byte. */
const HIGH_CODE = Uint8Array.from({ length: 256 }, (_, byte) => DIGITS.charCodeAt(byte >> 4));
const LOW_CODE = Uint8Array.from({ length: 256 }, (_, byte) => DIGITS.charCodeAt(byte & 15));
/** Bytes turned into text at a time: each digit is an argument of one call. */
const PIECE_BYTES = 1_024;

/** Value of each lowercase hex digit by character code; 255 marks every other character. */
const DIGIT = (() => {
  const table = new Uint8Array(128).fill(255);
  for (let digit = 0; digit < 16; digit++) table[DIGITS.charCodeAt(digit)] = digit;
  return table;
})();

/**
 * Lowercase hex of a byte string. Made in one piece: a text that is put together digit by digit stays a tree of its parts,
 * of some 30 bytes each, for as long as it is kept.
 */
export function toHex(bytes: Uint8Array): string {
  if (bytes.length > PIECE_BYTES) {
    let text = '';
    for (let from = 0; from < bytes.length; from += PIECE_BYTES)
      text += toHex(bytes.subarray(from, from + PIECE_BYTES));
    return text;
  }
  const codes = new Array<number>(2 * bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    codes[2 * i] = HIGH_CODE[bytes[i] as number] as number;
    codes[2 * i + 1] = LOW_CODE[bytes[i] as number] as number;
  }
  return String.fromCharCode.apply(null, codes);
}

/**
 * Bytes of a lowercase hex string. Uppercase is refused, because two spellings of one hash would not be `===`.
 * @throws RangeError for anything but an even number of characters 0-9a-f.
 */
export function fromHex(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length >> 1);
  if (!writeHex(text, bytes, 0)) {
    throw new RangeError(
      `expected lowercase hex with an even number of digits, got ${JSON.stringify(text.slice(0, 80))}`,
    );
  }
  return bytes;
}

/** Whether `text` is lowercase hex of exactly `length` bytes. */
export function isHex(text: unknown, length: number): text is string {
  if (typeof text !== 'string' || text.length !== length * 2) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 128 || DIGIT[code] === 255) return false;
  }
  return true;
}

/** Writes the bytes of lowercase hex at `offset`; false when the text is no such hex (the target is then undefined). */
export function writeHex(text: string, target: Uint8Array, offset: number): boolean {
  if (text.length % 2 !== 0) return false;
  for (let i = 0; i < text.length; i += 2) {
    const high = text.charCodeAt(i);
    const low = text.charCodeAt(i + 1);
    if (high >= 128 || low >= 128) return false;
    const highDigit = DIGIT[high] as number;
    const lowDigit = DIGIT[low] as number;
    if (highDigit === 255 || lowDigit === 255) return false;
    target[offset + (i >> 1)] = (highDigit << 4) | lowDigit;
  }
  return true;
}
