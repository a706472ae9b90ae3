import type { Genesis, Hash, MemberRank } from '../chain/types.ts';
import { type Codec, checked, decode, encode, hash, i64, list, option, struct, u16, u53, u64 } from '../codec/index.ts';
import { sha256 } from '../crypto/sha256.ts';
import { MAX_EVS, posocParametersOf } from './parameters.ts';

/** An EV's day so far. Energy in Wh, money in 10^-6 CAD (income positive). */
export interface Stay {
  readonly startEnergyWh: bigint;
  /** After its last settled action. */
  readonly energyWh: bigint;
  /** Sum of delta times (sold - bought), ppm Wh. */
  readonly tradeScorePpmWh: bigint;
  readonly boughtWh: bigint;
  readonly soldWh: bigint;
  /** Of both, what had another EV or the building on the other side. */
  readonly matchedWh: bigint;
  readonly cashMicro: bigint;
}

/** A profit that is held because its fee was not paid; one entry for each EV and miner. */
export interface HeldProfit {
  readonly rank: MemberRank;
  readonly miner: MemberRank;
  readonly profitMicro: bigint;
  /** What of it goes to the miner on payment. */
  readonly feeMicro: bigint;
}

/** Sums over all settled days of one EV. */
export interface EvTotals {
  readonly days: number;
  readonly cashMicro: bigint;
  readonly profitMicro: bigint;
  readonly feeMicro: bigint;
  readonly rewardMicro: bigint;
  readonly boughtWh: bigint;
  readonly soldWh: bigint;
  readonly matchedWh: bigint;
}

/** What PoSOC keeps from settlement to settlement. Models are kept by their hash: the bytes are a blob. */
export interface PosocState {
  readonly modelHash: Hash;
  /** Learning rounds settled so far, and how many of them changed the model. */
  readonly rounds: number;
  readonly aggregations: number;
  /** By rank; null until the EV's first settled action of the day. */
  readonly stays: readonly (Stay | null)[];
  /** Score ledger by rank, 10^-6 kWh (or 10^-6 of a capacity); may be negative. */
  readonly scores: readonly bigint[];
  readonly held: readonly HeldProfit[];
  readonly totals: readonly EvTotals[];
}

const NO_TOTALS: EvTotals = {
  days: 0,
  cashMicro: 0n,
  profitMicro: 0n,
  feeMicro: 0n,
  rewardMicro: 0n,
  boughtWh: 0n,
  soldWh: 0n,
  matchedWh: 0n,
};

/** Nothing settled; the model is the one in genesis. @throws PosocParametersError */
export function posocGenesisState(genesis: Genesis): PosocState {
  const { learning } = posocParametersOf(genesis);
  return {
    modelHash: sha256(learning.initialModel),
    rounds: 0,
    aggregations: 0,
    stays: genesis.members.map(() => null),
    scores: genesis.members.map(() => 0n),
    held: [],
    totals: genesis.members.map(() => NO_TOTALS),
  };
}

const perEv = <T>(item: Codec<T>) => list(item, MAX_EVS);

const learningCodec = struct<Pick<PosocState, 'modelHash' | 'rounds' | 'aggregations'>>({
  modelHash: hash,
  rounds: u53,
  aggregations: u53,
});
const staysCodec = perEv(
  option(
    struct<Stay>({
      startEnergyWh: u64,
      energyWh: u64,
      tradeScorePpmWh: i64,
      boughtWh: u64,
      soldWh: u64,
      matchedWh: u64,
      cashMicro: i64,
    }),
  ),
);
const heldCodec = checked(
  list(struct<HeldProfit>({ rank: u16, miner: u16, profitMicro: u64, feeMicro: u64 }), MAX_EVS * MAX_EVS),
  (held) =>
    held.every((one, k) => k === 0 || compareHeld(held[k - 1] as HeldProfit, one) < 0)
      ? null
      : 'held profits ascend by EV, then by miner',
);
const totalsCodec = perEv(
  struct<EvTotals>({
    days: u53,
    cashMicro: i64,
    profitMicro: i64,
    feeMicro: i64,
    rewardMicro: i64,
    boughtWh: u64,
    soldWh: u64,
    matchedWh: u64,
  }),
);

/** The order of held profits in the state. */
export function compareHeld(a: HeldProfit, b: HeldProfit): number {
  return a.rank - b.rank || a.miner - b.miner;
}

export interface StateLeaf {
  readonly key: string;
  readonly value: Uint8Array;
}

const LEAVES = ['held', 'learning', 'scores', 'stays', 'totals'] as const;

/** The state as leaves in ascending key order. */
export function encodePosocState(state: PosocState): readonly StateLeaf[] {
  return [
    { key: 'held', value: encode(heldCodec, state.held) },
    { key: 'learning', value: encode(learningCodec, state) },
    { key: 'scores', value: encode(perEv(i64), state.scores) },
    { key: 'stays', value: encode(staysCodec, state.stays) },
    { key: 'totals', value: encode(totalsCodec, state.totals) },
  ];
}

/** @throws CodecError when a leaf does not decode; RangeError when the leaves are not those of a PoSOC state. */
export function decodePosocState(leaves: readonly StateLeaf[]): PosocState {
  const keys = leaves.map(({ key }) => key).join();
  if (keys !== LEAVES.join()) throw new RangeError(`not the leaves of a PoSOC state: ${keys}`);
  const [held, learning, scores, stays, totals] = leaves.map(({ value }) => value) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  return {
    ...decode(learningCodec, learning),
    stays: decode(staysCodec, stays),
    scores: decode(perEv(i64), scores),
    held: decode(heldCodec, held),
    totals: decode(totalsCodec, totals),
  };
}
