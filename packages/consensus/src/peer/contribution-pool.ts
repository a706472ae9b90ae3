import type { Contribution } from '../application/types.ts';

/**
 * Signed contributions (announcements, readings, actions, updates) that await their settlement: one per key, where the
 * key names kind, slot and author. Bounded by construction: the application accepts only a few slots, kinds and members.
 */
export class ContributionPool {
  readonly #byKey = new Map<string, Contribution>();

  /** `conflict`: the author signed something else under the same key; the first one is kept. */
  add(contribution: Contribution): 'added' | 'known' | 'conflict' {
    const held = this.#byKey.get(contribution.key);
    if (held === undefined) {
      this.#byKey.set(contribution.key, contribution);
      return 'added';
    }
    return sameBytes(held.bytes, contribution.bytes) ? 'known' : 'conflict';
  }

  get(key: string): Contribution | undefined {
    return this.#byKey.get(key);
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  dueIn(slot: number): Contribution[] {
    return [...this.#byKey.values()].filter(({ dueInSlot }) => dueInSlot === slot);
  }

  /** Forgets what can no longer be settled. */
  prune(slot: number): void {
    for (const [key, { dueInSlot }] of this.#byKey) if (dueInSlot < slot) this.#byKey.delete(key);
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
