import {
  chainIdOf,
  createDigestSigner,
  createSignatureScheme,
  dealBeaconKeys,
  EVIDENCE_BLOCKS,
  encodePoegParameters,
  type Genesis,
  type Hash,
  sha256Bytes,
  validateGenesis,
} from '@wattmesh/consensus';
import { type LossRates, linearLoss } from '@wattmesh/market';
import type { Household } from '../household/household.ts';

/** A point on the plane of the market specification, in km; the EDC stands at (10, 10). */
export interface PositionKm {
  readonly x: number;
  readonly y: number;
}

export interface MarketSettings {
  readonly lossCharge: 'half' | 'full';
  readonly maxCoalitionSize: number;
  /** 10^-6 currency per kWh. */
  readonly importMicroPerKwh: number;
  readonly exportMicroPerKwh: number;
  readonly localMicroPerKwh: number;
  readonly rewardPpm: number;
}

/** Section 13 of the market specification: 0.30, 0.08 and 0.19 a kWh; delta 0.1. */
export const DEFAULT_MARKET: MarketSettings = {
  lossCharge: 'half',
  maxCoalitionSize: 12,
  importMicroPerKwh: 300_000,
  exportMicroPerKwh: 80_000,
  localMicroPerKwh: 190_000,
  rewardPpm: 100_000,
};

/** A thousandth of the stake for a refusal, a tenth for an offence, and jail for the rest of the experiment. */
export const DEFAULT_PENALTIES: Genesis['penalties'] = {
  exclusion: 'coalition',
  refusalPenaltyMicro: 100_000n,
  slashPpm: 100_000,
  jailBlocks: 0,
  evidenceBlocks: EVIDENCE_BLOCKS,
};

export interface NetworkPlan {
  readonly name: string;
  /** Decides every key and the beacon's polynomial: fit for experiments, not for money. */
  readonly seed: string;
  readonly genesisTimeMs: number;
  readonly households: readonly { readonly household: Household; readonly position: PositionKm }[];
  readonly quorum?: number;
  readonly slot: Genesis['slot'];
  readonly market: MarketSettings;
  /** What provable misbehaviour costs; `DEFAULT_PENALTIES` where left out. */
  readonly penalties?: Partial<Genesis['penalties']>;
  /** Loss rates of the households in their order; they follow from the positions when left out. */
  readonly lossRates?: LossRates;
  /** Accounts besides the members and the EDC, each with an opening UPOS balance; for load generators. */
  readonly extraAccounts?: number;
}

/** A member's name and keys, whatever it is. */
export interface MemberKeys {
  readonly name: string;
  readonly rank: number;
  readonly publicKey: string;
  readonly secretKey: Uint8Array;
  readonly beaconShare: Uint8Array;
  readonly meterSecretKey: Uint8Array;
}

export interface ProvisionedMember extends MemberKeys {
  readonly household: Household;
  readonly position: PositionKm;
}

export interface ProvisionedNetwork<Member extends MemberKeys = ProvisionedMember> {
  readonly genesis: Genesis;
  readonly chainId: Hash;
  readonly members: readonly Member[];
  readonly edcSecretKey: Uint8Array;
  readonly extraSecretKeys: readonly Uint8Array[];
}

const OPENING_MICRO = 1_000_000_000n;
const STAKE_MICRO = 100_000_000n;
/** A transaction that a quorum has known for so many blocks must come next. */
const INCLUSION_DELAY_BLOCKS = 4;

export interface DealtKeys {
  /** In the order of their ranks. */
  readonly members: readonly MemberKeys[];
  readonly edcSecretKey: Uint8Array;
  readonly extraSecretKeys: readonly Uint8Array[];
  /** Everything of a genesis that follows from keys alone. */
  readonly genesis: Pick<Genesis, 'members' | 'quorum' | 'beaconGroupKey' | 'accounts' | 'limits'>;
}

