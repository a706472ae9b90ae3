import { encodeEvidence, maxEvidenceBytes } from '../chain/evidence.ts';
import type { ChainHistory } from '../chain/history.ts';
import { MAX_EVIDENCE_ITEMS, MAX_SMALL_EVIDENCE_BYTES } from '../chain/limits.ts';
import type { ChainRules, ChainState } from '../chain/state.ts';
import type { EvidenceItem } from '../chain/types.ts';
import { assessEvidence, type EvidenceFault, type Finding } from '../evidence/index.ts';

/** Items of each kind (refusals, offences) that wait for a block at most. */
const MAX_WAITING = 48;

/** Evidence that proves nothing wherever it is looked at: nobody sends it by honest mistake. */
const WORTHLESS: readonly EvidenceFault[] = [
  'EVIDENCE_MALFORMED',
  'EVIDENCE_NO_QUORUM',
  'EVIDENCE_BAD_SIGNATURE',
  'EVIDENCE_NO_CONFLICT',
  'EVIDENCE_NOT_THE_COMPOSER',
  'EVIDENCE_OMITTED',
];

/** Evidence that was refused. Its code is the fault's. */
export class WorthlessEvidence extends Error {
  readonly code: EvidenceFault;

  constructor(code: EvidenceFault, reason: string) {
    super(`${code}: ${reason}`);
    this.name = 'WorthlessEvidence';
    this.code = code;
  }
}

interface Waiting {
  readonly item: EvidenceItem;
  readonly bytes: number;
  readonly finding: Finding;
  readonly sinceHeight: number;
}

/**
 * Evidence that waits for a block: one item for each thing done, refusals and offences bounded apart, so that a bad network
 * cannot crowd out proofs. Nothing enters that would not be punished if it stood in the next block.
 */
export class Accusations {
  readonly #rules: ChainRules;
  readonly #history: ChainHistory;
  readonly #waiting = new Map<string, Waiting>();

  constructor(rules: ChainRules, history: ChainHistory) {
    this.#rules = rules;
    this.#history = history;
  }

  /**
   * Takes an item; null when it is known, proves nothing here and now, or there is no room for it.
   * @throws WorthlessEvidence when it proves nothing anywhere.
   */
  add(parent: ChainState, item: EvidenceItem): Finding | null {
    const assessment = assessEvidence({ rules: this.#rules, parent, history: this.#history }, item);
    if (!assessment.ok) {
      if (WORTHLESS.includes(assessment.fault)) throw new WorthlessEvidence(assessment.fault, assessment.reason);
      return null;
    }
    const { finding } = assessment;
    const others = [...this.#waiting.values()].filter((one) => one.finding.kind === finding.kind).length;
    if (this.#waiting.has(finding.key) || others >= MAX_WAITING) return null;
    const bytes = encodeEvidence(item).length;
    this.#waiting.set(finding.key, { item, bytes, finding, sinceHeight: parent.height });
    return finding;
  }

  /** What the next block can hold of it: offences first, within the chain's limits. */
  select(): readonly EvidenceItem[] {
    const selected: EvidenceItem[] = [];
    let bytes = 0;
    let smallBytes = 0;
    const limit = maxEvidenceBytes(this.#rules.genesis);
    const ordered = [...this.#waiting.values()].sort((a, b) => rankOf(a.finding) - rankOf(b.finding));
    for (const { item, bytes: length } of ordered) {
      if (selected.length === MAX_EVIDENCE_ITEMS) break;
      const small = item.type === 'invalid-block' ? 0 : length;
      if (bytes + length > limit || smallBytes + small > MAX_SMALL_EVIDENCE_BYTES) continue;
      selected.push(item);
      bytes += length;
      smallBytes += small;
    }
    return selected;
  }

  /** Proofs that have waited for a block or more: to be told to the others again. */
  overdue(height: number): readonly EvidenceItem[] {
    return [...this.#waiting.values()].filter(({ sinceHeight }) => sinceHeight < height).map(({ item }) => item);
  }

  /** Forgets what a new head has punished or outdated. */
  prune(head: ChainState): void {
    const punished = new Set(head.discipline.punished.map(({ key }) => key));
    const { evidenceBlocks } = this.#rules.genesis.penalties;
    for (const [key, { sinceHeight }] of this.#waiting)
      if (punished.has(key) || head.height - sinceHeight > evidenceBlocks) this.#waiting.delete(key);
  }
}

function rankOf({ kind }: Finding): number {
  return kind === 'offence' ? 0 : 1;
}
