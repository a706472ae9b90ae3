import { describe, expect, test } from 'vitest';
import { realArithmetic } from '../src/arithmetic.ts';
import { arcSaving, coalitionValue, optimizeLoss, sidesOf, transportProblem } from '../src/coalition-problem.ts';
import {
  argmax,
  createMarket,
  drawProbabilities,
  grandOptimum,
  linearLoss,
  rewardSlot,
  savingShapley,
  settleSlot,
  signingMember,
} from '../src/index.ts';
import { solveTransport } from '../src/transport.ts';
import { GOLDEN_CASES, GOLDEN_INSTANCES, type GoldenInstance, type GoldenTrade } from './golden/instances.ts';

const TOLERANCE = 1e-6;

function close(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  for (let i = 0; i < expected.length; i++) expect(Math.abs(actual[i]! - expected[i]!)).toBeLessThanOrEqual(TOLERANCE);
}

function expectTrades(
  actual: readonly { readonly seller: number; readonly buyer: number; readonly energy: number }[],
  golden: readonly GoldenTrade[],
): void {
  const expected = [...golden].sort((a, b) => a.seller - b.seller || a.buyer - b.buyer);
  expect(actual.map(({ seller, buyer }) => [seller, buyer])).toEqual(
    expected.map(({ seller, buyer }) => [seller, buyer]),
  );
  close(
    actual.map(({ energy }) => energy),
    expected.map(({ kwh }) => kwh),
  );
}

function goldenMarket(instance: GoldenInstance, lossCharge: 'half' | 'full') {
  const positions = instance.x.map((xKm, i) => ({ xKm, yKm: instance.y[i]! }));
  const prosumers = instance.P.map((productionKwh, i) => ({ productionKwh, consumptionKwh: instance.C[i]! }));
  return createMarket(prosumers, linearLoss(positions, undefined, instance.k), { lossCharge });
}

describe.each(GOLDEN_CASES)('golden $name', ({ instance, lossCharge, expected }) => {
  const market = goldenMarket(instance, lossCharge);
  const outcome = settleSlot(market);
  const everyone = instance.E.map((_, i) => i);

  test('rates, balances and singleton quantities', () => {
    close(
      everyone.map((i) => market.rates.rateEdc(i)),
      instance.rateEDC,
    );
    for (const i of everyone)
      close(
        everyone.map((j) => market.rates.rate(i, j)),
        instance.rateMatrix[i]!,
      );
    close(market.balanceKwh, instance.E);
    close(market.singletonScoreKwh, instance.singletonScore);
    close(market.lossAloneKwh, instance.lossAlone);
  });

  test('saving per kWh on every arc', () => {
    const { sellers, buyers } = sidesOf(market.model, everyone);
    expect([sellers, buyers]).toEqual([expected.savingPerKwh.sellers, expected.savingPerKwh.buyers]);
    sellers.forEach((i, a) => {
      close(
        buyers.map((j) => arcSaving(market.model, i, j)),
        expected.savingPerKwh.matrix[a]!,
      );
    });
  });

  test('formation', () => {
    const { formation } = outcome;
    expect(formation.partitions[0]).toEqual(everyone.map((i) => [i]));
    expect(formation.partitions[1]).toEqual(expected.initialPartition);
    expect(formation.partitions.at(-1)).toEqual(expected.finalPartition);
    expect(formation.partitions).toHaveLength(2 + expected.rounds);
    expect([formation.rounds, formation.merges, formation.splits]).toEqual([
      expected.rounds,
      expected.merges,
      expected.splits,
    ]);
    expect(formation.steps.filter(({ kind }) => kind === 'merge')).toHaveLength(expected.merges);
  });

  test('trades, savings, losses and scores', () => {
    expectTrades(outcome.trades, expected.trades);
    close(outcome.savingKwh, expected.saving);
    close(outcome.lossChargedKwh, expected.lossInCoalition);
    close(outcome.proofScoreKwh, expected.proofScore);
    close(
      outcome.coalitions.map(({ value }) => value),
      expected.coalitionValue,
    );
    close(outcome.coalitionScoreKwh, expected.coalitionProofScore);
    close(
      [outcome.physicalLossAloneKwh, outcome.physicalSavingKwh],
      [expected.physicalLossAlone, expected.physicalSaving],
    );
  });

  test('draw', () => {
    close(
      drawProbabilities(outcome.coalitionScoreKwh),
      expected.wrsProbability.map((probability) => probability ?? 0),
    );
    expect(argmax(outcome.coalitionScoreKwh)).toBe(expected.highestScoreCoalition);
  });

  test('rewards', () => {
    const winner = expected.highestScoreCoalition;
    const rewards = rewardSlot(market, outcome, winner);
    close([rewards.miningReward], [expected.miningReward]);
    close(rewards.shapleyKwh, expected.shapleySavingWinner);
    close(rewards.share, expected.rewardShare);
    close(rewards.payoff, expected.payoffFeeDeducted);
    close(rewardSlot(market, outcome, winner, { literal322: true }).payoff, expected.payoffLiteral322);
    close(
      rewardSlot(market, outcome, winner, { shapleyBase: 'proofScore' }).shapleyKwh,
      expected.shapleyProofScoreWinner,
    );
  });

  test('grand coalition: optimum, Shapley value and core', () => {
    const grand = grandOptimum(market);
    close([grand.value], [expected.grand.value]);
    expectTrades(grand.trades, expected.grand.trades);
    close(grand.saving, expected.grand.saving);
    close(savingShapley(market, everyone), expected.grand.shapley);
    const { sellers, buyers } = sidesOf(market.model, everyone);
    const problem = transportProblem(market.model, sellers, buyers, market.model.arcWeight);
    const { supplyPrice, demandPrice } = solveTransport(realArithmetic, problem);
    const core = everyone.map(() => 0);
    sellers.forEach((i, a) => {
      core[i] = supplyPrice[a]! * problem.supply[a]!;
    });
    buyers.forEach((j, b) => {
      core[j] = demandPrice[b]! * problem.demand[b]!;
    });
    expect(core.reduce((sum, pay) => sum + pay, 0)).toBeCloseTo(expected.grand.value, 6);
    // One trade has many optimal duals; where the dual is unique it is the golden one.
    if (grand.trades.length > 1) close(core, expected.grand.coreByDuals);
  });
});

