import type { DisciplineState } from '../chain/state.ts';
import type { EvidenceItem, MemberRank } from '../chain/types.ts';
import { assessContributions, CONTRIBUTIONS } from './contributions.ts';
import type { Hearing } from './finding.ts';

/** Members who have weight 0 and earn nothing in the block at `height`. */
export function jailedMembers({ jailedThrough }: DisciplineState, height: number): ReadonlySet<MemberRank> {
  return new Set([...jailedThrough.keys()].filter((rank) => (jailedThrough[rank] as number) >= height));
}

/**
 * Keys of the contributions that have no place in the settlement in this block: their author has signed two of them, as
 * the block's own evidence or an earlier block's proves.
 */
export function barredContributions(hearing: Hearing, evidence: readonly EvidenceItem[]): ReadonlySet<string> {
  const offences = hearing.parent.discipline.punished.map(({ key }) => key);
  for (const item of evidence) {
    if (item.type !== 'contributions') continue;
    const assessment = assessContributions(hearing, item);
    if (assessment.ok) offences.push(assessment.finding.key);
  }
  return new Set(offences.filter((key) => key.startsWith(CONTRIBUTIONS)).map((key) => key.slice(CONTRIBUTIONS.length)));
}

/** What has to be remembered after the block at `height`; `termEnds` when the block ends its term. */
export function remembered(
  punished: DisciplineState['punished'],
  height: number,
  evidenceBlocks: number,
  termEnds: boolean,
): DisciplineState['punished'] {
  return punished
    .filter(({ forgetAt }) => forgetAt === null || forgetAt > height)
    .map((one) => (one.forgetAt === null && termEnds ? { ...one, forgetAt: height + evidenceBlocks + 1 } : one));
}
