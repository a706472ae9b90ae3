import { deviationBill } from '@wattmesh/market';
import type { SettlementContext } from '../application/types.ts';
import type { Candidate, MemberRank } from '../chain/types.ts';
import { poegParametersOf } from './parameters.ts';
import { type AnnouncedBalance, billsOf, type FormedMarket, formMarket } from './slot-market.ts';
import type { MemberTotals, PoegState, PoegTotals } from './state.ts';

/** What a meter counted. */
export interface MeteredBalance {
  readonly rank: MemberRank;
  readonly producedWh: bigint;
  readonly consumedWh: bigint;
}

/** What a settlement takes from the outside: both in ascending rank, each member once, already authenticated. */
export interface SettlementInputs {
  /** For the slot after the one that closes. */
  readonly announced: readonly AnnouncedBalance[];
  /** Of the slot before the one that closes; only of members that had announced for it. */
  readonly metered: readonly MeteredBalance[];
}

/** A member's bill of the slot that closes. 10^-6 currency, positive when it pays. */
export interface SlotBill {
  readonly rank: MemberRank;
  readonly withoutTradingMicro: bigint;
  readonly billMicro: bigint;
  readonly feeMicro: bigint;
  readonly shareMicro: bigint;
}

/** What a settlement comes to: it stands in the block for readers who do not recompute it; voters do. */
export interface SettlementResults {
  /** Of the slot that closes. */
  readonly rewards: {
    readonly bills: readonly SlotBill[];
    readonly edcMicro: bigint;
    readonly rewardMicro: bigint;
    /** Members of the coalition that shares the reward; empty when nobody is rewarded. */
    readonly rewarded: readonly MemberRank[];
  };
  /** Of the slot before it. */
  readonly deviations: readonly { readonly rank: MemberRank; readonly memberMicro: bigint }[];
  /** Of the next slot. */
  readonly partition: readonly {
    readonly members: readonly MemberRank[];
    readonly valueHalfNanoWh: bigint;
    readonly proofScoreWh: bigint;
  }[];
  readonly trades: readonly { readonly seller: MemberRank; readonly buyer: MemberRank; readonly energyWh: bigint }[];
  readonly scores: readonly {
    readonly rank: MemberRank;
    readonly singletonScoreWh: bigint;
    readonly proofScoreWh: bigint;
  }[];
}

export interface Settled {
  readonly results: SettlementResults;
  readonly state: PoegState;
  /** Candidates of the next term's draw. */
  readonly candidates: readonly Candidate[];
  readonly first: number | null;
  /** The market that was billed (null for the bootstrap slot) and the one that was formed. */
  readonly billed: FormedMarket | null;
  readonly formed: FormedMarket;
}

/**
 * Settles the slot that closes: bills its market and shares the reward, charges the deviations of the slot before it, and
 * forms the market of the next slot with the candidates of its draw. A pure integer function of its arguments.
 */
export function settleSlot(context: SettlementContext<PoegState>, inputs: SettlementInputs): Settled {
  const { genesis, state, slot, seed } = context;
  const parameters = poegParametersOf(genesis);
  const billed = state.open === null ? null : formMarket(genesis, parameters, state.open);
  const rewards = billSlot(context.winner, billed, context.jailed);
  const deviations = inputs.metered.map(({ rank, producedWh, consumedWh }) => {
    const announced = state.previous?.announced.find((one) => one.rank === rank);
    if (announced === undefined) throw new RangeError(`member ${rank} is metered but has announced nothing`);
    const announcedNetWh = announced.productionWh - announced.consumptionWh;
    const { memberMicro } = deviationBill(announcedNetWh, producedWh - consumedWh, parameters.prices);
    return { rank, memberMicro };
  });

  const next = { slot: slot + 1, seed, announced: inputs.announced };
  const formed = formMarket(genesis, parameters, next);
  const { ranks, outcome } = formed;
  const results: SettlementResults = {
    rewards,
    deviations,
    partition: outcome.coalitions.map(({ members, valueHalfNanoWh, proofScoreWh }) => ({
      members: members.map((place) => ranks[place]!),
      valueHalfNanoWh,
      proofScoreWh,
    })),
    trades: outcome.trades.map(({ seller, buyer, energyWh }) => ({
      seller: ranks[seller]!,
      buyer: ranks[buyer]!,
      energyWh,
    })),
    scores: ranks.map((rank, place) => ({
      rank,
      singletonScoreWh: outcome.singletonScoreWh[place]!,
      proofScoreWh: outcome.proofScoreWh[place]!,
    })),
  };
  return {
    results,
    state: { open: next, previous: state.open, totals: addTotals(state.totals, billed, results) },
    ...drawOf(slot, results, context.jailed),
    billed,
    formed,
  };
}

/**
 * Bills of the slot that closes. The reward goes to the coalition of that slot's market which the drawn miner belongs to:
 * the drawn coalition itself, and in the first market, whose draw was among single members, the one that the drawn member
 * joined. When the composer stands in the list's tail, or took no part in the slot, nobody is rewarded and no fee is due.
 * The share of a jailed member stays with the EDC.
 */
