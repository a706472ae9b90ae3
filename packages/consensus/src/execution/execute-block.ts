import { isLastSlotOfTerm } from '../chain/slots.ts';
import type { ChainRules, ChainState, ElectionState } from '../chain/state.ts';
import type { Block, BlockHeader, Hash } from '../chain/types.ts';
import { seedOfSignature } from '../election/index.ts';
import { draftOf, type OperationDraft } from '../ledger/draft.ts';
import type { LedgerState } from '../ledger/types.ts';
import { executeSettlement, type SettlementOutcome, settlementContext } from './settlement.ts';
import { executeBatches } from './transactions.ts';

/**
 * The state after a block, without the checks that need no execution: for a block that has been composed here, or that a
 * certificate has decided and that was verified before. `parent` is never changed.
 *
 * @throws BlockRejection when a batch or the settlement cannot be executed.
 */
export function executeBlock(rules: ChainRules, parent: ChainState, block: Block, blockHash: Hash): ChainState {
  const { header, parentCertificate, batches, payload } = block;
  const draft = startBlock(rules, parent);
  executeBatches(rules, draft, batches, header.height);
  let settled: SettlementOutcome | null = null;
  if (header.kind === 'settlement') {
    const context = settlementContext(rules, parent, parentCertificate, header);
    settled = executeSettlement(rules, context, payload, draft);
  }
  return finishBlock(rules, parent, header, blockHash, draft.finish(), settled);
}

/** Opens the ledger for the block after `parent`; what has finished unbonding comes back first. */
export function startBlock({ genesis }: ChainRules, parent: ChainState): OperationDraft {
  const draft = draftOf(genesis, parent.ledger);
  draft.releaseUnbonded(parent.height + 1);
  return draft;
}

/** The state that a block's header, its ledger and its settlement (if it is one) make of `parent`. */
export function finishBlock(
  { genesis }: ChainRules,
  parent: ChainState,
  header: BlockHeader,
  blockHash: Hash,
  ledger: LedgerState,
  settled: SettlementOutcome | null,
): ChainState {
  const head = { height: header.height, blockHash, chainTimeMs: header.chainTimeMs, ledger };
  if (settled === null) {
    return {
      ...head,
      term: parent.term,
      slot: parent.slot,
      phase: header.kind === 'closing' ? 'closed' : parent.phase,
      election: withSeed(parent.election, header),
      app: parent.app,
    };
  }
  const lastOfTerm = isLastSlotOfTerm(genesis, parent.slot);
  const { candidates, first } = settled;
  return {
    ...head,
    term: lastOfTerm ? parent.term + 1 : parent.term,
    slot: parent.slot + 1,
    phase: 'open',
    election: lastOfTerm ? { candidates, first, seed: null, demoted: [] } : withSeed(parent.election, header),
    app: settled.state,
  };
}

/** The first block of a term carries its seed. */
function withSeed(election: ElectionState, { seedSignature }: BlockHeader): ElectionState {
  return seedSignature === null ? election : { ...election, seed: seedOfSignature(seedSignature) };
}
