import { requireConfig } from '../frl-error.ts';
import type { Rng } from '../rng.ts';

/** A model-poisoning attack as data, applied to the updates (w_i - G) of its members before they are sent. */
export type Attack =
  /** Sends -factor times the honest update. */
  | { readonly kind: 'sign-flip'; readonly factor: number }
  /** Adds normal noise to every coordinate of the honest update. */
  | { readonly kind: 'noise'; readonly sd: number }
  /** "A little is enough" (Baruch et al. 2019): mean - z sd of the honest members' updates, the same from each. */
  | { readonly kind: 'alie'; readonly z: number };

/**
 * Replaces the updates of `attackers` (indexes into `updates`); the rest are returned as they are. ALIE sees all honest
 * updates (the strongest form) and uses their population sd. Throws `FRL_INVALID_CONFIG` on an attacker that does not
 * exist, or when ALIE has no honest update to imitate.
 */
export function poisonUpdates(
  updates: readonly Float64Array[],
  attackers: readonly number[],
  attack: Attack,
  rng: Rng,
): Float64Array[] {
  const isAttacker = new Set(attackers);
  for (const attacker of attackers) {
    requireConfig(updates[attacker] !== undefined, `attacker ${attacker} is not one of ${updates.length} EVs`, {
      attacker,
    });
  }
  const poisoned = updates.map((update) => update);
  if (attack.kind === 'alie') {
    const honest = updates.filter((_, index) => !isAttacker.has(index));
    const imitation = littleIsEnough(honest, attack.z);
    for (const attacker of isAttacker) poisoned[attacker] = imitation;
    return poisoned;
  }
  for (const attacker of attackers) {
    const update = updates[attacker] as Float64Array;
    poisoned[attacker] =
      attack.kind === 'sign-flip'
        ? update.map((value) => -attack.factor * value)
        : update.map((value) => value + attack.sd * rng.normal());
  }
  return poisoned;
}

function littleIsEnough(honest: readonly Float64Array[], z: number): Float64Array {
  const first = honest[0];
  requireConfig(first !== undefined, 'alie needs at least one honest update to imitate');
  return first.map((_, i) => {
    let sum = 0;
    for (const update of honest) sum += update[i] as number;
    const mean = sum / honest.length;
    let squares = 0;
    for (const update of honest) squares += ((update[i] as number) - mean) ** 2;
    return mean - z * Math.sqrt(squares / honest.length);
  });
}
