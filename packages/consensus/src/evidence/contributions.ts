import type { Statement, StatementVerdict } from '../application/types.ts';
import type { ChainRules } from '../chain/state.ts';
import type { EvidenceItem } from '../chain/types.ts';
import { type Assessment, type Hearing, proven, unproven } from './finding.ts';

/** What the author has signed of two contributions of one member under one key (two announcements for one slot). */
export function assessContributions(
  hearing: Hearing,
  { first, second }: Extract<EvidenceItem, { type: 'contributions' }>,
): Assessment {
  const { rules, parent, history } = hearing;
  const { genesis } = rules;
  const opened: Statement[] = [];
  for (const bytes of [first, second]) {
    const verdict = statementIn(rules, bytes);
    if (!verdict.ok) return unproven('EVIDENCE_BAD_SIGNATURE', `${verdict.code}: ${verdict.reason}`);
    opened.push(verdict.statement);
  }
  const [one, other] = opened as [Statement, Statement];
  if (one.key !== other.key || one.signedBy !== 'member' || other.signedBy !== 'member' || sameBytes(first, second)) {
    return unproven('EVIDENCE_NO_CONFLICT', 'they are not two of one member under one key');
  }
  const oldest = Math.max(0, parent.height + 1 - genesis.penalties.evidenceBlocks);
  const isRecent = one.dueInSlot <= parent.slot + 1 && one.dueInSlot >= history.at(Math.max(0, oldest - 1)).state.slot;
  if (!isRecent) return unproven('EVIDENCE_OUT_OF_WINDOW', `it concerns the settlement of slot ${one.dueInSlot}`);
  return proven({ kind: 'offence', member: one.author, key: `${CONTRIBUTIONS}${one.key}`, term: null });
}

function statementIn({ genesis, chainId, application }: ChainRules, bytes: Uint8Array): StatementVerdict {
  if (application.checkStatement !== undefined) return application.checkStatement(genesis, chainId, bytes);
  const verdict = application.checkContribution(genesis, chainId, bytes, null);
  return verdict.ok ? { ok: true, statement: verdict.contribution } : verdict;
}

/** Before the key of a contribution in the key of its offence. */
export const CONTRIBUTIONS = 'contributions/';

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, k) => byte === b[k]);
}
