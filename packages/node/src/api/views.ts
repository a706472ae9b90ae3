import {
  type Account,
  type Block,
  type BlockHeader,
  batchHash,
  blockHash,
  type Candidate,
  type Certificate,
  type ChainRules,
  decodeBlock,
  decodeCertificate,
  decodeState,
  type ElectionEntry,
  electionListOf,
  genesisState,
  type HistoryEntry,
  layoutOf,
  type Operation,
  type PoegState,
  type PosocState,
  posocParametersOf,
  settlementContext,
  type TransactionBatch,
  transactionId,
} from '@wattmesh/consensus';
import { encodeModel } from '@wattmesh/frl';
import { globalWeights } from '../ev/ev-source.ts';
import type { RunningNode } from '../node.ts';
import { badRequest, notFound } from './errors.ts';
import { accusationView, outcomeView } from './evidence-view.ts';

/** JSON of the API. Amounts that may exceed 2^53 are decimal strings; units stand in the names. */

export interface AccountView {
  readonly publicKey: string;
  /** `prosumer`, `ev`, `edc` or `account`. */
  readonly role: string;
  readonly rank: number | null;
  readonly nonce: number;
  readonly eposMicro: string;
  readonly uposMicro: string;
  readonly creditWh: string;
  readonly clearingMicro: string;
  readonly stakeMicro: string;
  readonly unbonding: readonly { readonly releaseHeight: number; readonly amountMicro: string }[];
}

export function accountView(rules: ChainRules, account: Account, index: number): AccountView {
  const member = rules.genesis.members[index];
  return {
    publicKey: account.publicKey,
    role: member?.role ?? (index === rules.genesis.members.length ? 'edc' : 'account'),
    rank: member === undefined ? null : index,
    nonce: account.nonce,
    eposMicro: String(account.eposMicro),
    uposMicro: String(account.uposMicro),
    creditWh: String(account.creditWh),
    clearingMicro: String(account.clearingMicro),
    stakeMicro: String(account.stakeMicro),
    unbonding: account.unbonding.map(({ releaseHeight, amountMicro }) => ({
      releaseHeight,
      amountMicro: String(amountMicro),
    })),
  };
}

export interface BlockSummary extends BlockHeader {
  readonly hash: string;
  readonly decidedInRound: number;
  readonly voters: readonly number[];
  readonly transactions: number;
  readonly bytes: number;
}

export function blockSummary(block: Block, bytes: Uint8Array, certificate: Certificate): BlockSummary {
  return {
    hash: blockHash(block.header),
    ...block.header,
    decidedInRound: certificate.round,
    voters: certificate.votes.map(({ voter }) => voter),
    transactions: block.batches.reduce((sum, { operations }) => sum + operations.length, 0),
    bytes: bytes.length,
  };
}

export interface TransactionView {
  readonly id: string;
  readonly sender: string;
  readonly nonce: number;
  readonly operation: Record<string, string>;
}

export function transactionViews(batch: TransactionBatch): TransactionView[] {
  const hash = batchHash(batch);
  return batch.operations.map((operation, k) => ({
    id: transactionId(hash, k),
    sender: batch.sender,
    nonce: batch.firstNonce + k,
    operation: operationView(operation),
  }));
}

function operationView(operation: Operation): Record<string, string> {
  return Object.fromEntries(Object.entries(operation).map(([name, value]) => [name, String(value)]));
}

/** One block in full; a settlement also in words and numbers, as long as the state before it is kept. */
export function blockView(node: RunningNode, height: number): unknown {
  const { block, bytes, certificate } = storedBlock(node, height);
  return {
    ...blockSummary(block, bytes, certificate),
    timing: node.timing(height),
    transactions: block.batches.flatMap(transactionViews),
    settlement: block.header.kind === 'settlement' ? settlementView(node, block) : null,
    evidence: evidenceViews(node, block),
  };
}

/** A block's evidence: whom it accuses of what, and what the chain made of it, as far as the states are kept. */
function evidenceViews(node: RunningNode, { header, evidence }: Block): unknown[] {
  if (evidence.length === 0) return [];
  const outcomes = entryAfter(node, header.height)?.state.discipline.outcomes ?? null;
  return evidence.map((item, k) => {
    const outcome = outcomes?.[k];
    return {
      ...accusationView(node.rules, item, (height) => entryAfter(node, height)),
      outcome: outcome === undefined ? null : outcomeView(outcome),
    };
  });
}

/** The kept state after a height, and what decided it. */
function entryAfter({ rules, store }: RunningNode, height: number): HistoryEntry | null {
  if (height === 0) return { state: genesisState(rules), certificate: null };
  const state = store.state(height);
  const stored = store.block(height);
  if (state === null || stored === null) return null;
  return { state: decodeState(rules, state), certificate: decodeCertificate(stored.certificate) };
}

