import { realArithmetic } from './arithmetic.ts';
import {
  arcSaving,
  type CoalitionModel,
  type CoalitionOutcome,
  type CoalitionTrade,
  optimizeLoss,
} from './coalition-problem.ts';
import { MarketError } from './errors.ts';
import { type Formation, formCoalitions } from './formation.ts';
import type { LossCharge } from './integer-input.ts';
import type { LossRates } from './loss-rate.ts';

/** What a prosumer produces and consumes in a slot, kWh, both at least 0. */
export interface Prosumer {
  readonly productionKwh: number;
  readonly consumptionKwh: number;
}

export interface MarketOptions {
  /** Share of a trade's loss that each side bears: a half each (default) or all of it each. */
  readonly lossCharge?: LossCharge;
  /** Read eqs. 3.12 and 3.13 as "trade as much as possible inside the coalition" instead of "as much as pays". */
  readonly forced?: boolean;
  /** Merges beyond this size are inadmissible; no limit by default, 12 with `forced`, which enumerates splits. */
  readonly maxCoalitionSize?: number;
  /** Arcs to consider, both ways round; all of them by default. Section 10 uses each prosumer's nearest partners. */
  readonly isArc?: (seller: number, buyer: number) => boolean;
}

/** Balances up to this size (kWh) count as neutral. */
export const BALANCE_TOLERANCE_KWH = 1e-9;
/** Smallest change of a member's saving that counts, kWh. */
export const PARETO_TOLERANCE_KWH = 1e-9;
/** Forced trading tries every bipartition of a coalition, which more members than this would make hopeless. */
export const MAX_FORCED_COALITION_SIZE = 16;

/**
 * One slot of the study market: singleton quantities of section 2 and the coalition problem of section 3. kWh
 * throughout.
 */
export interface ProsumerMarket {
  readonly size: number;
  readonly lossCharge: LossCharge;
  readonly forced: boolean;
  readonly maxCoalitionSize: number;
  readonly rates: LossRates;
  /** `E_i`; positive sells, negative buys. */
  readonly balanceKwh: readonly number[];
  /** `L_i`: loss when all of the balance goes through the EDC (eq. 3.4). */
  readonly lossAloneKwh: readonly number[];
  /** `PS_i` (eq. 3.8). */
  readonly singletonScoreKwh: readonly number[];
  readonly model: CoalitionModel<number>;
}

/** What a set of trades comes to, whoever arranged them. Arrays are by prosumer. */
export interface TradeOutcome {
  /** By seller, then buyer. */
  readonly trades: readonly CoalitionTrade<number>[];
  readonly exportKwh: readonly number[];
  readonly importKwh: readonly number[];
  readonly savingKwh: readonly number[];
  readonly lossChargedKwh: readonly number[];
  /** `PS_Si` (eq. 3.6). */
  readonly proofScoreKwh: readonly number[];
  readonly energyTradedKwh: number;
  readonly physicalLossAloneKwh: number;
  /** `phys` of section 3: each trade's loss counted once. */
  readonly physicalSavingKwh: number;
}

export interface SlotOutcome extends TradeOutcome {
  readonly coalitions: readonly CoalitionOutcome<number>[];
  /** `PS_S` of each coalition, its weight in the draw. */
  readonly coalitionScoreKwh: readonly number[];
  readonly formation: Formation<number>;
}

/**
 * A slot of the study market in floating point.
 *
 * @throws MarketError MARKET_INVALID_INPUT for quantities that are negative or not finite, or sizes that do not match.
 */
export function createMarket(
  prosumers: readonly Prosumer[],
  rates: LossRates,
  options: MarketOptions = {},
): ProsumerMarket {
  const { lossCharge = 'half', forced = false, isArc = () => true } = options;
  const maxCoalitionSize = options.maxCoalitionSize ?? (forced ? 12 : Number.POSITIVE_INFINITY);
  if (!(maxCoalitionSize >= 1) || (forced && maxCoalitionSize > MAX_FORCED_COALITION_SIZE)) {
    invalid(
      'maxCoalitionSize',
      undefined,
      maxCoalitionSize,
      `be at least 1, and at most ${MAX_FORCED_COALITION_SIZE} when forced`,
    );
  }
  if (rates.size !== prosumers.length) invalid('rates', undefined, rates.size, `cover ${prosumers.length} prosumers`);
  const balanceKwh = prosumers.map(({ productionKwh, consumptionKwh }, i) => {
    if (!isEnergy(productionKwh)) invalid('productionKwh', i, productionKwh, 'be finite and not negative');
    if (!isEnergy(consumptionKwh)) invalid('consumptionKwh', i, consumptionKwh, 'be finite and not negative');
    return productionKwh - consumptionKwh;
  });
  const size = balanceKwh.length;
  const rateEdc = balanceKwh.map((_, i) => rates.rateEdc(i));
  const charged = lossCharge === 'half' ? 0.5 : 1;
  const unforced: CoalitionModel<number> = {
    arithmetic: realArithmetic,
    size,
    surplus: balanceKwh.map((balance) => (balance > BALANCE_TOLERANCE_KWH ? balance : 0)),
    deficit: balanceKwh.map((balance) => (balance < -BALANCE_TOLERANCE_KWH ? -balance : 0)),
    memberGain: (member, partner) => rateEdc[member]! - charged * rates.rate(member, partner),
    pairRate: (seller, buyer) => {
      const rate = rates.rate(seller, buyer);
      return isArc(seller, buyer) && rate < rateEdc[seller]! && rate < rateEdc[buyer]! ? rate : undefined;
    },
    arcWeight: (seller, buyer, saving) => (saving > 0 && isArc(seller, buyer) ? saving : undefined),
    paretoTolerance: PARETO_TOLERANCE_KWH,
  };
  return {
    size,
    lossCharge,
    forced,
    maxCoalitionSize,
    rates,
    balanceKwh,
    lossAloneKwh: balanceKwh.map((balance, i) => Math.abs(balance) * rateEdc[i]!),
    singletonScoreKwh: balanceKwh.map((balance, i) => Math.max(0, balance) * (1 - rateEdc[i]!)),
    model: forced ? { ...unforced, arcWeight: forcedWeight(unforced, isArc) } : unforced,
  };
}