function billSlot(
  winner: Candidate | null,
  billed: FormedMarket | null,
  jailed: ReadonlySet<MemberRank>,
): SettlementResults['rewards'] {
  if (billed === null) return { bills: [], edcMicro: 0n, rewardMicro: 0n, rewarded: [] };
  const { outcome, ranks } = billed;
  const minerPlace = winner === null ? -1 : ranks.indexOf(winner.miner);
  const rewarded = outcome.coalitions.find(({ members }) => members.includes(minerPlace))?.members ?? [];
  const bills = billsOf(billed, rewarded);
  return {
    bills: ranks.map((rank, place) => {
      const withheldMicro = jailed.has(rank) ? bills.shareMicro[place]! : 0n;
      return {
        rank,
        withoutTradingMicro: bills.withoutTradingMicro[place]!,
        billMicro: bills.billMicro[place]! + withheldMicro,
        feeMicro: bills.feeMicro[place]!,
        shareMicro: bills.shareMicro[place]! - withheldMicro,
      };
    }),
    edcMicro: ranks.reduce((sum, rank, k) => (jailed.has(rank) ? sum - bills.shareMicro[k]! : sum), bills.edcMicro),
    rewardMicro: bills.rewardMicro,
    rewarded: rewarded.map((place) => ranks[place]!),
  };
}

/**
 * Candidates of the next draw: the coalitions, each with its proof score as weight and its best member as miner. After the
 * bootstrap slot they are the single members, and the one with the highest score comes first (thesis 3.2.1). A jailed
 * member adds nothing to its candidate's weight, and composes for it only if all others are jailed too.
 */
function drawOf(
  slot: number,
  { partition, scores }: SettlementResults,
  jailed: ReadonlySet<MemberRank>,
): { readonly candidates: readonly Candidate[]; readonly first: number | null } {
  if (slot > 0) {
    const scoreOf = new Map(scores.map(({ rank, proofScoreWh }) => [rank, proofScoreWh]));
    const candidates = partition.map(({ members, proofScoreWh }) => {
      const [miner, ...successors] = byStanding(members, scoreOf, jailed);
      const lost = members.reduce((sum, rank) => (jailed.has(rank) ? sum + scoreOf.get(rank)! : sum), 0n);
      const isLost = members.every((rank) => jailed.has(rank));
      return { members, miner: miner!, successors, weight: isLost ? 0n : proofScoreWh - lost };
    });
    return { candidates, first: null };
  }
  const candidates = scores.map(({ rank, singletonScoreWh }) => ({
    members: [rank],
    miner: rank,
    successors: [],
    weight: jailed.has(rank) ? 0n : singletonScoreWh,
  }));
  const first = candidates.reduce((best, { weight }, k) => (weight > candidates[best]!.weight ? k : best), 0);
  return { candidates, first: candidates.length === 0 ? null : first };
}

/** Members by falling proof score, ties by rank; the jailed come last. */
function byStanding(
  members: readonly MemberRank[],
  scoreOf: ReadonlyMap<MemberRank, bigint>,
  jailed: ReadonlySet<MemberRank>,
): readonly MemberRank[] {
  return [...members].sort((a, b) => {
    if (jailed.has(a) !== jailed.has(b)) return jailed.has(a) ? 1 : -1;
    const difference = scoreOf.get(b)! - scoreOf.get(a)!;
    return difference === 0n ? a - b : difference > 0n ? 1 : -1;
  });
}

/** A slot counts in the totals when it is billed; its scores count when they are earned, with the market's formation. */
function addTotals(totals: PoegTotals, billed: FormedMarket | null, results: SettlementResults): PoegTotals {
  const members = [...totals.members];
  const add = (rank: MemberRank, change: (before: MemberTotals) => Partial<MemberTotals>) => {
    members[rank] = { ...members[rank]!, ...change(members[rank]!) };
  };
  for (const bill of results.rewards.bills) {
    add(bill.rank, (before) => ({
      slots: before.slots + 1,
      withoutTradingMicro: before.withoutTradingMicro + bill.withoutTradingMicro,
      billMicro: before.billMicro + bill.billMicro,
      feeMicro: before.feeMicro + bill.feeMicro,
      shareMicro: before.shareMicro + bill.shareMicro,
    }));
  }
  for (const { rank, memberMicro } of results.deviations) {
    add(rank, (before) => ({ deviationMicro: before.deviationMicro + memberMicro }));
  }
  for (const { rank, proofScoreWh } of results.scores) {
    add(rank, (before) => ({ proofScoreWh: before.proofScoreWh + proofScoreWh }));
  }
  return {
    settledSlots: totals.settledSlots + (billed === null ? 0 : 1),
    energyTradedWh: totals.energyTradedWh + (billed?.outcome.energyTradedWh ?? 0n),
    physicalSavingHalfNanoWh: totals.physicalSavingHalfNanoWh + (billed?.outcome.physicalSavingHalfNanoWh ?? 0n),
    rewardMicro: totals.rewardMicro + results.rewards.rewardMicro,
    members,
  };
}
