import { type ChainHistory, historyThrough } from '../chain/history.ts';
import { isLastSlotOfTerm } from '../chain/slots.ts';
import type { ChainRules, ChainState, ElectionState } from '../chain/state.ts';
import type { Block, BlockHeader, Certificate, Hash } from '../chain/types.ts';
import { seedOfSignature } from '../election/index.ts';
import type { Hearing } from '../evidence/finding.ts';
import { applyEvidence, barredContributions } from '../evidence/index.ts';
import { draftOf, type OperationDraft } from '../ledger/draft.ts';
import { executeSettlement, type SettlementOutcome, settlementContext } from './settlement.ts';
import { executeBatches } from './transactions.ts';

/** For blocks whose evidence, if any, concerns their own height only. */
export const UNKNOWN_PAST: ChainHistory = {
  at(height) {
    throw new Error(`the state after height ${height} is needed to decide evidence, and was not given`);
  },
};

/**
 * The state after a block, without the checks that need no execution: for a block that has been composed here, or that a
 * certificate has decided and that was verified before. `parent` is never changed. Transactions come first, then the
 * settlement, then the evidence.
 *
 * @throws BlockRejection when a batch or the settlement cannot be executed.
 */
export function executeBlock(
  rules: ChainRules,
  parent: ChainState,
  block: Block,
  blockHash: Hash,
  history: ChainHistory = UNKNOWN_PAST,
): ChainState {
  const { header, parentCertificate, batches, payload, evidence } = block;
  const hearing = hearingOf(rules, parent, parentCertificate, history);
  const draft = startBlock(rules, parent);
  executeBatches(rules, draft, batches, header.height);
  let settled: SettlementOutcome | null = null;
  if (header.kind === 'settlement') {
    const barred = barredContributions(hearing, evidence);
    const context = settlementContext(rules, parent, parentCertificate, header, barred);
    settled = executeSettlement(rules, context, payload, draft);
  }
  return finishBlock(hearing, block, blockHash, draft, settled);
}

/** What the evidence in a block on top of `parent` is decided on. */
export function hearingOf(
  rules: ChainRules,
  parent: ChainState,
  parentCertificate: Certificate | null,
  history: ChainHistory,
): Hearing {
  const head = { state: parent, certificate: parentCertificate };
  return { rules, parent, history: historyThrough(history, head) };
}

/** Opens the ledger for the block after `parent`; what has finished unbonding comes back first. */
export function startBlock({ genesis }: ChainRules, parent: ChainState): OperationDraft {
  const draft = draftOf(genesis, parent.ledger);
  draft.releaseUnbonded(parent.height + 1);
  return draft;
}

/** Executes the block's evidence, and closes the ledger: the state that header, settlement and evidence make of the parent. */
export function finishBlock(
  hearing: Hearing,
  { header, evidence }: Block,
  blockHash: Hash,
  draft: OperationDraft,
  settled: SettlementOutcome | null,
): ChainState {
  const { parent, rules } = hearing;
  const endsTerm = settled !== null && isLastSlotOfTerm(rules.genesis, parent.slot);
  const term = endsTerm ? parent.term + 1 : parent.term;
  const { discipline, demoted } = applyEvidence(hearing, evidence, term, draft);
  const election: ElectionState =
    settled !== null && endsTerm
      ? { candidates: settled.candidates, first: settled.first, seed: null, demoted: [] }
      : withSeed(parent.election, header);
  return {
    height: header.height,
    blockHash,
    chainTimeMs: header.chainTimeMs,
    term,
    slot: settled === null ? parent.slot : parent.slot + 1,
    phase: settled !== null ? 'open' : header.kind === 'closing' ? 'closed' : parent.phase,
    election: { ...election, demoted: [...election.demoted, ...demoted] },
    ledger: draft.finish(),
    discipline,
    app: settled === null ? parent.app : settled.state,
  };
}

/** The first block of a term carries its seed. */
function withSeed(election: ElectionState, { seedSignature }: BlockHeader): ElectionState {
  return seedSignature === null ? election : { ...election, seed: seedOfSignature(seedSignature) };
}
