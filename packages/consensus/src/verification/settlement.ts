import { executeSettlement, type SettlementOutcome, settlementContext } from '../execution/settlement.ts';
import type { LedgerDraft } from '../ledger/types.ts';
import type { Subject } from './subject.ts';

/** The application recomputes the settlement on `draft` and compares; null for a block that settles nothing. */
export function checkSettlement(
  { rules, parent, block }: Subject,
  barred: ReadonlySet<string>,
  draft: LedgerDraft,
): SettlementOutcome | null {
  if (block.header.kind !== 'settlement') return null;
  const context = settlementContext(rules, parent, block.parentCertificate, block.header, barred);
  return executeSettlement(rules, context, block.payload, draft);
}
