import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AuctionKind,
  billSlot,
  buyerLimit,
  createMarket,
  DEFAULT_PRICES,
  runAuction,
  sellerLimit,
  tableLoss,
} from '../src/index.ts';
import { SEED } from './random-inputs.ts';
import { marketDraw, marketOf } from './random-markets.ts';

const KINDS: readonly AuctionKind[] = ['firstPrice', 'secondPrice', 'uniformDouble'];
const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

/** One seller of 5 kWh; buyers of 3, 3 and 3 kWh whose EDC rates are 5, 4 and 3 %; trades lose 1 %. */
function oneSeller() {
  const trade = [0.01, 0.01, 0.01, 0.01];
  return createMarket(
    [
      { productionKwh: 5, consumptionKwh: 0 },
      ...[3, 3, 3].map((consumptionKwh) => ({ productionKwh: 0, consumptionKwh })),
    ],
    tableLoss([0.02, 0.05, 0.04, 0.03], [trade, trade, trade, trade]),
  );
}

describe('limits', () => {
  test('are the outside option, corrected for loss', () => {
    const market = oneSeller();
    expect(buyerLimit(market, DEFAULT_PRICES, 1, 0)).toBeCloseTo(0.3 + 0.19 * (0.05 - 0.005), 12);
    expect(sellerLimit(market, DEFAULT_PRICES, 0, 1)).toBeCloseTo(0.08 - 0.19 * (0.02 - 0.005), 12);
  });

  test('a trade at the buyer limit leaves the buyer where it was, at the seller limit the seller', () => {
    const market = oneSeller();
    const first = runAuction(market, DEFAULT_PRICES, 'firstPrice');
    const { bill, withoutTrading } = billSlot(market, first.outcome, DEFAULT_PRICES, undefined, first.pricePerKwh);
    for (const buyer of [1, 2, 3]) expect(bill[buyer]).toBeCloseTo(withoutTrading[buyer]!, 12);
    const atAsk = runAuction(market, DEFAULT_PRICES, 'firstPrice', () => sellerLimit(market, DEFAULT_PRICES, 0, 1));
    expect(billSlot(market, atAsk.outcome, DEFAULT_PRICES, undefined, atAsk.pricePerKwh).bill[0]).toBeCloseTo(
      withoutTrading[0]!,
      12,
    );
  });
});

describe('runAuction', () => {
  const traded = (kind: AuctionKind) =>
    runAuction(oneSeller(), DEFAULT_PRICES, kind).outcome.trades.map(({ seller, buyer, energy }) => [
      seller,
      buyer,
      energy,
    ]);

  test('serves the highest bids, which are those with most to lose at the EDC', () => {
    for (const kind of KINDS) {
      expect(traded(kind)).toEqual([
        [0, 1, 3],
        [0, 2, 2],
      ]);
    }
  });

  test('first price: the own bid; second price: the best losing bid; double auction: the last midpoint', () => {
    const market = oneSeller();
    const bid = (buyer: number) => buyerLimit(market, DEFAULT_PRICES, buyer, 0);
    expect(runAuction(market, DEFAULT_PRICES, 'firstPrice').pricePerKwh).toEqual([bid(1), bid(2)]);
    expect(runAuction(market, DEFAULT_PRICES, 'secondPrice').pricePerKwh).toEqual([bid(3), bid(3)]);
    const midpoint = (bid(2) + sellerLimit(market, DEFAULT_PRICES, 0, 2)) / 2;
    expect(runAuction(market, DEFAULT_PRICES, 'uniformDouble').pricePerKwh).toEqual([midpoint, midpoint]);
  });

  test('without a losing bid the second price is what the seller asks', () => {
    const market = createMarket(
      [
        { productionKwh: 5, consumptionKwh: 0 },
        { productionKwh: 0, consumptionKwh: 3 },
      ],
      tableLoss(
        [0.02, 0.05],
        [
          [0, 0.01],
          [0.01, 0],
        ],
      ),
    );
    expect(runAuction(market, DEFAULT_PRICES, 'secondPrice').pricePerKwh).toEqual([
      sellerLimit(market, DEFAULT_PRICES, 0, 1),
    ]);
  });

  test('a bid below what the seller asks trades nothing', () => {
    for (const kind of KINDS) expect(runAuction(oneSeller(), DEFAULT_PRICES, kind, () => 0.01).pricePerKwh).toEqual([]);
  });

  test('costs nobody more than the EDC alone; energy and money balance', () => {
    fc.assert(
      fc.property(marketDraw(12, 2), fc.constantFrom(...KINDS), (draw, kind) => {
        const market = marketOf(draw);
        const { outcome, pricePerKwh } = runAuction(market, DEFAULT_PRICES, kind);
        const { bill, withoutTrading, edc } = billSlot(market, outcome, DEFAULT_PRICES, undefined, pricePerKwh);
        expect(total(bill) + edc).toBeCloseTo(0, 9);
        bill.forEach((amount, i) => {
          expect(amount).toBeLessThanOrEqual(withoutTrading[i]! + 1e-9);
        });
        const net = total(outcome.exportKwh) - total(outcome.importKwh);
        expect(net).toBeCloseTo(total(market.balanceKwh), 9);
      }),
      { seed: SEED, numRuns: 60 },
    );
  });
});
