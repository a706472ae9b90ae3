import { MarketError } from './errors.ts';
import type { ProsumerMarket, SlotOutcome } from './prosumer-market.ts';
import type { Rng } from './rng.ts';
import { savingShapley } from './saving-shapley.ts';

export interface RewardOptions {
  /** `delta`: share of everybody's saving that rewards the miner's coalition, in (0, 1]. */
  readonly deltaFraction?: number;
  /** `p`, currency per kWh of saved loss. */
  readonly pricePerKwh?: number;
  /** Eq. 3.22 to the letter: nobody pays for the reward, so the payoffs exceed what was saved by `M_r`. */
  readonly literal322?: boolean;
  /** What the coalition's members share by: the Shapley value of the saving (default) or of the proof score. */
  readonly shapleyBase?: 'saving' | 'proofScore';
  /** Needed only for winners of more than `EXACT_SHAPLEY_MEMBERS` members. */
  readonly rng?: Rng;
}

/** Rewards of one slot, currency; arrays by prosumer. */
export interface Rewards {
  /** `M_r`, eq. 3.23 times the price. */
  readonly miningReward: number;
  readonly fee: readonly number[];
  readonly share: readonly number[];
  /** `x_i`: the value of the own saving, less the fee, plus the share. */
  readonly payoff: readonly number[];
  /** Per member of the winning coalition, kWh; empty without a winner. */
  readonly shapleyKwh: readonly number[];
}

/**
 * The mining reward and who pays and gets it (section 6; eqs. 3.17, 3.19-3.23). `winner` is an index into
 * `outcome.coalitions`, or `undefined` when nobody was drawn: then there is no reward and no fee.
 *
 * @throws MarketError MARKET_INVALID_INPUT; MARKET_UNKNOWN_WINNER.
 */
export function rewardSlot(
  market: ProsumerMarket,
  outcome: SlotOutcome,
  winner: number | undefined,
  options: RewardOptions = {},
): Rewards {
  const { deltaFraction = 0.1, pricePerKwh = 1, literal322 = false, shapleyBase = 'saving', rng } = options;
  if (!(deltaFraction > 0 && deltaFraction <= 1)) invalid('deltaFraction', deltaFraction, 'lie in (0, 1]');
  if (!(pricePerKwh >= 0 && Number.isFinite(pricePerKwh)))
    invalid('pricePerKwh', pricePerKwh, 'be finite and not negative');
  const saved = outcome.savingKwh.map((saving) => pricePerKwh * Math.max(0, saving));
  const share = saved.map(() => 0);
  if (winner === undefined) {
    return { miningReward: 0, fee: saved.map(() => 0), share, payoff: saved, shapleyKwh: [] };
  }
  const coalition = outcome.coalitions[winner];
  if (coalition === undefined) {
    throw new MarketError(
      'MARKET_UNKNOWN_WINNER',
      `winner ${winner} does not exist: the slot has ${outcome.coalitions.length} coalitions`,
      {
        field: 'winner',
        value: String(winner),
      },
    );
  }
  const { members, value } = coalition;
  const fee = saved.map((amount) => deltaFraction * amount);
  const miningReward = fee.reduce((sum, amount) => sum + amount, 0);
  const saving = savingShapley(market, members, rng);
  // By linearity the Shapley value of sum PS_i + v is PS_i plus that of v.
  const shapleyKwh =
    shapleyBase === 'saving' ? saving : saving.map((phi, k) => phi + market.singletonScoreKwh[members[k]!]!);
  const total = shapleyKwh.reduce((sum, phi) => sum + phi, 0);
  const worthSharing = shapleyBase === 'saving' ? value > 0 : total > 0;
  members.forEach((i, k) => {
    share[i] = miningReward * (worthSharing ? shapleyKwh[k]! / total : 1 / members.length);
  });
  return {
    miningReward,
    fee,
    share,
    payoff: saved.map((amount, i) => amount + share[i]! - (literal322 ? 0 : fee[i]!)),
    shapleyKwh,
  };
}

function invalid(field: string, value: number, rule: string): never {
  throw new MarketError('MARKET_INVALID_INPUT', `${field} is ${value}: it must ${rule}`, {
    field,
    value: String(value),
  });
}
