import {
  type Assessment,
  assessEvidence,
  type ChainState,
  decodeState,
  type EvidenceItem,
  type EvidenceOutcome,
  executeBlock,
  type HistoryEntry,
  historyThrough,
  stateRoot,
} from '@wattmesh/consensus';
import { type AccusationView, accusationView, type OutcomeView, outcomeView } from '../api/evidence-view.ts';
import type { InspectedChain, StoredHeight } from './inspected-chain.ts';

/** What an item proves when it is decided again. */
export interface DecisionView {
  /** `refusal`: no acceptable proposal came; `offence`: a rule was broken under a signature; null: nothing (new). */
  readonly proves: 'refusal' | 'offence' | null;
  /** Names what was done; null when it proves nothing. */
  readonly finding: string | null;
  readonly fault: string | null;
  /** Why it proves nothing; null when it does. */
  readonly reason: string | null;
}

/** One item of evidence on the chain: what it says, what it proves, and what the chain made of it. */
export interface EvidenceRow {
  /** Height of the block that holds it. */
  readonly block: number;
  readonly index: number;
  readonly accusation: AccusationView;
  readonly accusedName: string | null;
  readonly decided: DecisionView;
  /** What follows from that by execution. */
  readonly due: OutcomeView;
  /** In the state after the block; null when that says nothing of the item. */
  readonly recorded: OutcomeView | null;
  readonly agrees: boolean;
}

export interface EvidenceReport {
  readonly label: string;
  readonly head: number;
  /** Blocks that hold evidence. */
  readonly blocks: number;
  readonly items: readonly EvidenceRow[];
  /** Blocks whose record is not the one that their header commits to. */
  readonly wrongRoots: readonly number[];
  /** Whether every record is what deciding again gives, and what its header commits to. */
  readonly agrees: boolean;
}

/**
 * Decides evidence of the chain again, of all blocks or of `height` alone, and compares with what the chain recorded: in
 * the state that is kept after the block, or, where none is, in the state that the block's header commits to.
 * `onHeight` is told of each block that was looked at.
 */
export async function evidenceReport(
  chain: InspectedChain,
  height: number | null = null,
  onHeight: (height: number) => void = () => undefined,
): Promise<EvidenceReport> {
  const items: EvidenceRow[] = [];
  const wrongRoots: number[] = [];
  let blocks = 0;
  for (let at = height ?? 1; at <= (height ?? chain.head); at += 1) {
    const stored = await chain.at(at);
    if (stored.block.evidence.length > 0) {
      blocks += 1;
      const { rows, isRootRight } = await decideBlock(chain, stored);
      items.push(...rows);
      if (!isRootRight) wrongRoots.push(at);
    }
    onHeight(at);
  }
  const agrees = wrongRoots.length === 0 && items.every((row) => row.agrees);
  return { label: chain.source.label, head: chain.head, blocks, items, wrongRoots, agrees };
}

async function decideBlock(
  chain: InspectedChain,
  { height, hash, block }: StoredHeight,
): Promise<{ readonly rows: readonly EvidenceRow[]; readonly isRootRight: boolean }> {
  const { rules, source } = chain;
  const parent = await chain.stateAfter(height - 1);
  const head: HistoryEntry = { state: parent, certificate: block.parentCertificate };
  const { assessments, accusations, state } = await chain.withHistory((earlier) => {
    const history = historyThrough(earlier, head);
    const entryAt = (at: number): HistoryEntry | null => (at >= 0 && at < height ? history.at(at) : null);
    return {
      assessments: assessInOrder((item) => assessEvidence({ rules, parent, history }, item), block.evidence),
      accusations: block.evidence.map((item) => accusationView(rules, item, entryAt)),
      state: executeBlock(rules, parent, block, hash, history),
    };
  });
  const kept = await source.state(height);
  const record: ChainState = kept === null ? state : decodeState(rules, kept);
  const rows = block.evidence.map((item, index): EvidenceRow => {
    const accusation = accusations[index] as AccusationView;
    const assessment = assessments[index] as Assessment;
    const due = state.discipline.outcomes[index] as EvidenceOutcome;
    const recorded = record.discipline.outcomes[index] ?? null;
    return {
      block: height,
      index,
      accusation,
      accusedName: accusation.accused === null ? null : chain.name(accusation.accused),
      decided: assessment.ok
        ? { proves: assessment.finding.kind, finding: assessment.finding.key, fault: null, reason: null }
        : { proves: null, finding: null, fault: assessment.fault, reason: assessment.reason },
      due: outcomeView(due),
      recorded: recorded === null ? null : outcomeView(recorded),
      agrees:
        recorded !== null && isOutcomeOf(recorded, item, assessment) && recorded.slashedMicro === due.slashedMicro,
    };
  });
  return { rows, isRootRight: stateRoot(rules, record) === block.header.stateRoot };
}

/** One thing is punished once: what an earlier item of the block proves, a later one does not prove again. */
function assessInOrder(
  assess: (item: EvidenceItem) => Assessment,
  evidence: readonly EvidenceItem[],
): readonly Assessment[] {
  const found = new Set<string>();
  return evidence.map((item) => {
    const assessment = assess(item);
    if (!assessment.ok) return assessment;
    const { key } = assessment.finding;
    if (found.has(key))
      return { ok: false, fault: 'EVIDENCE_PUNISHED', reason: 'an earlier item of the block proves the same' };
    found.add(key);
    return assessment;
  });
}

function isOutcomeOf(outcome: EvidenceOutcome, item: EvidenceItem, assessment: Assessment): boolean {
  if (outcome.type !== item.type) return false;
  return assessment.ok
    ? outcome.member === assessment.finding.member && outcome.fault === null
    : outcome.member === null && outcome.fault === assessment.fault && outcome.slashedMicro === 0n;
}
