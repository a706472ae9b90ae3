import fc from 'fast-check';
import { blockHash as hashOf, payloadHash } from '../../src/chain/block.ts';
import { decodeBlock, encodeBlock, signBatch, signProposal, signVote } from '../../src/chain/index.ts';
import type { BlockHeader, BlockKind, Hash, Vote } from '../../src/chain/types.ts';
import { composeBlock } from '../../src/composition/index.ts';
import { beaconMessage } from '../../src/election/index.ts';
import type { PeerOutput } from '../../src/peer/ports.ts';
import { poegParametersOf, signAnnouncement, signReading, singletonScoreWh } from '../../src/poeg/index.ts';
import { decodeMessage, encodeMessage, type Message } from '../../src/wire/messages.ts';
import { type Edit, edits, mutate } from './mutate.ts';
import type { Village } from './village.ts';

type Signer = 'own' | 'forged';

/** What a hostile member may do next, as plain data: what it comes to depends on the village at that moment. */
export type HostileAct =
  | { readonly act: 'noise'; readonly bytes: Uint8Array }
  /** A message that somebody else sent before, as it was, or damaged. */
  | { readonly act: 'replay'; readonly pick: number; readonly edits: readonly Edit[] }
  | { readonly act: 'votes'; readonly votes: readonly VotePlan[] }
  | {
      readonly act: 'proposal';
      readonly block: BlockPlan;
      readonly heightOffset: number;
      readonly round: number;
      readonly polRound: number;
      readonly proposer: number;
      readonly sign: Signer;
      readonly polVotes: readonly VotePlan[];
    }
  | {
      readonly act: 'batch';
      readonly nonceOffset: number;
      readonly count: number;
      readonly sign: Signer;
      readonly to: number;
      /** In a message of several, each a copy of it with a higher nonce; 1 for a message of its own. */
      readonly copies: number;
    }
  | {
      readonly act: 'announcement';
      readonly slotOffset: number;
      readonly rank: number;
      readonly energyWh: number;
      readonly claimOffset: number;
      readonly sign: Signer;
    }
  | {
      readonly act: 'reading';
      readonly slotOffset: number;
      readonly rank: number;
      readonly energyWh: number;
      readonly sign: Signer;
    }
  | { readonly act: 'status'; readonly height: number; readonly isFar: boolean }
  | { readonly act: 'ask'; readonly from: number; readonly count: number; readonly single: boolean }
  /** Blocks that nobody asked for: real ones, with damaged bytes, with the certificate of another height. */
  | {
      readonly act: 'blocks';
      readonly from: number;
      readonly count: number;
      readonly certificateOffset: number;
      readonly edits: readonly Edit[];
    }
  | { readonly act: 'block'; readonly block: BlockPlan };

interface VotePlan {
  readonly type: 'prevote' | 'precommit';
  readonly heightOffset: number;
  readonly round: number;
  readonly hash: number | 'nil' | 'random';
  readonly timestamp: 'now' | 'zero' | 'largest';
  readonly share: 'none' | 'right' | 'garbage';
  readonly voter: number;
  readonly sign: Signer;
}

/** A block on top of the head: composed by the rules in somebody's name, or with one thing wrong, or any block heard of. */
interface BlockPlan {
  readonly kind: BlockKind;
  readonly composer: number;
  readonly composingRound: number;
  readonly wrong: 'nothing' | 'state root' | 'payload' | 'height' | 'chain time' | 'body' | 'bytes';
}

const offset = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.integer({ min: -3, max: 3 }) },
);
const round = fc.oneof({ weight: 6, arbitrary: fc.nat(3) }, fc.nat(12), fc.constantFrom(2 ** 31, 2 ** 32 - 1));
const signer = fc.constantFrom<Signer>('own', 'own', 'own', 'forged');
const someRank = fc.oneof({ weight: 6, arbitrary: fc.constant(3) }, fc.nat(3), fc.constantFrom(4, 65_535));

const votePlans: fc.Arbitrary<VotePlan> = fc.record({
  type: fc.constantFrom('prevote' as const, 'precommit' as const),
  heightOffset: offset,
  round,
  hash: fc.oneof(fc.nat(5), fc.constantFrom('nil' as const, 'random' as const)),
  timestamp: fc.constantFrom('now' as const, 'now' as const, 'zero' as const, 'largest' as const),
  share: fc.constantFrom('none' as const, 'right' as const, 'garbage' as const),
  voter: someRank,
  sign: signer,
});

const blockPlans: fc.Arbitrary<BlockPlan> = fc.record({
  kind: fc.constantFrom('transactions' as const, 'closing' as const, 'settlement' as const),
  composer: fc.oneof({ weight: 4, arbitrary: fc.constant(3) }, fc.nat(5)),
  composingRound: round,
  wrong: fc.constantFrom('nothing', 'state root', 'payload', 'height', 'chain time', 'body', 'bytes'),
});