describe('worked example of section 8', () => {
  const instance = GOLDEN_INSTANCES.find(({ name }) => name === 'worked4')!;

  test('half: pairs, the merge and its audit trail', () => {
    const outcome = settleSlot(goldenMarket(instance, 'half'));
    const { steps, partitions } = outcome.formation;
    expect(
      steps.map(({ kind, before, after }) => [kind, before.map((c) => c.members), after.map((c) => c.members)]),
    ).toEqual([
      ['pair', [[3], [1]], [[1, 3]]],
      ['pair', [[0], [2]], [[0, 2]]],
      [
        'merge',
        [
          [0, 2],
          [1, 3],
        ],
        [[0, 1, 2, 3]],
      ],
    ]);
    close(
      steps.map(({ gain }) => gain),
      [0.100621978, 0.3100137, 0.493716995 - 0.100621978 - 0.3100137],
    );
    close(steps[0]!.after[0]!.saving, [0.052621978, 0.048]);
    close(steps[1]!.after[0]!.saving, [0.16700685, 0.14300685]);
    expect(partitions).toEqual([
      [[0], [1], [2], [3]],
      [
        [0, 2],
        [1, 3],
      ],
      [[0, 1, 2, 3]],
      [[0, 1, 2, 3]],
    ]);
    expect((100 * outcome.physicalSavingKwh) / outcome.physicalLossAloneKwh).toBeCloseTo(68.08, 2);
    const traded = (2 * outcome.energyTradedKwh) / instance.E.reduce((sum, energy) => sum + Math.abs(energy), 0);
    expect(traded).toBeCloseTo(22 / 23, 9);
    expect(signingMember(outcome, 0)).toBe(0);
  });

  test('values of all sets', () => {
    const market = goldenMarket(instance, 'half');
    const values: Record<string, number> = {
      '0,1': 0.249243955,
      '0,2': 0.3100137,
      '1,3': 0.100621978,
      '2,3': 0.12,
      '0,1,2': 0.393095018,
      '0,1,3': 0.249243955,
      '0,2,3': 0.3100137,
      '1,2,3': 0.12,
      '0,1,2,3': 0.493716995,
    };
    for (let mask = 0; mask < 16; mask++) {
      const members = [0, 1, 2, 3].filter((i) => (mask >> i) & 1);
      close([optimizeLoss(market.model, members).value], [values[members.join()] ?? 0]);
      close([coalitionValue(market.model, members)], [values[members.join()] ?? 0]);
    }
  });
});