/** Deals every key of a network and lists members and accounts with their opening balances. */
export function dealKeys(options: {
  readonly seed: string;
  readonly members: number;
  readonly role: 'prosumer' | 'ev';
  readonly prefix: string;
  readonly quorum?: number;
  readonly extraAccounts?: number;
}): DealtKeys {
  const scheme = createSignatureScheme();
  const { seed, members: n, role, prefix, extraAccounts = 0 } = options;
  const secretOf = (what: string, index: number): Uint8Array =>
    sha256Bytes(Buffer.from(`wattmesh/${what}/${index}/${seed}`));
  const publicOf = (secret: Uint8Array): string => createDigestSigner(scheme, secret).publicKey;
  const quorum = options.quorum ?? Math.floor((2 * n) / 3) + 1;
  const beacon = dealBeaconKeys(secretOf('beacon', 0), n, quorum);
  const members = Array.from({ length: n }, (_, index) => secretOf('member', index))
    .map((secretKey) => ({ secretKey, publicKey: publicOf(secretKey) }))
    .sort((a, b) => (a.publicKey < b.publicKey ? -1 : 1))
    .map(
      ({ secretKey, publicKey }, rank): MemberKeys => ({
        name: `${prefix}${String(rank + 1).padStart(2, '0')}`,
        rank,
        publicKey,
        secretKey,
        beaconShare: beacon.secretShares[rank] as Uint8Array,
        meterSecretKey: secretOf('meter', rank),
      }),
    );
  const edcSecretKey = secretOf('edc', 0);
  const extraSecretKeys = Array.from({ length: extraAccounts }, (_, index) => secretOf('account', index));
  return {
    members,
    edcSecretKey,
    extraSecretKeys,
    genesis: {
      members: members.map(({ publicKey, meterSecretKey, rank }) => ({
        publicKey,
        meterKey: publicOf(meterSecretKey),
        beaconKey: beacon.publicShares[rank] as string,
        role,
        eposMicro: 0n,
        uposMicro: OPENING_MICRO,
        stakeMicro: STAKE_MICRO,
      })),
      quorum,
      beaconGroupKey: beacon.groupKey,
      accounts: [edcSecretKey, ...extraSecretKeys].map((secret) => ({
        publicKey: publicOf(secret),
        uposMicro: OPENING_MICRO,
      })),
      limits: {
        maxBlockBytes: 1_000_000,
        maxTransactionsPerBlock: 4_096,
        minStakeMicro: STAKE_MICRO / 2n,
        unbondingBlocks: 200,
        inclusionDelayBlocks: INCLUSION_DELAY_BLOCKS,
      },
    },
  };
}

/**
 * Deals keys and writes the genesis of a PoEG chain. Loss rates are computed here once, in floating point, and stand in
 * genesis as integers: the chain never sees a position.
 */
export function provisionNetwork(plan: NetworkPlan): ProvisionedNetwork {
  const { seed, quorum, extraAccounts = 0, households } = plan;
  const keys = dealKeys({
    seed,
    members: households.length,
    role: 'prosumer',
    prefix: 'p',
    extraAccounts,
    ...(quorum === undefined ? {} : { quorum }),
  });
  const { edcSecretKey, extraSecretKeys } = keys;
  const members = keys.members.map((member): ProvisionedMember => {
    const { household, position } = households[member.rank] as NetworkPlan['households'][number];
    return { ...member, household, position };
  });
  const genesis: Genesis = {
    ...keys.genesis,
    chainName: plan.name,
    genesisTimeMs: plan.genesisTimeMs,
    slot: plan.slot,
    penalties: { ...DEFAULT_PENALTIES, ...plan.penalties },
    application: { name: 'poeg', parameters: encodePoegParameters(parametersOf(plan)) },
  };
  validateGenesis(genesis);
  return { genesis, chainId: chainIdOf(genesis), members, edcSecretKey, extraSecretKeys };
}

function parametersOf({ households, market, lossRates }: NetworkPlan): Parameters<typeof encodePoegParameters>[0] {
  const rates = lossRates ?? linearLoss(households.map(({ position }) => ({ xKm: position.x, yKm: position.y })));
  const ppb = (rate: number): bigint => BigInt(Math.round(rate * 1e9));
  return {
    lossCharge: market.lossCharge,
    scoreBasis: 'announced',
    maxCoalitionSize: market.maxCoalitionSize,
    prices: {
      importMicroPerKwh: BigInt(market.importMicroPerKwh),
      exportMicroPerKwh: BigInt(market.exportMicroPerKwh),
      localMicroPerKwh: BigInt(market.localMicroPerKwh),
      lossMicroPerKwh: BigInt(market.localMicroPerKwh),
      deviationMicroPerKwh: BigInt(market.importMicroPerKwh - market.exportMicroPerKwh),
      rewardPpm: BigInt(market.rewardPpm),
    },
    rateEdcPpb: households.map((_, i) => ppb(rates.rateEdc(i))),
    ratePpb: households.map((_, i) => households.map((__, j) => (i === j ? 0n : ppb(rates.rate(i, j))))),
  };
}
