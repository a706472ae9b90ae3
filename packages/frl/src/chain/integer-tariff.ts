import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { type Calendar, type Period, periodOfHour } from '../environment/tariff.ts';
import { requireConfig, requireInput } from '../frl-error.ts';
import { floorDivide, maxOf, minOf, PPM } from './integer-arithmetic.ts';

/** Prices of the three periods, micro-CAD per kWh. */
export type IntegerPriceTriple = Readonly<Record<Period, bigint>>;

/** The tariff as genesis states it; all integers. */
export interface IntegerTariff {
  readonly calendar: Calendar;
  readonly meanMicroPerKwh: IntegerPriceTriple;
  readonly sdMicroPerKwh: IntegerPriceTriple;
  /** pV2V and pGbuy in parts per million of the slot price. */
  readonly v2vPpm: bigint;
  readonly gridBuyPpm: bigint;
  readonly deltaFloorPpm: bigint;
}

/** The `text` prices of section 2 with kV = 0.73, kB = 0.635; delta floor 0 (`paper`) or 50 000 ppm (`sound`). */
export function defaultIntegerTariff(preset: 'paper' | 'sound'): IntegerTariff {
  return {
    calendar: 'winter',
    meanMicroPerKwh: { off: 82_000n, mid: 113_000n, on: 170_000n },
    sdMicroPerKwh: { off: 10_000n, mid: 10_000n, on: 10_000n },
    v2vPpm: 730_000n,
    gridBuyPpm: 635_000n,
    deltaFloorPpm: preset === 'sound' ? 50_000n : 0n,
  };
}

/** Throws `FRL_INVALID_CONFIG` unless 0 < gridBuyPpm < v2vPpm < 10^6 and 0 <= deltaFloorPpm <= 10^6. */
export function validateIntegerTariff(tariff: IntegerTariff): void {
  requireConfig(
    0n < tariff.gridBuyPpm && tariff.gridBuyPpm < tariff.v2vPpm && tariff.v2vPpm < PPM,
    'tariff needs 0 < gridBuyPpm < v2vPpm < 1000000',
    { gridBuyPpm: tariff.gridBuyPpm, v2vPpm: tariff.v2vPpm },
  );
  requireConfig(0n <= tariff.deltaFloorPpm && tariff.deltaFloorPpm <= PPM, 'deltaFloorPpm must lie in 0..1000000', {
    deltaFloorPpm: tariff.deltaFloorPpm,
  });
}

/** delta (eq. 4.2-4.4) in ppm, floored, clamped to [floor, 10^6]. Prices in micro-CAD per kWh, off-peak positive. */
export function integerDeltaPpm(priceMicroPerKwh: bigint, offPriceMicroPerKwh: bigint, floorPpm: bigint): bigint {
  requireInput(offPriceMicroPerKwh > 0n, 'the off-peak price must be positive', { offPriceMicroPerKwh });
  const delta = floorDivide((priceMicroPerKwh - offPriceMicroPerKwh) * PPM, offPriceMicroPerKwh);
  return minOf(PPM, maxOf(floorPpm, delta));
}

/** Prices of a slot, micro-CAD per kWh, named from the grid's side; pGbuy < pV2V < pGsell. */
export interface IntegerSlotPrices {
  readonly gridSellMicro: bigint;
  readonly v2vMicro: bigint;
  readonly gridBuyMicro: bigint;
}

/** pGsell, pV2V, pGbuy of a slot price, floored. Throws `FRL_INVALID_INPUT` when the price is too small to keep order. */
export function integerSlotPrices(priceMicroPerKwh: bigint, tariff: IntegerTariff): IntegerSlotPrices {
  const prices = {
    gridSellMicro: priceMicroPerKwh,
    v2vMicro: (priceMicroPerKwh * tariff.v2vPpm) / PPM,
    gridBuyMicro: (priceMicroPerKwh * tariff.gridBuyPpm) / PPM,
  };
  requireInput(
    prices.gridBuyMicro < prices.v2vMicro && prices.v2vMicro < prices.gridSellMicro,
    'slot price is too small: pGbuy < pV2V < pGsell does not survive rounding',
    { priceMicroPerKwh },
  );
  return prices;
}

/** What a slot of the chain is priced and scored with. */
export interface IntegerSlotTariff extends IntegerSlotPrices {
  readonly period: Period;
  readonly deltaPpm: bigint;
}

/** Prices and delta of one hour of a day. */
export function integerSlotTariff(tariff: IntegerTariff, triple: IntegerPriceTriple, hour: number): IntegerSlotTariff {
  const period = periodOfHour(tariff.calendar, hour);
  return {
    period,
    deltaPpm: integerDeltaPpm(triple[period], triple.off, tariff.deltaFloorPpm),
    ...integerSlotPrices(triple[period], tariff),
  };
}

const MIN_PRICE_MICRO = 10_000n;
const MIN_OFF_PRICE_MICRO = 20_000n;
const MAX_TRIES = 8;

/**
 * A day's price triple as a pure integer function of `seed` and `day`, so that peers need no logarithm to agree on it.
 * The deviate is a sum of twelve 16-bit words of SHA-256(`tariff` || seed || day || try || period), which is normal to
 * within what a study notices, and is drawn again beyond three sd. Same rejection rule as `samplePriceTriple`.
 */
export function integerPriceTriple(tariff: IntegerTariff, seed: Uint8Array, day: number): IntegerPriceTriple {
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const draw = (period: Period): bigint => {
      const price =
        tariff.meanMicroPerKwh[period] +
        floorDivide(tariff.sdMicroPerKwh[period] * deviatePpm(seed, `${day}|${attempt}|${period}`), PPM);
      return maxOf(MIN_PRICE_MICRO, price);
    };
    const triple = { off: draw('off'), mid: draw('mid'), on: draw('on') };
    if (triple.on > triple.mid && triple.mid > triple.off && triple.off >= MIN_OFF_PRICE_MICRO) return triple;
  }
  return tariff.meanMicroPerKwh;
}

/** A deviate of mean 0 and sd 1 in ppm, |z| <= 3, from twelve uniform words (Irwin-Hall). */
function deviatePpm(seed: Uint8Array, label: string): bigint {
  for (let retry = 0; ; retry++) {
    const digest = sha256(concatBytes(utf8ToBytes('tariff'), seed, utf8ToBytes(`|${label}|${retry}`)));
    const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
    // Twelve words of mean (2^16 - 1) / 2; twice the sum keeps the mean an integer. The sd of the sum is 2^16.
    let doubled = -12n * 65_535n;
    for (let word = 0; word < 12; word++) doubled += 2n * BigInt(view.getUint16(2 * word));
    const z = floorDivide(doubled * PPM, 131_072n);
    if (z >= -3n * PPM && z <= 3n * PPM) return z;
  }
}
