import * as fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { conservationFaults } from '../../src/ledger/conservation.ts';
import { advanceHeld, settleDay } from '../../src/posoc/day-end.ts';
import { clearHour, hourTariff, offPriceMicro } from '../../src/posoc/hour-market.ts';
import { POSOC_ACCOUNTS } from '../../src/posoc/parameters.ts';
import { decodePayload } from '../../src/posoc/payload.ts';
import type { Stay } from '../../src/posoc/state.ts';
import { PosocChain, posocParameters } from '../fixtures/posoc-chain.ts';

const N = 4;

describe('an hour', () => {
  test('is cleared among EVs and the building; batteries, scores and balances follow', () => {
    const chain = new PosocChain();
    chain.skipTo(8);
    const tariff = hourTariff(chain.parameters, 0, 8);
    expect(tariff.period).toBe('on');
    chain.settle([
      chain.action(0, { actionWh: -8_000n }),
      chain.action(1, { actionWh: 2_000n }),
      chain.action(2, null),
      chain.action(3, { actionWh: 0n }),
    ]);
    const [seller, buyer, away, idle] = chain.app.stays;
    // 5 kWh are wanted (2 by the EV, 3 by the building), 8 are offered: 5 find each other, 3 go to the grid.
    expect(seller).toMatchObject({ startEnergyWh: 21_000n, energyWh: 13_000n, soldWh: 8_000n, matchedWh: 5_000n });
    expect(seller?.cashMicro).toBe(5n * tariff.v2vMicro + 3n * tariff.gridBuyMicro);
    expect(seller?.tradeScorePpmWh).toBe(tariff.deltaPpm * 8_000n);
    expect(buyer).toMatchObject({ energyWh: 23_000n, boughtWh: 2_000n, matchedWh: 2_000n });
    expect(buyer?.cashMicro).toBe(-2n * tariff.v2vMicro);
    expect(away).toBeNull();
    expect(idle).toMatchObject({ energyWh: 21_000n, cashMicro: 0n });
    const clearing = chain.state.ledger.accounts.map(({ clearingMicro }) => clearingMicro);
    expect(clearing.slice(0, 2)).toEqual([seller?.cashMicro, buyer?.cashMicro]);
    expect(conservationFaults(chain.state.ledger)).toEqual([]);
  });

  const action = fc.record({
    energyWh: fc.constant(20_000n),
    actionWh: fc.bigInt(-10_000n, 10_000n),
    limitMicro: fc.bigInt(0n, 300_000n),
  });
  test.each(['assumed', 'pool', 'auction'] as const)('conserves money and energy under %s', (fill) => {
    const parameters = posocParameters({ fill });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 8 }), fc.nat(23), fc.nat(50), (evs, hour, day) => {
        const actions = evs.map((ev, rank) => ({ rank, ...ev }));
        const result = clearHour(parameters, day, hour, actions);
        const cash = result.rows.reduce((sum, { cashMicro }) => sum + cashMicro, 0n);
        expect(cash + result.buildingCashMicro + result.edcMicro).toBe(0n);
        expect(result.rows.map(({ actionWh }) => actionWh)).toEqual(evs.map(({ actionWh }) => actionWh));
        for (const { matchedWh, actionWh } of result.rows)
          expect(matchedWh <= (actionWh < 0n ? -actionWh : actionWh)).toBe(true);
        if (fill !== 'assumed') {
          const soldToPeers = result.rows
            .filter(({ actionWh }) => actionWh < 0n)
            .reduce((sum, { matchedWh }) => sum + matchedWh, 0n);
          expect(soldToPeers).toBe(result.matchedWh);
        }
      }),
      { seed: 5, numRuns: 100 },
    );
  });
});

