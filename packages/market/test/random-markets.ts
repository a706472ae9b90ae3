import fc from 'fast-check';
import { createMarket, linearLoss, type MarketOptions, type ProsumerMarket } from '../src/index.ts';

export interface MarketDraw {
  readonly prosumers: readonly { readonly productionKwh: number; readonly consumptionKwh: number }[];
  readonly positions: readonly { readonly xKm: number; readonly yKm: number }[];
  readonly lossCharge: 'half' | 'full';
}

const real = (max: number) => fc.integer({ min: 0, max: 1e9 }).map((step) => (step / 1e9) * max);

/** Prosumers anywhere in the square, generic enough to be free of ties. */
export function marketDraw(maxProsumers: number, minProsumers = 0): fc.Arbitrary<MarketDraw> {
  const one = fc.record({ xKm: real(20), yKm: real(20), productionKwh: real(20), consumptionKwh: real(20) });
  // Without bias towards edge values, which would put several prosumers on one spot; and without shrinking, which
  // does too.
  const draw = fc
    .record({
      all: fc.array(one, { minLength: minProsumers, maxLength: maxProsumers, size: 'max' }),
      lossCharge: fc.constantFrom('half' as const, 'full' as const),
    })
    .map(({ all, lossCharge }) => ({
      prosumers: all.map(({ productionKwh, consumptionKwh }) => ({ productionKwh, consumptionKwh })),
      positions: all.map(({ xKm, yKm }) => ({ xKm, yKm })),
      lossCharge,
    }));
  return fc.noShrink(fc.noBias(draw));
}

export function marketOf(draw: MarketDraw, options: MarketOptions = {}): ProsumerMarket {
  return createMarket(draw.prosumers, linearLoss(draw.positions), { lossCharge: draw.lossCharge, ...options });
}
