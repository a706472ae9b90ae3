import type { Genesis } from '../chain/types.ts';
import {
  type Codec,
  checked,
  decode,
  encode,
  hash,
  i64,
  list,
  mapped,
  option,
  struct,
  u16,
  u53,
  u64,
} from '../codec/index.ts';
import { MAX_POEG_MEMBERS } from './parameters.ts';
import type { AnnouncedBalance, SlotMarket } from './slot-market.ts';

/** Sums over all settled slots of one member. Money in 10^-6 currency, positive when the member pays. */
export interface MemberTotals {
  /** Slots in whose market the member took part. */
  readonly slots: number;
  /** The bill if everything had been bought from and sold to the EDC. */
  readonly withoutTradingMicro: bigint;
  /** The bill with trades, fee and share, before deviations. */
  readonly billMicro: bigint;
  readonly feeMicro: bigint;
  readonly shareMicro: bigint;
  readonly deviationMicro: bigint;
  readonly proofScoreWh: bigint;
}

/** Sums over all settled slots of the chain. */
export interface PoegTotals {
  readonly settledSlots: number;
  readonly energyTradedWh: bigint;
  /** Each trade's loss counted once, 1 Wh = 2 * 10^9. */
  readonly physicalSavingHalfNanoWh: bigint;
  /** Mining rewards, all of which are fees of those who saved. */
  readonly rewardMicro: bigint;
  /** By rank. */
  readonly members: readonly MemberTotals[];
}

/** What PoEG keeps from settlement to settlement. */
export interface PoegState {
  /** The market of the open slot, to be billed when it closes; null in the bootstrap slot. */
  readonly open: SlotMarket | null;
  /** The market before it, against which readings are held; null until two slots have had one. */
  readonly previous: SlotMarket | null;
  readonly totals: PoegTotals;
}

const NO_TOTALS: MemberTotals = {
  slots: 0,
  withoutTradingMicro: 0n,
  billMicro: 0n,
  feeMicro: 0n,
  shareMicro: 0n,
  deviationMicro: 0n,
  proofScoreWh: 0n,
};

/** Nothing announced, nothing settled. */
export function poegGenesisState(genesis: Genesis): PoegState {
  return {
    open: null,
    previous: null,
    totals: {
      settledSlots: 0,
      energyTradedWh: 0n,
      physicalSavingHalfNanoWh: 0n,
      rewardMicro: 0n,
      members: genesis.members.map(() => NO_TOTALS),
    },
  };
}

/** 0 to 2^128 - 1 in 16 bytes: products of energy and rates outgrow 64 bits. */
export const u128: Codec<bigint> = mapped(
  struct<{ high: bigint; low: bigint }>({ high: u64, low: u64 }),
  (value) => ({ high: value >> 64n, low: BigInt.asUintN(64, value) }),
  ({ high, low }) => (high << 64n) | low,
);

const marketCodec: Codec<SlotMarket | null> = option(
  struct<SlotMarket>({
    slot: u53,
    seed: hash,
    announced: checked(
      list(struct<AnnouncedBalance>({ rank: u16, productionWh: u64, consumptionWh: u64 }), MAX_POEG_MEMBERS),
      (announced) =>
        announced.every(({ rank }, k) => k === 0 || rank > announced[k - 1]!.rank) ? null : 'ranks must ascend',
    ),
  }),
);

const totalsCodec = struct<PoegTotals>({
  settledSlots: u53,
  energyTradedWh: u64,
  physicalSavingHalfNanoWh: u128,
  rewardMicro: i64,
  members: list(
    struct<MemberTotals>({
      slots: u53,
      withoutTradingMicro: i64,
      billMicro: i64,
      feeMicro: i64,
      shareMicro: i64,
      deviationMicro: i64,
      proofScoreWh: u64,
    }),
    MAX_POEG_MEMBERS,
  ),
});

/** One leaf of the state root. */
export interface StateLeaf {
  readonly key: string;
  readonly value: Uint8Array;
}

/** The state as leaves in ascending key order. */
export function encodePoegState({ open, previous, totals }: PoegState): readonly StateLeaf[] {
  return [
    { key: 'market-open', value: encode(marketCodec, open) },
    { key: 'market-previous', value: encode(marketCodec, previous) },
    { key: 'totals', value: encode(totalsCodec, totals) },
  ];
}

/** @throws CodecError when a leaf does not decode; RangeError when the leaves are not those of a PoEG state. */
export function decodePoegState(leaves: readonly StateLeaf[]): PoegState {
  const keys = leaves.map(({ key }) => key).join();
  if (keys !== 'market-open,market-previous,totals') throw new RangeError(`not the leaves of a PoEG state: ${keys}`);
  const [open, previous, totals] = leaves.map(({ value }) => value);
  return {
    open: decode(marketCodec, open!),
    previous: decode(marketCodec, previous!),
    totals: decode(totalsCodec, totals!),
  };
}
