import { requireConfig, requireInput } from '../frl-error.ts';
import { floorDivide, PPM, WH_PER_KWH } from './integer-arithmetic.ts';

/** Day result of one EV in micro-CAD after clearing: cash plus the change of stored energy at the off-peak price. */
export function settledProfitMicro(
  cashMicro: bigint,
  energyStartWh: bigint,
  energyEndWh: bigint,
  offPriceMicroPerKwh: bigint,
): bigint {
  return cashMicro + floorDivide((energyEndWh - energyStartWh) * offPriceMicroPerKwh, WH_PER_KWH);
}

export interface MiningRewardInput {
  /** Settled profit by rank, micro-CAD. */
  readonly profitMicro: readonly bigint[];
  /** Index of the miner, who pays no fee and earns all that are paid. */
  readonly miner: number;
  /** Share of profit that goes to the miner, in (0, maxBetaPpm]. */
  readonly betaPpm: bigint;
  /** Default 10^6; `sound` caps at 100 000, so that the fee cannot hurt. */
  readonly maxBetaPpm?: bigint;
  /** Which EVs have not paid their fee. */
  readonly unpaid: readonly boolean[];
}

export interface MiningReward {
  readonly feeMicro: readonly bigint[];
  readonly payoffMicro: readonly bigint[];
  readonly escrowMicro: readonly bigint[];
  /** Fees that reached the miner. */
  readonly rewardMicro: bigint;
}

/**
 * Splits a day's profits (section 8, Fig. 4.5). fee = floor(max(0, profit) beta); payoff = profit - fee; the miner adds
 * the fees received. An EV that has not paid has its whole positive profit held in escrow and pays nothing yet. Losses
 * pay no fee. Sum of payoffs and escrow = sum of profits. Throws `FRL_INVALID_CONFIG` (beta), `FRL_INVALID_INPUT`.
 */
export function splitMiningReward(input: MiningRewardInput): MiningReward {
  const { profitMicro, miner, betaPpm, unpaid, maxBetaPpm = PPM } = input;
  requireConfig(betaPpm > 0n && betaPpm <= maxBetaPpm && maxBetaPpm <= PPM, 'betaPpm must lie in 1..maxBetaPpm', {
    betaPpm,
    maxBetaPpm,
  });
  requireInput(
    profitMicro[miner] !== undefined && unpaid.length === profitMicro.length,
    'miner or unpaid list is off',
    {
      miner,
      members: profitMicro.length,
      unpaid: unpaid.length,
    },
  );
  const feeMicro = profitMicro.map((profit, i) => (i === miner ? 0n : feeOn(profit, betaPpm)));
  const held = profitMicro.map((profit, i) => i !== miner && unpaid[i] === true && profit > 0n);
  const escrowMicro = profitMicro.map((profit, i) => (held[i] ? profit : 0n));
  const rewardMicro = feeMicro.reduce((sum, fee, i) => (held[i] ? sum : sum + fee), 0n);
  const payoffMicro = profitMicro.map((profit, i) => {
    if (held[i]) return 0n;
    return profit - (feeMicro[i] as bigint) + (i === miner ? rewardMicro : 0n);
  });
  return { feeMicro, payoffMicro, escrowMicro, rewardMicro };
}

/** What a late payer and the miner get when `escrowMicro` is released: the same totals as paying at once. */
export function releaseEscrow(escrowMicro: bigint, betaPpm: bigint): { payoffMicro: bigint; feeMicro: bigint } {
  const feeMicro = feeOn(escrowMicro, betaPpm);
  return { payoffMicro: escrowMicro - feeMicro, feeMicro };
}

function feeOn(profitMicro: bigint, betaPpm: bigint): bigint {
  return profitMicro > 0n ? (profitMicro * betaPpm) / PPM : 0n;
}
