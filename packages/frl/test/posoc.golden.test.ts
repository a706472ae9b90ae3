import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { describe, expect, it } from 'vitest';
import { slotPrices } from '../src/environment/tariff.ts';
import { aggregateModels } from '../src/federation/aggregate-models.ts';
import type { AggregationRule } from '../src/federation/aggregation/rule.ts';
import { clearDoubleAuction, type Order } from '../src/market/double-auction.ts';
import { fillSlot } from '../src/market/fill.ts';
import { misprintedScores } from '../src/posoc/misprinted-score.ts';
import { proofScore } from '../src/posoc/proof-score.ts';
import { drawWinner, randomBeacon, selectionWeights } from '../src/posoc/selection.ts';
import { golden, goldenConfig } from './golden/golden.ts';

function near(actual: ArrayLike<number>, expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, index) => {
    expect(Math.abs((actual[index] as number) - value), `at ${index}: ${actual[index]}`).toBeLessThan(1e-9);
  });
}

describe('scores', () => {
  it.each(golden.episodes)('EV $ev.id in every mode', ({ total }) => {
    const input = {
      tradeScoreKwh: total.ps_trade_kwh,
      socEnd: total.socEnd,
      netSoldKwh: total.dis - total.ch,
      socMax: 0.8,
      capacityKwh: 42,
    };
    near(
      (['thesis', 'normalized', 'gated', 'trade'] as const).map((mode) => proofScore(mode, input)),
      [total.score_thesis, total.score_normalized, total.score_gated, total.score_trade],
    );
  });

  it.each(golden.episodes)('EV $ev.id as the misprints would score it', ({ rows, total }) => {
    const slots = rows.map((row) => ({ delta: row.delta, actionKwh: row.A, socAfter: row.socAfter }));
    const { hourlyHeadroom, signedDischarge } = misprintedScores(slots, 0.8);
    near([hourlyHeadroom, signedDischarge], [total.score_literal417, total.score_alg4_literal_signbug]);
    near([hourlyHeadroom - total.ps_trade_kwh], [total.sumHeadPresent]);
  });

  it('C, whose stay the golden file does not give, follows from its T, headroom and net sale', () => {
    const [thesis, normalized, gated, trade] = golden.selection.map(({ scores }) => scores[2] as number);
    const input = {
      tradeScoreKwh: (trade as number) * 42,
      socEnd: 0.8 - ((normalized as number) - (trade as number)),
      netSoldKwh: 19,
      socMax: 0.8,
      capacityKwh: 42,
    };
    near([proofScore('thesis', input), proofScore('gated', input)], [thesis as number, gated as number]);
  });
});

describe('selection', () => {
  it.each(golden.selection)('weights and draws in mode $mode', ({ scores, weights, draws }) => {
    const actual = selectionWeights(scores);
    near(actual, weights);
    for (const { u, winner } of draws) expect(drawWinner(actual, u), `u = ${u}`).toBe(winner);
  });

  it.each(golden.selectionEdge)('scores $scores', ({ scores, weights }) => {
    near(selectionWeights(scores), weights);
  });

  it('falls to the last EV with weight when rounding leaves u uncovered', () => {
    expect(drawWinner([0.1, 0.2, 0.6999999999, 0], 0.99999999999)).toBe(2);
  });

  it('beacon', () => {
    const { digestHex, u } = randomBeacon('00', 7);
    expect(bytesToHex(sha256(utf8ToBytes(golden.randomBeacon.input)))).toBe(digestHex);
    expect(digestHex).toBe(golden.randomBeacon.sha256);
    expect(u).toBe(golden.randomBeacon.u);
  });
});

describe('market', () => {
  it.each(golden.pool)('pool of $net', ({ lambda_, net, buy, sell, matched, rows }) => {
    const fill = fillSlot('pool', net, slotPrices(lambda_, goldenConfig.tariff));
    expect(rows.map((row) => row.net)).toEqual(net);
    near([fill.buyKwh, fill.sellKwh, fill.matchedKwh], [buy, sell, matched]);
    near(
      fill.rows.map((row) => row.v2vKwh),
      rows.map((row) => row.v2v),
    );
    near(
      fill.rows.map((row) => row.gridKwh),
      rows.map((row) => row.grid),
    );
    near(
      fill.rows.map((row) => row.cashCad),
      rows.map((row) => row.cash),
    );
  });

  it('assumed fill gives everybody pV2V', () => {
    const fill = fillSlot('assumed', [10, -4, 0], slotPrices(0.15, goldenConfig.tariff));
    near(
      fill.rows.map((row) => row.cashCad),
      [-1.125, 0.45, 0],
    );
  });

  it.each(golden.auction)(
    'auction at $price for $volume kWh',
    ({ bids, asks, pGsell, pGbuy, price, volume, trades }) => {
      const orders = (list: (string | number)[][]): Order[] =>
        list.map(([id, quantityKwh, priceCadPerKwh]) => ({
          id: id as string,
          quantityKwh: quantityKwh as number,
          priceCadPerKwh: priceCadPerKwh as number,
        }));
      const result = clearDoubleAuction(orders(bids), orders(asks), { gridSell: pGsell, gridBuy: pGbuy });
      if (price === null) expect(result.priceCadPerKwh).toBeNull();
      else near([result.priceCadPerKwh as number], [price]);
      near([result.volumeKwh], [volume]);
      expect(result.trades.map(({ buyer, seller, quantityKwh }) => [buyer, seller, quantityKwh])).toEqual(trades);
    },
  );
});

describe('aggregation', () => {
  it.each(golden.aggregation)('$kind, f = $f', ({ kind, f, global_, weights, result, ...extra }) => {
    const rule = (['mean', 'median'].includes(kind) ? { name: kind } : { name: kind, f }) as AggregationRule;
    const submissions = weights.map((values, rank) => ({ rank, weights: Float64Array.from(values) }));
    const forward = aggregateModels(Float64Array.from(global_), submissions, rule);
    near(forward.weights, result);
    if ('scores' in extra) near(forward.scores as Float64Array, extra.scores as number[]);
    if ('selected' in extra) expect(forward.selected).toEqual(extra.selected);
    const backward = aggregateModels(Float64Array.from(global_), [...submissions].reverse(), rule);
    expect(backward.weights).toEqual(forward.weights);
  });
});