export function settlementView(node: RunningNode, block: Block): unknown {
  const { rules, store } = node;
  const { height } = block.header;
  const parentBytes = store.state(height - 1);
  if (parentBytes === null && height > 1) return null;
  const parent = parentBytes === null ? genesisState(rules) : decodeState(rules, parentBytes);
  const context = settlementContext(rules, parent, block.parentCertificate, block.header);
  return rules.application.describe(context, block.payload);
}

export function storedBlock(
  node: RunningNode,
  height: number,
): { block: Block; bytes: Uint8Array; certificate: Certificate } {
  const stored = node.store.block(height);
  if (stored === null) throw notFound(`there is no block at height ${height}; the head is ${node.store.head}`);
  return { block: decodeBlock(stored.block), bytes: stored.block, certificate: decodeCertificate(stored.certificate) };
}

/** A height in digits or a block hash in hex. */
export function heightOf(node: RunningNode, which: string): number {
  if (/^\d{1,15}$/.test(which)) return Number(which);
  if (!/^[0-9a-f]{64}$/.test(which))
    throw badRequest(`"${which}" is neither a height nor a block hash (64 hex digits)`);
  const height = node.store.heightOfBlock(which);
  if (height === null) throw notFound(`there is no block with hash ${which}`);
  return height;
}

/** Sums over all settled slots, overall and for each member. */
export function marketView(node: RunningNode): unknown {
  const { rules } = node;
  if (rules.application.name === 'posoc') return evMarketView(node);
  const { totals } = node.view().state.app as PoegState;
  const { members, ...sums } = totals;
  return {
    ...stringified(sums),
    members: members.map((member, rank) => ({
      rank,
      publicKey: rules.genesis.members[rank]?.publicKey,
      ...stringified(member),
    })),
  };
}

/** Scores, held profits and sums over all settled days of a PoSOC chain. Money in 10^-6 CAD, scores in 10^-6 kWh. */
function evMarketView(node: RunningNode): unknown {
  const { rules } = node;
  const { modelHash, rounds, aggregations, scores, held, totals } = node.view().state.app as PosocState;
  return {
    modelHash,
    rounds,
    aggregations,
    held: held.map(stringified),
    members: totals.map((member, rank) => ({
      rank,
      publicKey: rules.genesis.members[rank]?.publicKey,
      score: String(scores[rank]),
      ...stringified(member),
    })),
  };
}

/** The current global model as safetensors, and its hash (over the tensor bytes). */
export function modelView(node: RunningNode): { bytes: Uint8Array; hash: string } {
  const { rules } = node;
  if (rules.application.name !== 'posoc') throw notFound(`a ${rules.application.name} chain learns nothing`);
  const state = node.view().state.app as PosocState;
  const weights = globalWeights(rules.genesis, state, { get: (hash) => node.blob(hash) });
  if (weights === null) throw notFound(`the bytes of model ${state.modelHash} are still on their way`);
  const layout = layoutOf(posocParametersOf(rules.genesis).learning);
  return { bytes: encodeModel(layout, weights, { round: String(state.rounds) }), hash: state.modelHash };
}

function stringified(record: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, typeof value === 'bigint' ? String(value) : value]),
  );
}

export interface ElectionView {
  readonly term: number;
  readonly seed: string | null;
  /** In the order in which they propose: rank, and the candidate (by index) that it stands for; null in the tail. */
  readonly list: readonly ElectionEntry[];
  readonly candidates: readonly {
    readonly members: readonly number[];
    readonly miner: number;
    readonly weight: string;
    readonly sharePercent: number;
  }[];
}

/** How the proposers of the next block were drawn. */
export function electionView(node: RunningNode): ElectionView {
  const { state, list } = node.view();
  return electionOf(state.term, state.election.seed, list, state.election.candidates);
}

/** How the composer of a committed block had been drawn; null when the state before it is no longer kept. */
export function electionAt(node: RunningNode, height: number): ElectionView | null {
  const { rules, store } = node;
  const { block } = storedBlock(node, height);
  const parentBytes = store.state(height - 1);
  if (parentBytes === null && height > 1) return null;
  const parent = parentBytes === null ? genesisState(rules) : decodeState(rules, parentBytes);
  const list = electionListOf(rules, parent, block.parentCertificate);
  return electionOf(parent.term, parent.election.seed, list, parent.election.candidates);
}

function electionOf(
  term: number,
  seed: string | null,
  list: readonly ElectionEntry[],
  candidates: readonly Candidate[],
): ElectionView {
  const total = candidates.reduce((sum, { weight }) => sum + (weight > 0n ? weight : 0n), 0n);
  return {
    term,
    seed,
    list,
    candidates: candidates.map(({ members, miner, weight }) => ({
      members,
      miner,
      weight: String(weight),
      sharePercent: total === 0n || weight <= 0n ? 0 : Number((weight * 10_000n) / total) / 100,
    })),
  };
}
