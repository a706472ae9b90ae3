import fc from 'fast-check';
import type { IntegerMarketInput } from '../src/index.ts';

/** Every property run is reproducible. */
export const SEED = 20251122;

/** A hash-like weight per unordered pair: symmetric, below 2^32, different for almost all pairs. */
export function mixedTieWeight(salt: number): IntegerMarketInput['tieWeight'] {
  return (i, j) => {
    const [low, high] = i < j ? [i, j] : [j, i];
    let mixed = Math.imul(salt ^ Math.imul(low + 1, 0x9e3779b1) ^ Math.imul(high + 1, 0x85ebca6b), 0xc2b2ae35);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x27d4eb2f);
    return BigInt((mixed ^ (mixed >>> 13)) >>> 0);
  };
}

const PLACES_PER_KM = 1e6;

/** Members at random places of the 20 km square: rates as good as all different, so nothing ties. */
export function scatteredInput(maxMembers: number, maxBalanceWh: bigint): fc.Arbitrary<IntegerMarketInput> {
  const coordinate = fc.integer({ min: 0, max: 20 * PLACES_PER_KM });
  const member = fc.record({
    x: coordinate,
    y: coordinate,
    balanceWh: fc.bigInt({ min: -maxBalanceWh, max: maxBalanceWh }),
  });
  const input = fc
    .record({
      members: fc.array(member, { maxLength: maxMembers, size: 'max' }),
      lossCharge: fc.constantFrom('half' as const, 'full' as const),
      salt: fc.nat(),
    })
    .map(({ members, lossCharge, salt }) => {
      const rate = (ax: number, ay: number, bx: number, by: number) =>
        BigInt(Math.round((0.0039598e9 * Math.hypot(ax - bx, ay - by)) / PLACES_PER_KM));
      return {
        balanceWh: members.map(({ balanceWh }) => balanceWh),
        rateEdcPpb: members.map(({ x, y }) => rate(x, y, 10 * PLACES_PER_KM, 10 * PLACES_PER_KM)),
        ratePpb: members.map((a) => members.map((b) => rate(a.x, a.y, b.x, b.y))),
        lossCharge,
        maxCoalitionSize: 12,
        tieWeight: mixedTieWeight(salt),
      };
    });
  // Bias towards edge values and shrinking would both put members on one spot.
  return fc.noShrink(fc.noBias(input));
}

/** A few members on a few buses with small round rates and balances: ties everywhere. */
export function tiedInput(maxMembers: number, maxBalanceWh: bigint): fc.Arbitrary<IntegerMarketInput> {
  const buses = 3;
  const rate = fc.bigInt({ min: 0n, max: 4n });
  return fc
    .record({
      busOf: fc.array(fc.nat(buses - 1), { maxLength: maxMembers, size: 'max' }),
      balances: fc.array(fc.bigInt({ min: -maxBalanceWh, max: maxBalanceWh }), {
        minLength: maxMembers,
        maxLength: maxMembers,
      }),
      rateEdc: fc.array(rate, { minLength: buses, maxLength: buses }),
      between: fc.array(rate, { minLength: 6, maxLength: 6 }),
      lossCharge: fc.constantFrom('half' as const, 'full' as const),
      maxCoalitionSize: fc.integer({ min: 1, max: 6 }),
      coarseWeights: fc.boolean(),
      salt: fc.nat(),
    })
    .map(({ busOf, balances, rateEdc, between, lossCharge, maxCoalitionSize, coarseWeights, salt }) => {
      const weight = mixedTieWeight(salt);
      // Unordered pairs of three buses: 00, 01, 11, 02, 12, 22.
      const pair = (a: number, b: number) => between[(Math.max(a, b) * (Math.max(a, b) + 1)) / 2 + Math.min(a, b)]!;
      return {
        balanceWh: balances.slice(0, busOf.length),
        rateEdcPpb: busOf.map((bus) => rateEdc[bus]!),
        ratePpb: busOf.map((a) => busOf.map((b) => pair(a, b))),
        lossCharge,
        maxCoalitionSize,
        // Two-valued weights leave ties for the lexicographic rule.
        tieWeight: coarseWeights ? (i, j) => weight(i, j) & 1n : weight,
      };
    });
}