/**
 * Forms coalitions and settles the slot (sections 2-4). Ties between equally good flows go to the lexicographically
 * largest by (seller, buyer) index, so the order in which prosumers are listed is part of the input.
 */
export function settleSlot(market: ProsumerMarket): SlotOutcome {
  const formation = formCoalitions(market.model, {
    maxCoalitionSize: market.maxCoalitionSize,
    searchSplits: market.forced,
  });
  const outcome = outcomeOfTrades(
    market,
    formation.coalitions.flatMap(({ trades }) => trades),
  );
  return {
    ...outcome,
    coalitions: formation.coalitions,
    coalitionScoreKwh: formation.coalitions.map(({ members }) =>
      members.reduce((sum, i) => sum + outcome.proofScoreKwh[i]!, 0),
    ),
    formation,
  };
}

/**
 * Everybody in one coalition, without asking whether each agrees: the global optimum that formation is measured
 * against.
 */
export function grandOptimum(market: ProsumerMarket): CoalitionOutcome<number> {
  return optimizeLoss(
    market.model,
    Array.from({ length: market.size }, (_, i) => i),
  );
}

/** Savings, losses and scores that follow from `trades`; the rest of each balance goes through the EDC. */
export function outcomeOfTrades(market: ProsumerMarket, trades: readonly CoalitionTrade<number>[]): TradeOutcome {
  const { model, lossAloneKwh, rates } = market;
  const exportKwh = [...model.surplus];
  const importKwh = [...model.deficit];
  const savingKwh = lossAloneKwh.map(() => 0);
  let energyTradedKwh = 0;
  let physicalSavingKwh = 0;
  for (const { seller, buyer, energy } of trades) {
    exportKwh[seller]! -= energy;
    importKwh[buyer]! -= energy;
    savingKwh[seller]! += energy * model.memberGain(seller, buyer);
    savingKwh[buyer]! += energy * model.memberGain(buyer, seller);
    energyTradedKwh += energy;
    physicalSavingKwh += energy * (rates.rateEdc(seller) + rates.rateEdc(buyer) - rates.rate(seller, buyer));
  }
  return {
    trades: [...trades].sort((a, b) => a.seller - b.seller || a.buyer - b.buyer),
    // Subtracting what was sold can leave rounding noise below zero.
    exportKwh: exportKwh.map((energy) => Math.max(0, energy)),
    importKwh: importKwh.map((energy) => Math.max(0, energy)),
    savingKwh,
    lossChargedKwh: lossAloneKwh.map((alone, i) => alone - savingKwh[i]!),
    proofScoreKwh: market.singletonScoreKwh.map((alone, i) => alone + savingKwh[i]!),
    energyTradedKwh,
    physicalLossAloneKwh: lossAloneKwh.reduce((sum, loss) => sum + loss, 0),
    physicalSavingKwh,
  };
}

/**
 * Adds to every arc's saving so much that one more kWh traded outweighs any rerouting: trade most first, then save
 * most.
 */
function forcedWeight(
  model: CoalitionModel<number>,
  isArc: (seller: number, buyer: number) => boolean,
): CoalitionModel<number>['arcWeight'] {
  let largest = 0;
  for (let i = 0; i < model.size; i++) {
    for (let j = 0; j < i; j++) largest = Math.max(largest, Math.abs(arcSaving(model, i, j)));
  }
  const bonus = 2 * (model.size + 1) * largest + 1;
  return (seller, buyer, saving) => (isArc(seller, buyer) ? saving + bonus : undefined);
}

function isEnergy(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}

function invalid(field: string, index: number | undefined, value: number, rule: string): never {
  throw new MarketError(
    'MARKET_INVALID_INPUT',
    `${field}${index === undefined ? '' : `[${index}]`} is ${value}: it must ${rule}`,
    {
      field,
      ...(index === undefined ? {} : { index }),
      value: String(value),
    },
  );
}
