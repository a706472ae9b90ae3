import type { PeerOutput } from '../../src/peer/ports.ts';
import { type HostileAct, perform } from './hostile-acts.ts';
import { privateSizes } from './private-sizes.ts';
import { Village } from './village.ts';

/** Victim, pause before the act, act. */
export type Attack = readonly (readonly [victim: number, pauseMs: number, act: HostileAct])[];

const SETTLE_MS = 30_000;

/**
 * A village that goes on with its day while it is attacked, and after it: throws when an honest peer throws, signs twice,
 * falls out with the others, or when the village does not settle two more slots and every honest payment.
 */
export function attackedVillage(attack: Attack, onOutput: (output: PeerOutput) => void = () => {}): Village {
  const village = new Village();
  village.elapse(400);
  for (const [k, [victim, pauseMs, act]] of attack.entries()) {
    if (k % 10 === 0) village.pay();
    village.elapse(pauseMs);
    const output = perform(village, victim, act);
    if (output !== null) onOutput(output);
  }
  const slot = Math.max(...village.villagers.map(({ peer }) => peer.view.state.slot)) + 2;
  village.settle(SETTLE_MS, () => village.villagers.every(({ peer }) => peer.view.state.slot >= slot));
  village.settle(SETTLE_MS, () => village.paid === village.payments);
  return village;
}

/** Entries that a peer of a chain of four may hold in any of its collections, however long it has been attacked. */
const MOST_ENTRIES: Readonly<Record<string, number>> = {
  '#mempool.#hashes': 2_000,
  '#contributions.#byKey': 32,
  '#inbox.#early': 4,
  '#blocks.#blocks': 32,
  '#votes.#unplaced': 4,
  '#composer.#fetched': 64,
  // The states of the last 100 heights, for evidence, and two more.
  '#standing.#memory.#entries': 103,
  '#accusations.#waiting': 96,
  '#accusations.#standing.#memory.#entries': 103,
  '#agreement.#engine.rounds': 20,
  '#agreement.#engine.blocks': 20,
  '#agreement.#engine.missing': 4,
};

export function expectBounded(village: Village): void {
  for (const { rank, peer } of village.villagers)
    for (const [name, entries] of Object.entries(privateSizes(peer))) {
      // The simulated disk is not the peer's memory.
      if (name.includes('#reader')) continue;
      const most = MOST_ENTRIES[name] ?? 8;
      if (entries > most) throw new Error(`peer ${rank} holds ${entries} entries in ${name}, more than ${most}`);
    }
}