describe('a day', () => {
  let chain: PosocChain;
  /** EV 0 sells 10 kWh in an on-peak hour, EV 1 sells 5; EV 2 buys 10. */
  beforeEach(() => {
    chain = new PosocChain();
    chain.skipTo(9);
    chain.settle([
      chain.action(0, { actionWh: -10_000n }),
      chain.action(1, { actionWh: -5_000n }),
      chain.action(2, { actionWh: 10_000n }),
    ]);
    chain.skipTo(23);
  });

  test('ends with scores, which are the weights of the next draw, and without reward where nobody was drawn', () => {
    const { deltaPpm } = hourTariff(chain.parameters, 0, 9);
    chain.settle([0, 1, 2, 3].map((rank) => chain.payment(rank)));
    const score = (wh: bigint) => (deltaPpm * wh) / 1_000n;
    expect(chain.app.scores).toEqual([score(10_000n), score(5_000n), score(-10_000n), 0n]);
    expect(chain.state.term).toBe(1);
    expect(chain.state.election.candidates).toEqual([
      { members: [0], miner: 0, successors: [], weight: score(10_000n) },
      { members: [1], miner: 1, successors: [], weight: score(5_000n) },
      { members: [2], miner: 2, successors: [], weight: 0n },
      { members: [3], miner: 3, successors: [], weight: 0n },
    ]);
    expect(chain.app.stays).toEqual([null, null, null, null]);
    // The first day's list is uniform: nobody stands in it by a score, so nobody is rewarded.
    expect(chain.app.totals.map(({ feeMicro, rewardMicro }) => [feeMicro, rewardMicro])).toEqual(
      Array(N).fill([0n, 0n]),
    );
    expect(chain.app.totals[0]).toMatchObject({ days: 1, soldWh: 10_000n });
    expect(chain.app.totals[3]).toMatchObject({ days: 0 });
    expect(chain.state.ledger.accounts[0]?.eposMicro).toBe(score(10_000n));
  });

  test('after the first: fees go to the miner, an unpaid profit is held and released on payment', () => {
    chain.settle([0, 1, 2, 3].map((rank) => chain.payment(rank)));
    const dayStart = chain.state.slot;
    chain.skipTo(dayStart + 9);
    chain.settle([0, 1, 3].map((rank) => chain.action(rank, { actionWh: -8_000n })));
    chain.skipTo(dayStart + 23);
    const before = chain.state.ledger.accounts;
    const settlement = chain.compose('closing').block.header.composer;
    const payers = [0, 1, 3].filter((rank) => rank !== settlement);
    const [selfish, honest] = payers as [number, number];
    const profit = profitOf(chain, selfish);
    expect(profit).toBeGreaterThan(0n);
    // The selfish EV says that it does not pay; the others pay.
    chain.settle([0, 1, 2, 3].map((rank) => chain.payment(rank, rank !== selfish)));
    const fee = (profit * 50_000n) / 1_000_000n;
    expect(chain.app.held).toEqual([{ rank: selfish, miner: settlement, profitMicro: profit, feeMicro: fee }]);
    const escrow = N + POSOC_ACCOUNTS.escrow;
    const clearing = (account: number) => chain.state.ledger.accounts[account]?.clearingMicro ?? 0n;
    expect(clearing(escrow)).toBe(profit);
    expect(clearing(selfish)).toBe((before[selfish]?.clearingMicro ?? 0n) - profit);
    const honestFee = chain.app.totals[honest]?.feeMicro ?? 0n;
    expect(honestFee).toBeGreaterThan(0n);
    expect(chain.app.totals[settlement]?.rewardMicro).toBe(
      payers
        .filter((rank) => rank !== selfish)
        .reduce((sum, rank) => sum + (chain.app.totals[rank]?.feeMicro ?? 0n), 0n),
    );
    expect(conservationFaults(chain.state.ledger)).toEqual([]);

    const earned = clearing(settlement);
    chain.settle([chain.payment(selfish)]);
    expect(chain.app.held).toEqual([]);
    expect(clearing(escrow)).toBe(0n);
    expect(clearing(selfish)).toBe((before[selfish]?.clearingMicro ?? 0n) - fee);
    expect(clearing(settlement)).toBe(earned + fee);
    expect(conservationFaults(chain.state.ledger)).toEqual([]);
  });
});

function profitOf(chain: PosocChain, rank: number): bigint {
  const stay = chain.app.stays[rank] as Stay;
  const day = Math.floor(chain.state.slot / 24);
  const stored = (stay.energyWh - stay.startEnergyWh) * offPriceMicro(chain.parameters, day);
  return stay.cashMicro + (stored >= 0n ? stored / 1_000n : -((-stored + 999n) / 1_000n));
}

describe('splitting a day', () => {
  const stay = fc.option(
    fc.record({
      startEnergyWh: fc.bigInt(8_400n, 33_600n),
      energyWh: fc.bigInt(8_400n, 33_600n),
      tradeScorePpmWh: fc.bigInt(-(10n ** 11n), 10n ** 11n),
      boughtWh: fc.bigInt(0n, 50_000n),
      soldWh: fc.bigInt(0n, 50_000n),
      matchedWh: fc.constant(0n),
      cashMicro: fc.bigInt(-5_000_000n, 5_000_000n),
    }),
  );

  test('conserves profit, and paying later gives the same totals as paying at once', () => {
    fc.assert(
      fc.property(
        fc.array(stay, { minLength: 2, maxLength: 8 }),
        fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
        (stays, pays) => {
          const parameters = posocParameters();
          const scores = stays.map(() => 0n);
          const paid = new Set(stays.flatMap((_, rank) => (pays[rank] ? [rank] : [])));
          const everybody = new Set(stays.keys());
          const late = settleDay(parameters, 80_000n, stays, scores, 1, paid);
          const sum = (of: (row: (typeof late.rows)[number]) => bigint, rows = late.rows) =>
            rows.reduce((total, row) => total + of(row), 0n);
          expect(sum(({ payoffMicro, escrowMicro }) => payoffMicro + escrowMicro)).toBe(
            sum(({ profitMicro }) => profitMicro),
          );
          const { held } = advanceHeld([], paid, late);
          const { releases, held: none } = advanceHeld(held, everybody, null);
          expect(none).toEqual([]);
          const payoff = late.rows.map(({ payoffMicro }) => payoffMicro);
          for (const { rank, miner, profitMicro, feeMicro } of releases) {
            payoff[rank] = (payoff[rank] ?? 0n) + profitMicro - feeMicro;
            payoff[miner] = (payoff[miner] ?? 0n) + feeMicro;
          }
          const atOnce = settleDay(parameters, 80_000n, stays, scores, 1, everybody);
          expect(payoff).toEqual(atOnce.rows.map(({ payoffMicro }) => payoffMicro));
        },
      ),
      { seed: 9, numRuns: 200 },
    );
  });
});

describe('the payload of an honest composer', () => {
  test('depends on what was sent, not on the order in which it came', () => {
    const chain = new PosocChain();
    chain.skipTo(7);
    chain.close();
    const contributions = [0, 1, 2, 3].map((rank) => chain.action(rank, { actionWh: BigInt(rank) * 500n - 700n }));
    const one = chain.compose('settlement', { contributions });
    const other = chain.compose('settlement', { contributions: [...contributions].reverse() });
    expect(other.blockHash).toBe(one.blockHash);
    expect(decodePayload(one.block.payload).actions).toHaveLength(4);
  });
});
