import type { Contribution, ContributionSource } from '../application/types.ts';
import type { Hash, Hex } from '../chain/types.ts';
import type { BlobPool } from './blob-pool.ts';
import type { ContributionPool } from './contribution-pool.ts';
import { encodeJournalEntry } from './journal.ts';
import type { Outbox } from './outbox.ts';
import type { Silence } from './silence.ts';
import type { Standing } from './standing.ts';

interface OwnContributionsModules {
  readonly standing: Standing;
  readonly outbox: Outbox;
  readonly contributions: ContributionPool;
  readonly blobs: BlobPool;
  readonly source: ContributionSource | null;
  readonly resendMs: number;
  readonly silence: Pick<Silence, 'through'>;
}

/**
 * What this member has signed for slots that are not settled yet: journalled before it is told, told until it is settled,
 * and never signed a second time in other words. Of a slot in which it may have signed what its damaged journal does not
 * hold any more, it is absent: it signs nothing for that slot, and only tells what the journal still holds.
 */
export class OwnContributions {
  readonly #modules: OwnContributionsModules;
  readonly #own = new Map<string, Contribution>();
  /** How often this member has repeated its contributions in this slot. */
  #resends = 0;
  /** Nothing is signed for slots up to this one. */
  #absentThrough = -1;

  constructor(modules: OwnContributionsModules) {
    this.#modules = modules;
  }

  /**
   * Takes a journalled contribution, also of a slot that the head has not reached again: a store that has lost its newest
   * blocks catches up with it. Null when it is none of this member, or one with its key is there already.
   */
  remember(bytes: Uint8Array): Contribution | null {
    return this.#take(bytes, -1, null);
  }

  /** Whether the journal holds this member's contribution of this key. */
  has(key: string): boolean {
    return this.#own.has(key);
  }

  /** Whether the journal holds these bytes as a part of one of them. */
  holdsBlob(hash: Hash): boolean {
    return [...this.#own.values()].some(({ blob }) => blob?.hash === hash);
  }

  /** Takes a journalled absence, before the first slot is entered. */
  recallAbsence(throughSlot: number): void {
    this.#absentThrough = Math.max(this.#absentThrough, throughSlot);
  }

  /**
   * The head has moved. While it is not beyond what the journal has lost, the slot that it is in may be one for which this
   * member has signed. It is journalled before the commit: a restart after it would find nothing to be silent about.
   */
  onHead(): void {
    const { standing, outbox, silence } = this.#modules;
    const { height, slot } = standing.state;
    // Zero says that nothing was lost, also before the first block.
    const isKnown = silence.through === 0 || height > silence.through;
    if (standing.self === null || isKnown || slot <= this.#absentThrough) return;
    this.#absentThrough = slot;
    outbox.write({ type: 'journal', bytes: encodeJournalEntry({ type: 'absence', throughSlot: slot }) });
  }

  /** Signs, journals and tells what is due at the beginning of a slot. */
  enterSlot(): void {
    const { standing, source, blobs } = this.#modules;
    const { slot, app } = standing.state;
    this.#resends = 0;
    for (const [key, { dueInSlot }] of this.#own) if (dueInSlot < slot) this.#own.delete(key);
    if (standing.self === null) return;
    // Bytes that were journalled before a crash win over what the source says now: never two announcements for one slot.
    const signed = slot <= this.#absentThrough ? [] : (source?.contributions(slot, app, blobs) ?? []);
    for (const bytes of signed) if (this.#take(bytes, this.#absentThrough, slot) !== null) this.#write(bytes);
    for (const own of this.#open()) this.#tell(own, false);
  }

  /** Takes what this member has signed in the meantime; `accept`, or why not. */
  contribute(bytes: Uint8Array): string {
    if (this.#modules.standing.self === null) return 'CONTRIBUTION_OF_A_FOLLOWER';
    const own = this.#take(bytes, this.#absentThrough, this.#modules.standing.state.slot);
    if (own === null) return 'CONTRIBUTION_NOT_TAKEN';
    this.#write(bytes);
    this.#tell(own, false);
    return 'accept';
  }

  /** Tells somebody who has just connected. */
  tell(member: Hex): void {
    for (const { bytes } of this.#open()) this.#modules.outbox.send(member, 'request', { type: 'contribution', bytes });
  }

  /** Tells everybody again: less and less often, as gossip repairs what was missed, and who connects later is told then. */
  resend(): void {
    const { standing, resendMs } = this.#modules;
    if (standing.nowMs - standing.slotSinceMs < resendMs * 2 ** this.#resends) return;
    this.#resends += 1;
    for (const own of this.#open()) this.#tell(own, true);
  }

  /** Journal entries that the next height's journal must still hold. */
  carry(): readonly Uint8Array[] {
    const { slot } = this.#modules.standing.state;
    const held = [...this.#own.values()]
      .filter(({ dueInSlot }) => dueInSlot >= slot)
      .map(({ bytes }) => encodeJournalEntry({ type: 'contribution', bytes }));
    const throughSlot = this.#absentThrough;
    if (throughSlot < slot) return held;
    return [...held, encodeJournalEntry({ type: 'absence', throughSlot })];
  }

  #take(bytes: Uint8Array, afterSlot: number, currentSlot: number | null): Contribution | null {
    const { standing, contributions, blobs } = this.#modules;
    const { application, genesis, chainId } = standing.rules;
    const verdict = application.checkContribution(genesis, chainId, bytes, currentSlot);
    if (!verdict.ok || this.#own.has(verdict.contribution.key)) return null;
    const { key, author, blob, dueInSlot } = verdict.contribution;
    if (author !== standing.self || dueInSlot <= afterSlot || dueInSlot < standing.state.slot) return null;
    this.#own.set(key, verdict.contribution);
    if (blob !== undefined) blobs.add(blob.bytes);
    contributions.add(verdict.contribution);
    return verdict.contribution;
  }

  /** Those that others can use now. */
  #open(): readonly Contribution[] {
    const { slot } = this.#modules.standing.state;
    return [...this.#own.values()].filter(({ dueInSlot }) => dueInSlot >= slot && dueInSlot <= slot + 1);
  }

  #write(bytes: Uint8Array): void {
    this.#modules.outbox.write({ type: 'journal', bytes: encodeJournalEntry({ type: 'contribution', bytes }) });
  }

  #tell({ bytes, topic = 'announcements' }: Contribution, resend: boolean): void {
    this.#modules.outbox.broadcast(topic, { type: 'contribution', bytes }, resend);
  }
}
