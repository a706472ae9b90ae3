import type { ChainRules } from '../../src/chain/state.ts';
import type { Genesis } from '../../src/chain/types.ts';
import {
  createDigestSigner,
  createMemberSigner,
  createSignatureScheme,
  createThresholdScheme,
  type DigestSigner,
  dealBeaconKeys,
  type MemberSigner,
  sha256Bytes,
} from '../../src/crypto/index.ts';
import { rememberCombinations, rememberSignatures } from '../../src/crypto/verification-cache.ts';
import { chainIdOf } from '../../src/genesis/index.ts';
import { createPoegApplication } from '../../src/poeg/application.ts';
import { encodePoegParameters } from '../../src/poeg/parameters.ts';
import { Rng } from './rng.ts';

// One memory of what is valid for all peers of all worlds: signatures are the same bytes for everybody.
const signatures = rememberSignatures(createSignatureScheme(), 200_000);
const threshold = rememberCombinations(createThresholdScheme(), 5_000);

export interface WorldChain {
  readonly rules: ChainRules;
  readonly signers: readonly MemberSigner[];
  readonly meters: readonly DigestSigner[];
}

export interface WorldChainOptions {
  readonly seed: string;
  readonly members: number;
  readonly quorum?: number;
  readonly clock: 'wall' | 'ready';
  readonly slotMs: number;
  readonly genesisTimeMs: number;
}

const OPENING_MICRO = 1_000_000n;

/** A PoEG chain with keys, positions and loss rates drawn from the seed. */
export function worldChain({ seed, members: n, quorum, clock, slotMs, genesisTimeMs }: WorldChainOptions): WorldChain {
  const rng = new Rng(`positions/${seed}`);
  const secret = (role: string, k: number) => sha256Bytes(new TextEncoder().encode(`${role}/${k}/${seed}`));
  const q = quorum ?? Math.floor((2 * n) / 3) + 1;
  const beacon = dealBeaconKeys(secret('beacon', 0), n, q);
  const keys = Array.from({ length: n }, (_, k) => secret('member', k))
    .map((secretKey) => ({ secretKey, publicKey: createDigestSigner(signatures, secretKey).publicKey }))
    .sort((a, b) => (a.publicKey < b.publicKey ? -1 : 1));
  const meters = keys.map((_, k) => createDigestSigner(signatures, secret('meter', k)));
  const places = keys.map(() => ({ x: rng.unit() * 20, y: rng.unit() * 20 }));
  const rate = (a: { x: number; y: number }, b: { x: number; y: number }) =>
    BigInt(Math.round((0.056 / Math.hypot(10, 10)) * Math.hypot(a.x - b.x, a.y - b.y) * 1e9));
  const genesis: Genesis = {
    chainName: `world ${seed}`,
    genesisTimeMs,
    members: keys.map(({ publicKey }, k) => ({
      publicKey,
      meterKey: meters[k]?.publicKey as string,
      beaconKey: beacon.publicShares[k] as string,
      role: 'prosumer',
      eposMicro: 0n,
      uposMicro: OPENING_MICRO,
      stakeMicro: OPENING_MICRO,
    })),
    quorum: q,
    beaconGroupKey: beacon.groupKey,
    accounts: [{ publicKey: createDigestSigner(signatures, secret('edc', 0)).publicKey, uposMicro: OPENING_MICRO }],
    slot: { lengthMs: slotMs, clock, simulatedHours: 1, slotsPerTerm: 1 },
    limits: {
      maxBlockBytes: 200_000,
      maxTransactionsPerBlock: 512,
      minStakeMicro: OPENING_MICRO / 2n,
      unbondingBlocks: 110,
      inclusionDelayBlocks: 3,
    },
    penalties: {
      exclusion: 'coalition',
      refusalPenaltyMicro: 1_000n,
      slashPpm: 100_000,
      jailBlocks: 0,
      evidenceBlocks: 100,
    },
    application: {
      name: 'poeg',
      parameters: encodePoegParameters({
        lossCharge: 'half',
        scoreBasis: 'announced',
        maxCoalitionSize: 12,
        prices: {
          importMicroPerKwh: 300_000n,
          exportMicroPerKwh: 80_000n,
          localMicroPerKwh: 190_000n,
          lossMicroPerKwh: 190_000n,
          deviationMicroPerKwh: 220_000n,
          rewardPpm: 100_000n,
        },
        rateEdcPpb: places.map((place) => rate(place, { x: 10, y: 10 })),
        ratePpb: places.map((a, i) => places.map((b, j) => (i === j ? 0n : rate(a, b)))),
      }),
    },
  };
  const rules: ChainRules = {
    genesis,
    chainId: chainIdOf(genesis),
    application: createPoegApplication(signatures),
    signatures,
    threshold,
  };
  const signers = keys.map(({ secretKey }, k) =>
    createMemberSigner(signatures, threshold, secretKey, beacon.secretShares[k] as Uint8Array),
  );
  return { rules, signers, meters };
}
