import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clearDoubleAuction, type Order } from '../src/market/double-auction.ts';
import { advanceScoreLedger, proofScore } from '../src/posoc/proof-score.ts';
import { drawWinner, selectionWeights } from '../src/posoc/selection.ts';
import { streamRng } from '../src/rng.ts';

const code = (name: string) => expect.objectContaining({ code: name });
const score = fc.double({ min: -50, max: 50, noNaN: true });
const scores = fc.array(score, { minLength: 1, maxLength: 12 });
const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);

describe('scores', () => {
  it('gated lies between trade and normalized; thesis counts headroom once', () => {
    const kwh = fc.double({ min: -40, max: 40, noNaN: true });
    fc.assert(
      fc.property(kwh, kwh, fc.double({ min: 0.2, max: 0.9, noNaN: true }), (tradeScoreKwh, netSoldKwh, socEnd) => {
        const input = { tradeScoreKwh, netSoldKwh, socEnd, socMax: 0.8, capacityKwh: 42 };
        const [trade, gated, normalized, thesis] = (['trade', 'gated', 'normalized', 'thesis'] as const).map((mode) =>
          proofScore(mode, input),
        );
        expect(trade).toBeLessThanOrEqual(gated! + 1e-12);
        expect(gated).toBeLessThanOrEqual(normalized! + 1e-12);
        expect(thesis! - tradeScoreKwh).toBeCloseTo(Math.max(0, 0.8 - socEnd), 12);
      }),
    );
  });

  it('a ledger remembers a share rho, debts included', () => {
    expect(advanceScoreLedger(-2, 1, 0.9)).toBeCloseTo(-0.8, 12);
  });
});

describe('weights', () => {
  it('are not negative, sum to 1, follow their EVs, and do not change with scale', () => {
    fc.assert(
      fc.property(scores, fc.double({ min: 1e-3, max: 1e3, noNaN: true }), (values, factor) => {
        // Scores so small that a factor would lose their digits tell nothing about scale.
        fc.pre(values.every((value) => value <= 0 || value > 1e-200));
        const weights = selectionWeights(values);
        expect(Math.min(...weights)).toBeGreaterThanOrEqual(0);
        expect(sum(weights)).toBeCloseTo(1, 9);
        expect([...selectionWeights([...values].reverse())].reverse()).toEqual(
          [...weights].map((weight) => expect.closeTo(weight, 12)),
        );
        const scaled = selectionWeights(values.map((value) => value * factor));
        weights.forEach((weight, i) => {
          expect(scaled[i]).toBeCloseTo(weight, 9);
        });
      }),
    );
  });

  it('ignore any number of EVs without a positive score', () => {
    fc.assert(
      fc.property(scores, fc.array(fc.double({ min: -50, max: 0, noNaN: true })), (values, sybils) => {
        fc.pre(values.some((value) => value > 0));
        const weights = selectionWeights([...values, ...sybils]);
        expect(weights.slice(0, values.length)).toEqual(selectionWeights(values));
        expect(sum(weights.slice(values.length))).toBe(0);
      }),
    );
  });

  it('never draw an EV without positive score while another has one', () => {
    fc.assert(
      fc.property(scores, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (values, u) => {
        fc.pre(values.some((value) => value > 0));
        expect(values[drawWinner(selectionWeights(values), u)]).toBeGreaterThan(0);
      }),
    );
  });

  it('give a draw on a boundary to the EV whose cumulative weight exceeds it', () => {
    expect([drawWinner([0.5, 0.5], 0.5), drawWinner([0.5, 0.5], 0.49), drawWinner([0, 1], 0)]).toEqual([1, 0, 1]);
  });

  it('are met by frequencies over 100 000 draws, within four sigma', () => {
    const weights = selectionWeights([5, -1, 3, 2, 0]);
    const rng = streamRng(1, 'draws');
    const counts = weights.map(() => 0);
    const draws = 100_000;
    for (let i = 0; i < draws; i++) counts[drawWinner(weights, rng.uniform())]!++;
    weights.forEach((weight, i) => {
      expect(Math.abs(counts[i]! - draws * weight)).toBeLessThanOrEqual(4 * Math.sqrt(draws * weight * (1 - weight)));
    });
  });

  it('leave out who may not serve, and cap with the excess shared in proportion', () => {
    expect([...selectionWeights([3, 1, 1], { eligible: [false, true, true] })]).toEqual([0, 0.5, 0.5]);
    const capped = selectionWeights([8, 1, 1], { maxWeight: 0.5 });
    expect([...capped]).toEqual([0.5, expect.closeTo(0.25, 12), expect.closeTo(0.25, 12)]);
    const cascade = selectionWeights([10, 4.5, 1, 1], { maxWeight: 0.4 });
    expect([...cascade]).toEqual([0.4, expect.closeTo(0.4, 12), expect.closeTo(0.1, 12), expect.closeTo(0.1, 12)]);
    expect(() => selectionWeights([1, 1], { eligible: [false, false] })).toThrowError(code('FRL_INVALID_INPUT'));
    expect(() => selectionWeights([1, 0], { maxWeight: 0.5 })).toThrowError(code('FRL_INVALID_INPUT'));
    expect(() => drawWinner([0, 0], 0.5)).toThrowError(code('FRL_INVALID_INPUT'));
  });
});

describe('double auction', () => {
  const grid = { gridSell: 0.15, gridBuy: 0.09 };
  const order = fc.record({
    quantityKwh: fc.double({ min: 0, max: 20, noNaN: true }),
    priceCadPerKwh: fc.double({ min: 0, max: 0.3, noNaN: true }),
  });
  const book = fc.array(order, { maxLength: 8 });
  const named = (prefix: string, orders: Omit<Order, 'id'>[]): Order[] =>
    orders.map((entry, i) => ({ id: `${prefix}${i}`, ...entry }));

  it('trades at no loss, within the grid prices, balanced, and alike for any order of the book', () => {
    fc.assert(
      fc.property(book, book, (bidBook, askBook) => {
        const bids = named('b', bidBook);
        const asks = named('s', askBook);
        const result = clearDoubleAuction(bids, asks, grid);
        expect(clearDoubleAuction([...bids].reverse(), [...asks].reverse(), grid)).toEqual(result);
        const price = result.priceCadPerKwh;
        if (price === null) {
          expect(result.trades).toEqual([]);
          return;
        }
        expect(price).toBeGreaterThanOrEqual(grid.gridBuy);
        expect(price).toBeLessThanOrEqual(grid.gridSell);
        for (const { buyer, seller, quantityKwh } of result.trades) {
          expect(quantityKwh).toBeGreaterThan(0);
          expect(bids.find(({ id }) => id === buyer)!.priceCadPerKwh).toBeGreaterThanOrEqual(price - 1e-12);
          expect(asks.find(({ id }) => id === seller)!.priceCadPerKwh).toBeLessThanOrEqual(price + 1e-12);
        }
        for (const { id, quantityKwh } of [...bids, ...asks]) {
          const traded = result.trades.filter(({ buyer, seller }) => buyer === id || seller === id);
          expect(sum(traded.map((trade) => trade.quantityKwh))).toBeLessThanOrEqual(quantityKwh + 1e-9);
        }
        expect(sum(result.trades.map((trade) => trade.quantityKwh))).toBeCloseTo(result.volumeKwh, 9);
      }),
    );
  });

  it('refuses orders that are not numbers', () => {
    const bad = { id: 'a', quantityKwh: -1, priceCadPerKwh: 0.1 };
    expect(() => clearDoubleAuction([bad], [], grid)).toThrowError(code('FRL_INVALID_INPUT'));
  });
});
