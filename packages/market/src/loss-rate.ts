import { MarketError } from './errors.ts';

/** Where a prosumer or the EDC stands, in km. */
export interface Position {
  readonly xKm: number;
  readonly yKm: number;
}

/**
 * Loss rates as fractions of the energy handed over; `rate` is symmetric. All that the market knows about the
 * network.
 */
export interface LossRates {
  readonly size: number;
  rateEdc(i: number): number;
  rate(i: number, j: number): number;
}

/** The EDC's place in the 20 km x 20 km area of the thesis. */
export const DEFAULT_EDC: Position = { xKm: 10, yKm: 10 };

/** Loss per km that makes a corner of the area lose 5.6 %. */
export const DEFAULT_LOSS_PER_KM = 0.056 / Math.hypot(10, 10);

/** Loss in proportion to distance (section 1, strategy `linear`). */
export function linearLoss(
  positions: readonly Position[],
  edc: Position = DEFAULT_EDC,
  lossPerKm: number = DEFAULT_LOSS_PER_KM,
): LossRates {
  checkPosition(edc, 'edc');
  positions.forEach((position, i) => {
    checkPosition(position, 'positions', i);
  });
  if (!Number.isFinite(lossPerKm) || lossPerKm < 0)
    invalid('lossPerKm', undefined, lossPerKm, 'be finite and not negative');
  const between = (a: Position, b: Position) => lossPerKm * Math.hypot(a.xKm - b.xKm, a.yKm - b.yKm);
  return {
    size: positions.length,
    rateEdc: (i) => between(positions[i]!, edc),
    rate: (i, j) => between(positions[i]!, positions[j]!),
  };
}

/**
 * Other rates forced into `[lowest, highest]` (section 1, strategy `clamped`; the thesis quotes losses
 * of 1.8 to 5.6 %).
 */
export function clampedLoss(rates: LossRates, lowest = 0.018, highest = 0.056): LossRates {
  if (!(lowest >= 0 && highest >= lowest)) invalid('lowest', undefined, lowest, 'lie between 0 and `highest`');
  const clamp = (rate: number) => Math.min(highest, Math.max(lowest, rate));
  return { size: rates.size, rateEdc: (i) => clamp(rates.rateEdc(i)), rate: (i, j) => clamp(rates.rate(i, j)) };
}

/** Given rates (section 1, strategy `table`), for example those of a network from section 9. */
export function tableLoss(rateEdc: readonly number[], rate: readonly (readonly number[])[]): LossRates {
  const size = rateEdc.length;
  if (rate.length !== size) invalid('rate', undefined, rate.length, `have ${size} rows`);
  rateEdc.forEach((value, i) => {
    if (!isRate(value)) invalid('rateEdc', i, value, 'be finite and not negative');
    if (rate[i]!.length !== size) invalid('rate', i, rate[i]!.length, `be a row of ${size} entries`);
    for (let j = 0; j < i; j++) {
      if (!isRate(rate[i]![j]!)) invalid('rate', [i, j], rate[i]![j]!, 'be finite and not negative');
      if (rate[i]![j] !== rate[j]![i])
        invalid('rate', [i, j], rate[i]![j]!, 'equal the rate in the opposite direction');
    }
  });
  return { size, rateEdc: (i) => rateEdc[i]!, rate: (i, j) => (i === j ? 0 : rate[i]![j]!) };
}

function isRate(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}

function checkPosition(position: Position, field: string, index?: number): void {
  if (!Number.isFinite(position.xKm)) invalid(field, index, position.xKm, 'have a finite xKm');
  if (!Number.isFinite(position.yKm)) invalid(field, index, position.yKm, 'have a finite yKm');
}

function invalid(
  field: string,
  index: number | readonly [number, number] | undefined,
  value: number,
  rule: string,
): never {
  throw new MarketError(
    'MARKET_INVALID_INPUT',
    `${field}${index === undefined ? '' : ` ${index}`} is ${value}: it must ${rule}`,
    {
      field,
      ...(index === undefined ? {} : { index }),
      value: String(value),
    },
  );
}
