import { BlockRejection } from '../application/rejection.ts';
import type { SettlementContext } from '../application/types.ts';
import { isLastSlotOfTerm } from '../chain/slots.ts';
import type { ChainRules, ChainState } from '../chain/state.ts';
import type { BlockHeader, Candidate, Certificate } from '../chain/types.ts';
import { electionListOf, seedOf } from '../election/index.ts';
import { jailedMembers } from '../evidence/index.ts';
import { LedgerError } from '../ledger/errors.ts';
import type { LedgerDraft } from '../ledger/types.ts';

/** What a settlement leaves to the chain. */
export interface SettlementOutcome {
  readonly state: unknown;
  readonly candidates: readonly Candidate[];
  readonly first: number | null;
}

/** What the application is told about the settlement block with header fields `header` on top of `parent`. */
export function settlementContext(
  rules: ChainRules,
  parent: ChainState,
  parentCertificate: Certificate | null,
  header: Pick<BlockHeader, 'composer' | 'composingRound' | 'chainTimeMs'>,
  barred: ReadonlySet<string> = new Set(),
): SettlementContext<unknown> {
  const list = electionListOf(rules, parent, parentCertificate);
  const entry = list[header.composingRound % list.length];
  const drawn = entry === undefined || entry.candidate === null ? null : parent.election.candidates[entry.candidate];
  return {
    genesis: rules.genesis,
    chainId: rules.chainId,
    slot: parent.slot,
    term: parent.term,
    lastOfTerm: isLastSlotOfTerm(rules.genesis, parent.slot),
    seed: seedOf(rules, parent, parentCertificate),
    chainTimeMs: header.chainTimeMs,
    composer: header.composer,
    winner: drawn ?? null,
    blobs: rules.blobs ?? null,
    jailed: jailedMembers(parent.discipline, parent.height + 1),
    barred,
    state: parent.app,
  };
}

/**
 * Lets the application settle the slot on the draft.
 * @throws BlockRejection by the application, or SETTLEMENT_FAILED when the ledger refuses what it books.
 */
export function executeSettlement(
  { application }: ChainRules,
  context: SettlementContext<unknown>,
  payload: Uint8Array,
  draft: LedgerDraft,
): SettlementOutcome {
  try {
    return application.execute(context, payload, draft);
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    throw new BlockRejection('settlement', 'SETTLEMENT_FAILED', `${error.code}: ${error.message}`);
  }
}
