import { describe, expect, test } from 'vitest';
import {
  billMarket,
  billSlot,
  clampedLoss,
  createMarket,
  DEFAULT_PRICES,
  type IntegerMarketInput,
  linearLoss,
  MarketError,
  type MarketErrorCode,
  rewardSlot,
  savingShapley,
  settleMarket,
  settleSlot,
  shapleyHalfNanoWh,
  tableLoss,
  validateMarketInput,
} from '../src/index.ts';

function thrown(action: () => unknown): MarketError {
  try {
    action();
  } catch (error) {
    if (error instanceof MarketError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

function expectError(
  action: () => unknown,
  code: MarketErrorCode,
  field: string,
  index?: number | [number, number],
): void {
  const error = thrown(action);
  expect(error.code).toBe(code);
  expect(error.detail.field).toBe(field);
  expect(error.detail.index).toEqual(index);
  expect(error.message).toContain(field);
}

const VALID: IntegerMarketInput = {
  balanceWh: [5n, -3n],
  rateEdcPpb: [4n, 4n],
  ratePpb: [
    [0n, 1n],
    [1n, 0n],
  ],
  lossCharge: 'half',
  maxCoalitionSize: 12,
  tieWeight: () => 0n,
};
const PRICES = {
  importMicroPerKwh: 3n,
  exportMicroPerKwh: 1n,
  localMicroPerKwh: 2n,
  lossMicroPerKwh: 2n,
  deviationMicroPerKwh: 2n,
  rewardPpm: 100_000n,
};

describe('integer inputs', () => {
  const invalid = (change: object, field: string, index?: number | [number, number]) =>
    expectError(
      () => validateMarketInput({ ...VALID, ...change } as IntegerMarketInput),
      'MARKET_INVALID_INPUT',
      field,
      index,
    );

  test('a valid input passes', () => {
    expect(() => validateMarketInput(VALID)).not.toThrow();
    expect(() => validateMarketInput({ ...VALID, balanceWh: [], rateEdcPpb: [], ratePpb: [] })).not.toThrow();
  });

  test('MARKET_INVALID_INPUT names field and index', () => {
    invalid({ lossCharge: 'quarter' }, 'lossCharge');
    invalid({ maxCoalitionSize: 0 }, 'maxCoalitionSize');
    invalid({ maxCoalitionSize: 17 }, 'maxCoalitionSize');
    invalid({ maxCoalitionSize: 2.5 }, 'maxCoalitionSize');
    invalid({ balanceWh: [5n, 3] }, 'balanceWh', 1);
    invalid({ rateEdcPpb: [4n] }, 'rateEdcPpb');
    invalid({ rateEdcPpb: [4n, -1n] }, 'rateEdcPpb', 1);
    invalid({ rateEdcPpb: [1_000_000_001n, 4n] }, 'rateEdcPpb', 0);
    invalid({ ratePpb: [[0n, 1n]] }, 'ratePpb');
    invalid({ ratePpb: [[0n, 1n], [1n]] }, 'ratePpb', 1);
    invalid(
      {
        ratePpb: [
          [0n, 1n],
          [2n, 0n],
        ],
      },
      'ratePpb',
      [0, 1],
    );
    invalid(
      {
        ratePpb: [
          [0n, -1n],
          [-1n, 0n],
        ],
      },
      'ratePpb',
      [0, 1],
    );
  });

  test('tie weights are checked where they are used', () => {
    for (const weight of [-1n, 1n << 32n, 3 as unknown as bigint]) {
      expectError(
        () => settleMarket({ ...VALID, tieWeight: () => weight }),
        'MARKET_INVALID_INPUT',
        'tieWeight',
        [0, 1],
      );
    }
    expect(settleMarket({ ...VALID, tieWeight: () => (1n << 32n) - 1n }).energyTradedWh).toBe(3n);
  });

  test('members of a Shapley value are ranks, each once', () => {
    expectError(() => shapleyHalfNanoWh(VALID, [0, 2]), 'MARKET_INVALID_INPUT', 'members', 1);
    expectError(() => shapleyHalfNanoWh(VALID, [1, 1]), 'MARKET_INVALID_INPUT', 'members', 1);
  });

  test('MARKET_TOO_LARGE for an exact Shapley value of too many members', () => {
    const many = Array.from({ length: 17 }, (_, i) => i);
    const input = {
      ...VALID,
      balanceWh: many.map(() => 1n),
      rateEdcPpb: many.map(() => 1n),
      ratePpb: many.map(() => many.map(() => 1n)),
    };
    expectError(() => shapleyHalfNanoWh(input, many), 'MARKET_TOO_LARGE', 'members');
  });

  test('MARKET_INVALID_PRICES', () => {
    const outcome = settleMarket(VALID);
    const priced = (change: Partial<typeof PRICES>, field: string) =>
      expectError(() => billMarket(VALID, outcome, { ...PRICES, ...change }, []), 'MARKET_INVALID_PRICES', field);
    priced({ exportMicroPerKwh: -1n }, 'exportMicroPerKwh');
    priced({ localMicroPerKwh: 0n }, 'localMicroPerKwh');
    priced({ importMicroPerKwh: 1n }, 'importMicroPerKwh');
    priced({ lossMicroPerKwh: -1n }, 'lossMicroPerKwh');
    priced({ deviationMicroPerKwh: -1n }, 'deviationMicroPerKwh');
    priced({ rewardPpm: 1_000_001n }, 'rewardPpm');
  });

  test('MARKET_UNKNOWN_WINNER', () => {
    expectError(() => billMarket(VALID, settleMarket(VALID), PRICES, [0]), 'MARKET_UNKNOWN_WINNER', 'winner');
  });
});

describe('study inputs', () => {
  const here = [{ xKm: 1, yKm: 2 }];
  const market = (productionKwh: number, consumptionKwh: number) => () =>
    createMarket([{ productionKwh, consumptionKwh }], linearLoss(here));

  test('energies must be finite and not negative', () => {
    for (const bad of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
      expectError(market(bad, 0), 'MARKET_INVALID_INPUT', 'productionKwh', 0);
      expectError(market(0, bad), 'MARKET_INVALID_INPUT', 'consumptionKwh', 0);
    }
    expect(market(1e6, 1e6)).not.toThrow();
  });

  test('loss rates must fit', () => {
    expectError(() => createMarket([], linearLoss(here)), 'MARKET_INVALID_INPUT', 'rates');
    expectError(() => linearLoss([{ xKm: Number.NaN, yKm: 0 }]), 'MARKET_INVALID_INPUT', 'positions', 0);
    expectError(() => linearLoss([], { xKm: 0, yKm: Number.NaN }), 'MARKET_INVALID_INPUT', 'edc');
    expectError(() => linearLoss(here, undefined, -1), 'MARKET_INVALID_INPUT', 'lossPerKm');
    expectError(() => clampedLoss(linearLoss(here), 0.2, 0.1), 'MARKET_INVALID_INPUT', 'lowest');
    expectError(() => tableLoss([0.1], []), 'MARKET_INVALID_INPUT', 'rate');
    expectError(() => tableLoss([0.1], [[]]), 'MARKET_INVALID_INPUT', 'rate', 0);
    expectError(() => tableLoss([-0.1], [[0]]), 'MARKET_INVALID_INPUT', 'rateEdc', 0);
    expectError(
      () =>
        tableLoss(
          [0.1, 0.1],
          [
            [0, 0.1],
            [0.2, 0],
          ],
        ),
      'MARKET_INVALID_INPUT',
      'rate',
      [1, 0],
    );
    expectError(
      () =>
        tableLoss(
          [0.1, 0.1],
          [
            [0, 0.1],
            [Number.NaN, 0],
          ],
        ),
      'MARKET_INVALID_INPUT',
      'rate',
      [1, 0],
    );
  });

  test('coalition sizes must allow what is asked for', () => {
    expectError(
      () => createMarket([], linearLoss([]), { maxCoalitionSize: 0 }),
      'MARKET_INVALID_INPUT',
      'maxCoalitionSize',
    );
    expectError(
      () => createMarket([], linearLoss([]), { forced: true, maxCoalitionSize: 17 }),
      'MARKET_INVALID_INPUT',
      'maxCoalitionSize',
    );
  });

  test('rewards, prices and sampling', () => {
    const slot = createMarket([{ productionKwh: 3, consumptionKwh: 1 }], linearLoss(here));
    const outcome = settleSlot(slot);
    expectError(() => rewardSlot(slot, outcome, 0, { deltaFraction: 0 }), 'MARKET_INVALID_INPUT', 'deltaFraction');
    expectError(() => rewardSlot(slot, outcome, 0, { pricePerKwh: -1 }), 'MARKET_INVALID_INPUT', 'pricePerKwh');
    expectError(() => rewardSlot(slot, outcome, 1), 'MARKET_UNKNOWN_WINNER', 'winner');
    for (const field of ['exportPerKwh', 'localPerKwh', 'importPerKwh', 'lossPerKwh', 'deviationPerKwh'] as const) {
      expectError(() => billSlot(slot, outcome, { ...DEFAULT_PRICES, [field]: -1 }), 'MARKET_INVALID_PRICES', field);
    }
    expectError(
      () => billSlot(slot, outcome, { ...DEFAULT_PRICES, importPerKwh: Number.POSITIVE_INFINITY }),
      'MARKET_INVALID_PRICES',
      'importPerKwh',
    );
    // Two sellers and twelve buyers on one spot: not a star, and too many to enumerate.
    const many = Array.from({ length: 14 }, (_, i) => i);
    const crowd = createMarket(
      many.map((i) => (i < 2 ? { productionKwh: 9, consumptionKwh: 0 } : { productionKwh: 0, consumptionKwh: 2 })),
      linearLoss(many.map(() => here[0]!)),
    );
    expectError(() => savingShapley(crowd, many), 'MARKET_INVALID_INPUT', 'rng');
  });
});
