import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scaleDecimal, whScale } from '../src/quantity.ts';

const where = { line: 1, field: 'x', limit: Number.MAX_SAFE_INTEGER };

describe('scaleDecimal', () => {
  it('is exact rational arithmetic, halves away from zero (oracle: BigInt)', () => {
    const decimal = fc.record({
      negative: fc.boolean(),
      whole: fc.bigInt({ min: 0n, max: 99_999_999n }),
      fraction: fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 20 }),
      exponent: fc.integer({ min: -12, max: 3 }),
      slotMinutes: fc.constantFrom(5, 15, 30, 60),
      unit: fc.constantFrom('kWh', 'Wh', 'kW', 'W'),
    });
    fc.assert(
      fc.property(decimal, ({ negative, whole, fraction, exponent, slotMinutes, unit }) => {
        const scale = whScale(unit as 'kWh', slotMinutes);
        const text = `${negative ? '-' : ''}${whole}.${fraction}e${exponent}`;
        const shift = 40n;
        const top =
          BigInt(`${whole}${fraction}`) * 10n ** (shift + BigInt(exponent - fraction.length)) * BigInt(scale.numerator);
        const bottom = 10n ** shift * BigInt(scale.denominator);
        const magnitude = Number((2n * top + bottom) / (2n * bottom));
        expect(scaleDecimal(text, scale, where).value).toBe(negative && magnitude !== 0 ? -magnitude : magnitude);
      }),
      { seed: 6, numRuns: 1000 },
    );
  });

  it.each([
    ['1.0005', 1001],
    ['-1.0005', -1001],
    ['0.0004999', 0],
    ['.5', 500],
    ['5.', 5000],
    ['+2', 2000],
    ['-0', 0],
  ])('%s kWh is %d Wh', (text, wh) => expect(scaleDecimal(text, whScale('kWh', 60), where).value).toBe(wh));

  it('says when rounding changed the value, not when floating point noise did', () => {
    const rounded = (text: string) => scaleDecimal(text, whScale('kWh', 60), where).rounded;
    expect(rounded('0.0365')).toBe(true);
    expect(rounded('0.036000000000000004')).toBe(false);
    expect(rounded('107.89599999999999')).toBe(false);
    expect(rounded('0.036')).toBe(false);
  });

  it.each(['', ' ', '.', '-', '1,5', '0x10', 'NaN', 'Infinity', '1e', '1e999', '--1', '1 2', '٣'])(
    'refuses %j',
    (text) => {
      expect(() => scaleDecimal(text, whScale('Wh', 60), where)).toThrow(
        expect.objectContaining({ code: 'DATA_BAD_NUMBER' }),
      );
    },
  );

  it('refuses what does not fit into a slot', () => {
    expect(scaleDecimal('2147483647', whScale('Wh', 60), { line: 1, field: 'x' }).value).toBe(2_147_483_647);
    for (const text of ['2147483648', '1e30', '-2147483648']) {
      expect(() => scaleDecimal(text, whScale('Wh', 60), { line: 7, field: 'x' })).toThrow(
        expect.objectContaining({ code: 'DATA_OUT_OF_RANGE', line: 7 }),
      );
    }
  });
});