export const hostileActs: fc.Arbitrary<HostileAct> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ act: fc.constant('noise' as const), bytes: fc.uint8Array({ maxLength: 120 }) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      act: fc.constant('replay' as const),
      pick: fc.nat(199),
      edits: fc.oneof(fc.constant([]), edits),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      act: fc.constant('votes' as const),
      votes: fc.array(votePlans, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constant('proposal' as const),
      block: blockPlans,
      heightOffset: offset,
      round,
      polRound: fc.oneof({ weight: 3, arbitrary: fc.constant(-1) }, fc.nat(3)),
      proposer: someRank,
      sign: signer,
      polVotes: fc.array(votePlans, { maxLength: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('batch' as const),
      nonceOffset: fc.oneof(fc.nat(3), fc.nat(9_000)),
      count: fc.integer({ min: 1, max: 20 }),
      sign: signer,
      to: fc.nat(5),
      copies: fc.constantFrom(1, 1, 2, 5),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('announcement' as const),
      slotOffset: fc.integer({ min: -2, max: 4 }),
      rank: someRank,
      energyWh: fc.nat(1_000_000_000),
      claimOffset: fc.constantFrom(0, 0, 1, 1_000),
      sign: signer,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      act: fc.constant('reading' as const),
      slotOffset: fc.integer({ min: -3, max: 2 }),
      rank: someRank,
      energyWh: fc.nat(1_000_000_000),
      sign: signer,
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('status' as const), height: fc.nat(40), isFar: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      act: fc.constant('ask' as const),
      from: fc.oneof(fc.nat(30), fc.constantFrom(0, Number.MAX_SAFE_INTEGER)),
      count: fc.integer({ min: 1, max: 64 }),
      single: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('blocks' as const),
      from: fc.integer({ min: -3, max: 3 }),
      count: fc.integer({ min: 1, max: 3 }),
      certificateOffset: fc.constantFrom(0, 0, -1),
      edits: fc.oneof(fc.constant([]), edits),
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('block' as const), block: blockPlans }) },
);

/** Carries out an act against one honest peer. */
export function perform(village: Village, victim: number, act: HostileAct): PeerOutput | null {
  const bytes = bytesOf(village, victim, act);
  return bytes === null ? null : village.attack(victim, bytes);
}

function bytesOf(village: Village, victim: number, act: HostileAct): Uint8Array | null {
  const { chain, hostile } = village;
  const { chainId, genesis } = chain.rules;
  const { state } = village.at(victim).peer.view;
  switch (act.act) {
    case 'noise':
      return act.bytes;
    case 'replay': {
      const heard = village.heard[act.pick % Math.max(1, village.heard.length)];
      return heard === undefined ? null : mutate(heard, act.edits);
    }
    case 'votes':
      return encodeMessage({ type: 'votes', votes: act.votes.map((plan) => voteOf(village, victim, plan)) });
    case 'proposal': {
      const block = blockOf(village, victim, act.block);
      if (block === null) return null;
      const height = Math.max(0, state.height + 1 + act.heightOffset);
      const polRound = Math.min(act.polRound, act.round - 1);
      const unsigned = { height, round: act.round, blockHash: block.hash, polRound, proposer: act.proposer };
      const signer = village.signer(act.sign === 'own' ? hostile : 0);
      const proposal = signProposal(act.sign === 'own' ? chainId : block.hash, unsigned, signer);
      const polVotes = act.polVotes.map((plan) => voteOf(village, victim, plan));
      return encodeMessage({ type: 'proposal', proposal, block: block.bytes, polVotes });
    }
    case 'batch': {
      const nonce = state.ledger.accounts[hostile]?.nonce ?? 0;
      const to = genesis.members[act.to]?.publicKey ?? '02'.repeat(33);
      const operation = { type: 'transfer', asset: 'upos', to, amount: 1n } as const;
      const operations = Array.from({ length: act.count }, () => operation);
      const batches = Array.from({ length: act.copies }, (_, k) => {
        const firstNonce = nonce + act.nonceOffset + k * (act.count - 1);
        const batch = signBatch({ chainId, firstNonce, operations }, village.signer(hostile));
        return act.sign === 'own' ? batch : { ...batch, sender: village.keyOf(0) };
      });
      const [batch] = batches;
      if (batches.length > 1 || batch === undefined) return encodeMessage({ type: 'batches', batches });
      return encodeMessage({ type: 'batch', batch });
    }
    case 'announcement': {
      const energy = { productionWh: BigInt(act.energyWh), consumptionWh: 5n };
      const known = act.rank < genesis.members.length;
      const rank = known ? act.rank : hostile;
      const scoreWh = singletonScoreWh(poegParametersOf(genesis), { rank, ...energy }) + BigInt(act.claimOffset);
      const slot = Math.max(0, state.slot + act.slotOffset);
      const fields = { chainId, slot, rank: act.rank, ...energy, scoreWh: scoreWh > 1_000_000_000n ? 0n : scoreWh };
      const bytes = signAnnouncement(fields, village.signer(act.sign === 'own' ? hostile : 0).sign);
      return encodeMessage({ type: 'contribution', bytes });
    }
    case 'reading': {
      const slot = Math.max(0, state.slot + act.slotOffset);
      const fields = { chainId, slot, rank: act.rank, producedWh: BigInt(act.energyWh), consumedWh: 0n };
      const bytes = signReading(fields, village.meter(act.sign === 'own' ? hostile : 0).sign);
      return encodeMessage({ type: 'contribution', bytes });
    }
    case 'status':
      return encodeMessage({ type: 'status', height: act.isFar ? Number.MAX_SAFE_INTEGER : act.height });
    case 'ask': {
      const [hash = '00'.repeat(32)] = village.blockHashes();
      const message: Message = act.single
        ? { type: 'get-block', height: act.from, hash }
        : { type: 'get-blocks', from: act.from, count: act.count };
      return encodeMessage(message);
    }
    case 'blocks': {
      const { disk } = village.at(victim + 1);
      const items = Array.from({ length: act.count }, (_, k) => state.height + act.from + k).flatMap((height) => {
        const stored = disk.block(height);
        const certificate = disk.block(height + act.certificateOffset)?.certificate;
        return stored === null || certificate === undefined
          ? []
          : [{ block: mutate(stored.block, act.edits), certificate }];
      });
      return items.length === 0 ? null : encodeMessage({ type: 'blocks', items });
    }
    case 'block': {
      const block = blockOf(village, victim, act.block);
      return block === null ? null : encodeMessage({ type: 'block', block: block.bytes });
    }
  }
}

