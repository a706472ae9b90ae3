import { encodeEvidence, maxEvidenceBytes } from '../chain/evidence.ts';
import { MAX_EVIDENCE_ITEMS, MAX_SMALL_EVIDENCE_BYTES } from '../chain/limits.ts';
import type { EvidenceItem } from '../chain/types.ts';
import { assessEvidence, type EvidenceFault, type Finding } from '../evidence/index.ts';
import type { Outbox } from './outbox.ts';
import type { Standing } from './standing.ts';

/** Items of each kind (refusals, offences) that wait for a block at most. */
const MAX_WAITING = 48;
/** Proofs that are told again at a time. */
const MAX_RESENDS = 4;

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
  readonly #standing: Standing;
  readonly #outbox: Outbox;
  readonly #waiting = new Map<string, Waiting>();

  constructor(standing: Standing, outbox: Outbox) {
    this.#standing = standing;
    this.#outbox = outbox;
  }

  /** Keeps what this peer has found out for the next block, and tells the others; false when it proves nothing new. */
  accuse(item: EvidenceItem): boolean {
    if (!this.receive(item)) return false;
    this.#outbox.broadcast('evidence', { type: 'evidence', item });
    return true;
  }

  /**
   * Takes an item; false when it is known, proves nothing here and now, or there is no room for it.
   * @throws WorthlessEvidence when it proves nothing anywhere.
   */
  receive(item: EvidenceItem): boolean {
    const finding = this.#add(item);
    if (finding !== null) this.#outbox.notice({ type: 'evidence', member: finding.member, offence: finding.key });
    return finding !== null;
  }

  /** Tells the others again about proofs that have waited for a block or more. */
  resend(): void {
    const { height } = this.#standing.state;
    const overdue = [...this.#waiting.values()].filter(({ sinceHeight }) => sinceHeight < height);
    for (const { item } of overdue.slice(0, MAX_RESENDS))
      this.#outbox.broadcast('evidence', { type: 'evidence', item }, true);
  }

  #add(item: EvidenceItem): Finding | null {
    const assessment = assessEvidence(this.#standing.hearing, item);
    if (!assessment.ok) {
      if (WORTHLESS.includes(assessment.fault)) throw new WorthlessEvidence(assessment.fault, assessment.reason);
      return null;
    }
    const { finding } = assessment;
    const others = [...this.#waiting.values()].filter((one) => one.finding.kind === finding.kind).length;
    if (this.#waiting.has(finding.key) || others >= MAX_WAITING) return null;
    const bytes = encodeEvidence(item).length;
    this.#waiting.set(finding.key, { item, bytes, finding, sinceHeight: this.#standing.state.height });
    return finding;
  }

  /** What the next block can hold of it: offences first, within the chain's limits. */
  select(): readonly EvidenceItem[] {
    const selected: EvidenceItem[] = [];
    let bytes = 0;
    let smallBytes = 0;
    const limit = maxEvidenceBytes(this.#standing.rules.genesis);
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

  /** Forgets what the new head has punished or outdated. */
  prune(): void {
    const { rules, state } = this.#standing;
    const punished = new Set(state.discipline.punished.map(({ key }) => key));
    for (const [key, { sinceHeight }] of this.#waiting)
      if (punished.has(key) || state.height - sinceHeight > rules.genesis.penalties.evidenceBlocks)
        this.#waiting.delete(key);
  }
}

function rankOf({ kind }: Finding): number {
  return kind === 'offence' ? 0 : 1;
}
