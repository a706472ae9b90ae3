import { DataError } from './errors.ts';

/** Units in which a file may state the energy of an interval; kW and W are means over the interval. */
export type EnergyUnit = 'kWh' | 'Wh' | 'kW' | 'W';

/** The largest energy accepted for one slot: what a 32-bit array holds, 2.1 GWh. */
export const MAX_SLOT_WH = 2_147_483_647;

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,2}))?$/;
const EXACT_LIMIT = Number.MAX_SAFE_INTEGER;

/** An integer result and whether the text had to be rounded by more than a millionth to reach it. */
export interface ScaledInteger {
  value: number;
  rounded: boolean;
}

/**
 * A decimal text times `numerator / denominator`, rounded half away from zero in exact integer arithmetic.
 * Raises DATA_BAD_NUMBER (empty, not a plain decimal) and DATA_OUT_OF_RANGE (beyond `limit` in absolute value).
 */
export function scaleDecimal(
  text: string,
  scale: { numerator: number; denominator: number },
  where: { line: number; field: string; limit?: number },
): ScaledInteger {
  const match = DECIMAL.exec(text);
  const digits = match === null ? '' : `${match[2] ?? ''}${match[3] ?? ''}`;
  if (match === null || digits === '') {
    const shown = text.length > 24 ? `${text.slice(0, 24)}...` : text;
    throw new DataError('DATA_BAD_NUMBER', where.line, `${where.field} is '${shown}', a decimal number is needed`);
  }
  const exponent = Number(match[4] ?? '0') - (match[3] ?? '').length;
  let top = BigInt(digits) * BigInt(scale.numerator);
  let bottom = BigInt(scale.denominator);
  const small = digits.length <= 9 && exponent <= 0 && exponent >= -9;
  if (small && Number(digits) * scale.numerator < EXACT_LIMIT) {
    const dividend = Number(digits) * scale.numerator;
    const divisor = scale.denominator * 10 ** -exponent;
    const rest = dividend % divisor;
    return finish(match[1], (dividend - rest) / divisor, rest, divisor, where);
  }
  if (exponent >= 0) top *= 10n ** BigInt(exponent);
  else bottom *= 10n ** BigInt(-exponent);
  const rest = top % bottom;
  // The remainder only decides the rounding, for which a ratio in floating point would misplace exact halves.
  const twice = rest * 2n >= bottom ? 1 : 0;
  const value = Number(top / bottom) + twice;
  const distance = twice === 1 ? bottom - rest : rest;
  const rounded = distance * 1_000_000n > bottom;
  return inRange(match[1], value, rounded, where);
}

function finish(
  sign: string | undefined,
  quotient: number,
  rest: number,
  divisor: number,
  where: { line: number; field: string; limit?: number },
): ScaledInteger {
  const up = rest * 2 >= divisor;
  const distance = up ? divisor - rest : rest;
  return inRange(sign, quotient + (up ? 1 : 0), distance * 1_000_000 > divisor, where);
}

function inRange(
  sign: string | undefined,
  magnitude: number,
  rounded: boolean,
  where: { line: number; field: string; limit?: number },
): ScaledInteger {
  const limit = where.limit ?? MAX_SLOT_WH;
  if (magnitude > limit) {
    throw new DataError('DATA_OUT_OF_RANGE', where.line, `${where.field} is beyond ${limit} in the stored unit`);
  }
  return { value: sign === '-' && magnitude !== 0 ? -magnitude : magnitude, rounded };
}

/** The factor from a file's unit to Wh for an interval of `slotMinutes`. */
export function whScale(unit: EnergyUnit, slotMinutes: number): { numerator: number; denominator: number } {
  switch (unit) {
    case 'kWh':
      return { numerator: 1000, denominator: 1 };
    case 'Wh':
      return { numerator: 1, denominator: 1 };
    case 'kW':
      return { numerator: 1000 * slotMinutes, denominator: 60 };
    case 'W':
      return { numerator: slotMinutes, denominator: 60 };
  }
}
