import { MAX_EVIDENCE_ITEMS } from '../chain/limits.ts';
import type {
  ChainRules,
  ChainState,
  DisciplineState,
  ElectionState,
  EvidenceOutcome,
  Punished,
} from '../chain/state.ts';
import type { Candidate } from '../chain/types.ts';
import {
  ascii,
  bytes,
  CodecError,
  decode,
  encode,
  enumeration,
  hash,
  i64,
  list,
  option,
  struct,
  u16,
  u32,
  u53,
  u64,
} from '../codec/index.ts';
import { accountCodec, encodeAccount, supplyCodec } from '../ledger/codec.ts';

/** A named part of the state; the state root is the Merkle root over all of them, in their order. */
export interface NamedLeaf {
  readonly name: string;
  readonly value: Uint8Array;
}

/** Leaves before those of the accounts: head, election, supply, discipline. */
export const LEAVES_BEFORE_ACCOUNTS = 4;

const FIXED_LEAVES = ['head', 'election', 'supply', 'discipline'] as const;

const MAX_MEMBERS = 65_536;
const MAX_LEAVES = 1_048_576;
const MAX_LEAF_BYTES = 64 * 1024 * 1024;

const headCodec = struct<Pick<ChainState, 'height' | 'chainTimeMs' | 'term' | 'slot' | 'phase'>>({
  height: u53,
  chainTimeMs: u53,
  term: u53,
  slot: u53,
  phase: enumeration(['open', 'closed']),
});

const electionCodec = struct<ElectionState>({
  candidates: list(
    struct<Candidate>({ members: list(u16, MAX_MEMBERS), miner: u16, successors: list(u16, MAX_MEMBERS), weight: i64 }),
    MAX_MEMBERS,
  ),
  first: option(u32),
  seed: option(hash),
  demoted: list(u16, MAX_MEMBERS),
});

const disciplineCodec = struct<DisciplineState>({
  jailedThrough: list(u53, MAX_MEMBERS),
  punished: list(struct<Punished>({ key: ascii(255), forgetAt: option(u53) }), MAX_LEAVES),
  outcomes: list(
    struct<EvidenceOutcome>({
      type: enumeration(['timeout', 'votes', 'proposals', 'contributions', 'invalid-block', 'omitted']),
      member: option(u16),
      fault: option(ascii(64)),
      slashedMicro: u64,
    }),
    MAX_EVIDENCE_ITEMS,
  ),
});

const leafCodec = struct<NamedLeaf>({ name: ascii(64), value: bytes(MAX_LEAF_BYTES) });
const stateCodec = struct<{ blockHash: string; leaves: readonly NamedLeaf[] }>({
  blockHash: hash,
  leaves: list(leafCodec, MAX_LEAVES),
});

/**
 * The state as named leaves in their fixed order: head, election, supply, discipline, accounts by index, then the application's. The
 * hash of the state's own block is not among them: it covers the header, which holds the state root.
 */
export function stateLeaves({ application }: ChainRules, state: ChainState): readonly NamedLeaf[] {
  return [
    { name: 'head', value: encode(headCodec, state) },
    { name: 'election', value: encode(electionCodec, state.election) },
    { name: 'supply', value: encode(supplyCodec, state.ledger.supply) },
    { name: 'discipline', value: encode(disciplineCodec, state.discipline) },
    ...state.ledger.accounts.map((account, index) => ({
      name: `account/${index}`,
      value: encodeAccount(account),
    })),
    ...application.encodeState(state.app).map(({ key, value }) => ({ name: `app/${key}`, value })),
  ];
}

/** The bytes of a leaf, its name included, as the state root covers them. */
export function encodeLeaf(leaf: NamedLeaf): Uint8Array {
  return encode(leafCodec, leaf);
}

/** Everything that a peer keeps of a height's state; `decodeState` is its inverse. */
export function encodeState(rules: ChainRules, state: ChainState): Uint8Array {
  return encode(stateCodec, { blockHash: state.blockHash, leaves: stateLeaves(rules, state) });
}

/** @throws CodecError for bytes that `encodeState` has not made for this chain. */
export function decodeState({ genesis, application }: ChainRules, encoded: Uint8Array): ChainState {
  const { blockHash, leaves } = decode(stateCodec, encoded);
  const accountCount = genesis.members.length + genesis.accounts.length;
  const firstAppLeaf = LEAVES_BEFORE_ACCOUNTS + accountCount;
  const chainNames = [...FIXED_LEAVES, ...Array.from({ length: accountCount }, (_, k) => `account/${k}`)];
  leaves.forEach(({ name }, place) => {
    if (place < firstAppLeaf ? name === chainNames[place] : name.startsWith('app/')) return;
    throw new CodecError('CODEC_RULE', `a state has no leaf ${name} at place ${place}`);
  });
  const [head, election, supply, discipline] = leaves.map(({ value }) => value);
  const isComplete = leaves.length >= firstAppLeaf && head && election && supply && discipline;
  if (!isComplete) {
    throw new CodecError(
      'CODEC_RULE',
      `a state of this chain has at least ${firstAppLeaf} leaves, not ${leaves.length}`,
    );
  }
  return {
    ...decode(headCodec, head),
    blockHash,
    election: decode(electionCodec, election),
    ledger: {
      accounts: leaves.slice(LEAVES_BEFORE_ACCOUNTS, firstAppLeaf).map(({ value }) => decode(accountCodec, value)),
      supply: decode(supplyCodec, supply),
    },
    discipline: decode(disciplineCodec, discipline),
    app: application.decodeState(
      leaves.slice(firstAppLeaf).map(({ name, value }) => ({ key: name.slice('app/'.length), value })),
    ),
  };
}
