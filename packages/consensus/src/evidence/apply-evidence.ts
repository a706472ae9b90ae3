import type { DisciplineState, EvidenceOutcome } from '../chain/state.ts';
import type { EvidenceItem, MemberRank } from '../chain/types.ts';
import type { OperationDraft } from '../ledger/draft.ts';
import { assessEvidence } from './assess-evidence.ts';
import { remembered } from './discipline.ts';
import { type Finding, type Hearing, unproven } from './finding.ts';

/** What a block's evidence leaves behind, besides the tokens that it burns. */
export interface Sanctions {
  readonly discipline: DisciplineState;
  /** Who moves to the end of the list for the rest of the term after the block, in order. */
  readonly demoted: readonly MemberRank[];
}

const PPM = 1_000_000n;
const FOR_EVER = Number.MAX_SAFE_INTEGER;

/**
 * Executes a block's evidence, in order, on the draft of its ledger: after its transactions and its settlement. `termAfter`
 * is the term of the state after the block. A refusal costs the penalty and, while its term lasts, the place in the list;
 * an offence costs a part of all that is locked, the place in the list, and weight and rewards while the jail lasts.
 */
export function applyEvidence(
  hearing: Hearing,
  evidence: readonly EvidenceItem[],
  termAfter: number,
  draft: OperationDraft,
): Sanctions {
  const { rules, parent } = hearing;
  const { penalties } = rules.genesis;
  const height = parent.height + 1;
  const termEnds = termAfter !== parent.term;
  const demoted: MemberRank[] = [];
  const outcomes: EvidenceOutcome[] = [];
  const jailedThrough = [...parent.discipline.jailedThrough];
  const punished = [...remembered(parent.discipline.punished, height, penalties.evidenceBlocks, termEnds)];
  const forgetAt = height + penalties.evidenceBlocks + 1;
  const demote = (rank: MemberRank): void => {
    const before = termEnds ? [] : parent.election.demoted;
    if (!before.includes(rank) && !demoted.includes(rank)) demoted.push(rank);
  };
  const punish = ({ kind, member, key, term }: Finding): bigint => {
    if (kind === 'refusal') {
      punished.push({ key, forgetAt: term === termAfter ? null : forgetAt });
      if (term === termAfter) demote(member);
      return draft.slash(member, penalties.refusalPenaltyMicro);
    }
    punished.push({ key, forgetAt });
    demote(member);
    jailedThrough[member] = penalties.jailBlocks === 0 ? FOR_EVER : height + penalties.jailBlocks;
    return draft.slash(member, (draft.lockedMicro(member) * BigInt(penalties.slashPpm)) / PPM);
  };
  for (const item of evidence) {
    let assessment = assessEvidence(hearing, item);
    const { ok } = assessment;
    if (ok && punished.some(({ key }) => assessment.ok && key === assessment.finding.key)) {
      assessment = unproven('EVIDENCE_PUNISHED', 'an earlier item of the block proves the same');
    }
    outcomes.push(
      assessment.ok
        ? { type: item.type, member: assessment.finding.member, fault: null, slashedMicro: punish(assessment.finding) }
        : { type: item.type, member: null, fault: assessment.fault, slashedMicro: 0n },
    );
  }
  return { discipline: { jailedThrough, punished, outcomes }, demoted };
}
