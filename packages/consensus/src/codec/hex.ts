const HEX_OF_BYTE: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Value of each lowercase hex digit by character code; 255 marks every other character. */
const DIGIT = (() => {
  const table = new Uint8Array(128).fill(255);
  for (let digit = 0; digit < 16; digit++) table['0123456789abcdef'.charCodeAt(digit)] = digit;
  return table;
})();

/** Lowercase hex of a byte string. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += HEX_OF_BYTE[bytes[i] as number];
  return text;
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