function voteOf(village: Village, victim: number, plan: VotePlan): Vote {
  const { chain, hostile, nowMs } = village;
  const { state } = village.at(victim).peer.view;
  const hashes = village.blockHashes();
  const height = Math.max(0, state.height + 1 + plan.heightOffset);
  const known = typeof plan.hash === 'number' ? hashes.at(-1 - plan.hash) : undefined;
  const blockHash: Hash | null = plan.hash === 'nil' ? null : (known ?? 'ab'.repeat(32));
  const extended = plan.type === 'precommit' && blockHash !== null;
  const signer = village.signer(hostile);
  const message = blockHash === null ? '' : beaconMessage(chain.rules.chainId, state.term + 1, blockHash);
  const beaconShare =
    plan.share === 'none'
      ? null
      : plan.share === 'right' && extended
        ? signer.signBeaconShare(message)
        : 'c0'.repeat(96);
  const vote = signVote(
    chain.rules.chainId,
    {
      type: plan.type,
      height,
      round: plan.round,
      blockHash,
      timestampMs: { now: nowMs, zero: 0, largest: Number.MAX_SAFE_INTEGER }[plan.timestamp],
      extension: extended ? { beaconShare, held: '', overdue: [] } : null,
      voter: plan.voter,
    },
    signer,
  );
  return plan.sign === 'own' ? vote : { ...vote, signature: '11'.repeat(64) };
}

const WRONG_PAYLOAD = Uint8Array.of(1, 2, 3);

/** Each gives a block with a hash of its own, whose composer has signed for it. */
const CHANGES: Readonly<Record<BlockPlan['wrong'], (header: BlockHeader) => Partial<BlockHeader>>> = {
  nothing: () => ({}),
  'state root': () => ({ stateRoot: '77'.repeat(32) }),
  payload: () => ({ payloadHash: payloadHash(WRONG_PAYLOAD) }),
  height: ({ height }) => ({ height: height + 1 }),
  'chain time': ({ chainTimeMs }) => ({ chainTimeMs: chainTimeMs + 1_000_000 }),
  body: () => ({}),
  bytes: () => ({}),
};

function blockOf(
  village: Village,
  victim: number,
  plan: BlockPlan,
): { readonly hash: Hash; readonly bytes: Uint8Array } | null {
  const { rules } = village.chain;
  const { state, certificate } = village.at(victim).peer.view;
  try {
    const { block } = composeBlock(rules, state, {
      kind: plan.kind,
      composer: plan.composer,
      composingRound: plan.composingRound,
      parentCertificate: certificate,
      batches: [],
      contributions: [],
    });
    const { header } = block;
    const changed = { ...header, ...CHANGES[plan.wrong](header) };
    const body = plan.wrong === 'body' ? { parentCertificate: null } : {};
    const payload = plan.wrong === 'payload' ? { payload: WRONG_PAYLOAD } : {};
    const bytes = encodeBlock({ ...block, ...body, ...payload, header: changed });
    return {
      hash: hashOf(changed),
      bytes: plan.wrong === 'bytes' ? bytes.subarray(0, -1) : bytes,
    };
  } catch (error) {
    // Some kinds cannot be composed in every state; a block that was heard of does as well.
    if (!(error instanceof Error && 'code' in error)) throw error;
    for (const bytes of village.heard) {
      const message = decodeMessage(bytes);
      if (message.type !== 'proposal') continue;
      decodeBlock(message.block);
      return { hash: message.proposal.blockHash, bytes: message.block };
    }
    return null;
  }
}
