import fc from 'fast-check';

/** A change of some bytes: places are fractions of the length, so that an edit fits an input of any size. */
export type Edit =
  | { readonly edit: 'flip'; readonly at: number; readonly mask: number }
  | { readonly edit: 'set'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly edit: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly edit: 'remove'; readonly at: number; readonly count: number }
  | { readonly edit: 'repeat'; readonly at: number; readonly count: number }
  | { readonly edit: 'cut'; readonly at: number };

const at = fc.nat(9_999).map((place) => place / 10_000);
// Values at which lengths, counts and numbers of every width change their meaning.
const telling = fc.constantFrom(
  Uint8Array.of(0xff, 0xff, 0xff, 0xff),
  Uint8Array.of(0x7f, 0xff, 0xff, 0xff),
  Uint8Array.of(0, 0, 0, 0),
  Uint8Array.of(0x80, 0, 0, 0),
  Uint8Array.of(0, 0x20, 0, 0, 0, 0, 0, 0),
  Uint8Array.of(0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
  Uint8Array.of(0),
  Uint8Array.of(1),
  Uint8Array.of(0xff),
);
const bytes = fc.oneof(telling, fc.uint8Array({ minLength: 1, maxLength: 8 }));

export const edits: fc.Arbitrary<readonly Edit[]> = fc.array(
  fc.oneof(
    fc.record({ edit: fc.constant('flip' as const), at, mask: fc.integer({ min: 1, max: 255 }) }),
    fc.record({ edit: fc.constant('set' as const), at, bytes }),
    fc.record({ edit: fc.constant('insert' as const), at, bytes }),
    fc.record({ edit: fc.constant('remove' as const), at, count: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ edit: fc.constant('repeat' as const), at, count: fc.integer({ min: 1, max: 200 }) }),
    fc.record({ edit: fc.constant('cut' as const), at }),
  ),
  { minLength: 1, maxLength: 4 },
);

export function mutate(input: Uint8Array, changes: readonly Edit[]): Uint8Array {
  let output: Uint8Array = Uint8Array.from(input);
  for (const change of changes) {
    const place = Math.floor(change.at * output.length);
    const before = output.subarray(0, place);
    switch (change.edit) {
      case 'flip':
        if (place < output.length) output[place] = (output[place] as number) ^ change.mask;
        break;
      case 'set':
        for (const [k, byte] of change.bytes.entries()) if (place + k < output.length) output[place + k] = byte;
        break;
      case 'insert':
        output = joined(before, change.bytes, output.subarray(place));
        break;
      case 'remove':
        output = joined(before, output.subarray(place + change.count));
        break;
      case 'repeat': {
        const part = output.subarray(place, place + change.count);
        output = joined(before, part, part, output.subarray(place + change.count));
        break;
      }
      case 'cut':
        output = Uint8Array.from(before);
    }
  }
  return output;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const output = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let place = 0;
  for (const part of parts) {
    output.set(part, place);
    place += part.length;
  }
  return output;
}
