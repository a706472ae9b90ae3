import type { MemberRank } from '../chain/types.ts';
import { encodeJournalEntry } from './journal.ts';
import type { Outbox } from './outbox.ts';
import type { Standing } from './standing.ts';

interface SilenceModules {
  readonly standing: Standing;
  readonly outbox: Outbox;
  /** See `StoredPeer.silentThrough`. */
  readonly silentThrough: number | null;
}

/**
 * Up to which height this peer signs nothing, because it cannot know what it signed there before.
 *
 * A peer that has lost its disk does not even know that height. It asks the others, and believes what it has verified: a
 * claim counts once its own chain has got as far. When it signed at height h, a quorum had precommitted at h - 1, and whoever
 * precommits there has h - 2 on its disk. Any quorum, this peer included, shares a correct member with that one as long as
 * b < 2q - n with this peer among the b: so the highest claim of q - 1 others, two heights added, is not below h. A claim
 * counts that was made after this peer started, as the connection over which it came was.
 */
export class Silence {
  readonly #modules: SilenceModules;
  /** First claim of each other member since the start. */
  readonly #claims = new Map<MemberRank, number>();
  /** Null while it is not known. */
  #through: number | null;
  /** Whether the disk will say "unknown" again at the next start, so that the answer must stay in the journal. */
  readonly #isLearned: boolean;

  constructor(modules: SilenceModules) {
    const { standing, silentThrough } = modules;
    this.#modules = modules;
    this.#through = standing.self === null ? 0 : silentThrough;
    this.#isLearned = this.#through === null;
  }

  /** Nothing is signed at heights up to this one. */
  get through(): number {
    return this.#through ?? Number.POSITIVE_INFINITY;
  }

  /** Takes a journalled answer, before the first height is entered. */
  recall(throughHeight: number): void {
    this.#through = throughHeight;
  }

  /** A member has said at which height it stands. */
  heard(member: MemberRank, height: number): void {
    if (this.#through !== null || member === this.#modules.standing.self || this.#claims.has(member)) return;
    this.#claims.set(member, height);
    this.onHead();
  }

  /** The head has moved: more claims may be verified. */
  onHead(): void {
    if (this.#through !== null) return;
    const { standing, outbox } = this.#modules;
    const verified = [...this.#claims.values()].filter((height) => height <= standing.state.height);
    if (verified.length < standing.rules.genesis.quorum - 1) return;
    this.#through = Math.max(0, ...verified) + 2;
    outbox.write({ type: 'journal', bytes: this.#entry(this.#through) });
    outbox.notice({ type: 'rejoined', silentThrough: this.#through });
  }

  /** Journal entries that the next height's journal must still hold. */
  carry(): readonly Uint8Array[] {
    return this.#isLearned && this.#through !== null ? [this.#entry(this.#through)] : [];
  }

  #entry(throughHeight: number): Uint8Array {
    return encodeJournalEntry({ type: 'silence', throughHeight });
  }
}
