import { z } from 'zod';
import { amount, count, hash, hex, milliseconds, publicKey, rank, signedAmount } from './scalar-schemas.ts';
import { evSettlement, settlement } from './settlement-schemas.ts';

/**
 * What the HTTP API answers, as schemas: the one source of docs/openapi.json, and what a test holds the answers of live
 * peers against. Objects are strict: a field that is not described here is an error.
 */
const slotSettings = z.strictObject({
  lengthMs: count,
  clock: z.enum(['wall', 'ready']),
  simulatedHours: count,
  slotsPerTerm: count,
});
const role = z.enum(['prosumer', 'ev']);

const blockSummaryShape = {
  hash,
  chainId: hash,
  height: count,
  parentHash: hash,
  term: count,
  slot: count,
  kind: z.enum(['transactions', 'closing', 'settlement']),
  composer: rank,
  composingRound: count,
  chainTimeMs: milliseconds,
  certificateHash: hash,
  seedSignature: hex.nullable().describe('combined beacon signature that seeds the term; in its first block only'),
  transactionsRoot: hash,
  payloadHash: hash,
  evidenceRoot: hash.describe('Merkle root over the hashes of the evidence in the block, in order'),
  stateRoot: hash,
  decidedInRound: count,
  voters: z.array(rank),
  bytes: count,
};

const operation = z.union([
  z.strictObject({ type: z.literal('transfer'), asset: z.enum(['epos', 'upos', 'credit']), to: publicKey, amount }),
  z.strictObject({ type: z.enum(['stake', 'unstake']), amount }),
  z.strictObject({ type: z.literal('retire'), amountWh: amount }),
]);
const transactionShape = { id: hash, sender: publicKey, nonce: count, operation };

const electionShape = {
  term: count,
  seed: hash.nullable().describe('null until the first block of the term has carried it'),
  list: z.array(z.strictObject({ rank, candidate: count.nullable() })).describe('in the order in which they propose'),
  candidates: z.array(
    z.strictObject({
      members: z.array(rank),
      miner: rank,
      weight: signedAmount,
      sharePercent: z.number().min(0).max(100),
    }),
  ),
};

const marketSums = {
  withoutTradingMicro: signedAmount,
  billMicro: signedAmount,
  feeMicro: amount,
  shareMicro: amount,
  deviationMicro: signedAmount,
  proofScoreWh: amount,
};

/** By the name that each has in docs/openapi.json. */
export const SCHEMAS = {
  Error: z.strictObject({
    error: z.strictObject({ code: z.string().regex(/^[A-Z]+(_[A-Z]+)+$/), message: z.string() }),
  }),
  Health: z.strictObject({
    ok: z.boolean().describe('whether this peer reaches a quorum, itself included'),
    connected: count,
    height: count,
    quorum: count,
  }),
  Status: z.strictObject({
    name: z.string(),
    publicKey,
    rank,
    chainId: hash,
    chainName: z.string(),
    members: count,
    quorum: count,
    height: count,
    headHash: hash,
    stateRoot: hash,
    chainTimeMs: milliseconds,
    term: count,
    slot: count,
    phase: z.enum(['open', 'closed']),
    round: count,
    nextProposer: rank.nullable(),
    decidedInRound: count.nullable(),
    poolTransactions: count,
    sittingOut: z.boolean().describe('the peer signs nothing because it may have signed at this height before'),
    syncTarget: count.nullable().describe('height that it is fetching up to; null when it follows'),
    connected: count,
    startedMs: milliseconds,
  }),
  Peers: z.array(
    z.strictObject({
      rank: rank.nullable(),
      member: publicKey,
      role: z.enum(['member', 'follower']),
      connected: z.boolean(),
      sinceMs: milliseconds,
      address: z.string().nullable(),
      bytesIn: count,
      bytesOut: count,
      messagesIn: count,
      messagesOut: count,
      dropped: count,
      droppedByCode: z.record(z.string(), count),
    }),
  ),
  Genesis: z.strictObject({
    chainId: hash,
    chainName: z.string(),
    genesisTimeMs: milliseconds,
    quorum: count,
    slot: slotSettings,
    members: z.array(z.strictObject({ rank, publicKey, role })),
  }),
  GenesisDocument: z
    .strictObject({
      chainName: z.string(),
      genesisTimeMs: milliseconds,
      members: z.array(
        z.strictObject({
          publicKey,
          meterKey: publicKey,
          beaconKey: hex,
          role,
          eposMicro: amount,
          uposMicro: amount,
          stakeMicro: amount,
        }),
      ),
      quorum: count,
      beaconGroupKey: hex,
      accounts: z.array(z.strictObject({ publicKey, uposMicro: amount })),
      slot: slotSettings,
      limits: z.strictObject({
        maxBlockBytes: count,
        maxTransactionsPerBlock: count,
        minStakeMicro: amount,
        unbondingBlocks: count,
        inclusionDelayBlocks: count.describe('blocks after which a transaction that a peer holds counts as overdue'),
      }),
      penalties: z
        .strictObject({
          exclusion: z
            .enum(['coalition', 'miner'])
            .describe('whom a timeout certificate drops for the rest of the term'),
          refusalPenaltyMicro: amount.describe(
            "cost of making no acceptable proposal in one's round, once a term; 10^-6 EPOS",
          ),
          slashPpm: count.describe('part of the stake, unbonding included, that a proven offence costs; 10^-6'),
          jailBlocks: count.describe('blocks for which an offender has weight 0 and earns nothing; 0: for ever'),
          evidenceBlocks: count.describe('blocks for which evidence is accepted'),
        })
        .describe('what provable misbehaviour costs'),
      application: z.strictObject({ name: z.enum(['poeg', 'posoc']), parameters: hex }),
    })
    .describe('the genesis file, whose hash is the chain id'),
  Blocks: z.strictObject({
    head: count,
    blocks: z.array(z.strictObject({ ...blockSummaryShape, transactions: count })),
  }),
  Block: z.strictObject({
    ...blockSummaryShape,
    timing: z
      .strictObject({ composedMs: milliseconds.nullable(), committedMs: milliseconds, viaSync: z.boolean() })
      .nullable()
      .describe("by this peer's clock; null for blocks from before its start"),
    transactions: z.array(z.strictObject(transactionShape)),
    settlement: z
      .union([settlement, evSettlement])
      .nullable()
      .describe('null for other kinds of block, and once the state before it is gone'),
    evidence: z.array(
      z.strictObject({
        kind: z.enum(['timeout', 'votes', 'proposals', 'contributions', 'invalid-block']),
        accused: rank.nullable().describe('null when it does not say, or once the state that tells is gone'),
        height: count.nullable().describe('height that it concerns; null for contributions'),
        round: count.nullable().describe('round of that height; null for contributions'),
        slot: count.nullable().describe('slot in whose settlement the contributions were due; null for other kinds'),
        outcome: z
          .strictObject({
            member: rank.nullable().describe('who was punished; null: nobody'),
            fault: z
              .string()
              .regex(/^EVIDENCE_[A-Z_]+$/)
              .nullable()
              .describe('why it proves nothing, or nothing new; null when it did'),
            slashedMicro: amount.describe('burned of the stake, 10^-6 EPOS'),
          })
          .nullable()
          .describe('what the chain made of it; null once the state after the block is gone'),
      }),
    ),
  }),
  Transaction: z.strictObject({ height: count, index: count, ...transactionShape }),
  Account: z.strictObject({
    publicKey,
    role: z.enum(['prosumer', 'ev', 'edc', 'account']),
    rank: rank.nullable(),
    nonce: count,
    eposMicro: amount,
    uposMicro: amount,
    creditWh: amount,
    clearingMicro: signedAmount.describe('energy bills so far, positive is income'),
    stakeMicro: amount,
    unbonding: z.array(z.strictObject({ releaseHeight: count, amountMicro: amount })),
  }),
  Market: z.union([
    z.strictObject({
      settledSlots: count,
      energyTradedWh: amount,
      physicalSavingHalfNanoWh: amount,
      rewardMicro: amount,
      members: z.array(z.strictObject({ rank, publicKey, slots: count, ...marketSums })),
    }),
    z.strictObject({
      modelHash: hash,
      rounds: count,
      aggregations: count.describe('rounds that changed the model'),
      held: z.array(z.strictObject({ rank, miner: rank, profitMicro: amount, feeMicro: amount })),
      members: z.array(
        z.strictObject({
          rank,
          publicKey,
          score: signedAmount.describe('score ledger'),
          days: count,
          cashMicro: signedAmount,
          profitMicro: signedAmount,
          feeMicro: amount,
          rewardMicro: amount,
          boughtWh: amount,
          soldWh: amount,
          matchedWh: amount,
        }),
      ),
    }),
  ]),
  Discipline: z.strictObject({
    height: count,
    members: z.array(
      z.strictObject({
        rank,
        publicKey,
        jailedThrough: count.describe(
          'last height at which it has weight 0 and earns nothing; 0: never jailed, 2^53 - 1: for ever',
        ),
        isJailed: z.boolean().describe('in the next block'),
      }),
    ),
    punished: z.array(
      z.strictObject({
        key: z.string().describe('what was punished, in the order in which it was'),
        forgetAt: count.nullable().describe('from this height on no evidence of it counts; null while its term lasts'),
      }),
    ),
  }),
  Performance: z.strictObject({
    eventLoopLagMs: z.strictObject({ p50: z.number().min(0), p99: z.number().min(0), max: z.number().min(0) }),
    blocks: count,
    laterRounds: count.describe('blocks decided in another round of agreement than the first'),
    learning: z
      .strictObject({
        rounds: count,
        medianMs: z.number().min(0),
        maxMs: z.number().min(0),
        late: count.describe('rounds whose slot had ended before the update was ready'),
      })
      .nullable()
      .describe('null for a peer that does not learn'),
  }),
  Election: z.strictObject(electionShape),
  ElectionAt: z.strictObject({ height: count, ...electionShape }),
  Submission: z.strictObject({ batch: hex.min(2).describe('a signed batch of transactions') }),
  Submitted: z.strictObject({ ids: z.array(hash), known: z.boolean().describe('it was in the pool already') }),
  RawBlocks: z.strictObject({
    head: count,
    blocks: z.array(z.strictObject({ height: count, block: hex, certificate: hex })),
  }),
  RawState: z.strictObject({ height: count, state: hex.nullable().describe('null when it is not kept any more') }),
} as const;
export type SchemaName = keyof typeof SCHEMAS;
