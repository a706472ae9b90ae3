import { slotEndMs } from '../chain/slots.ts';
import type { ChainRules, ChainState } from '../chain/state.ts';
import type { MemberRank } from '../chain/types.ts';
import type { ContributionPool } from './contribution-pool.ts';
import type { PeerOptions } from './ports.ts';

/** What this peer knows when it asks itself whether the slot may end. */
export interface SlotView {
  readonly nowMs: number;
  /** When this peer entered the slot, by its own clock. */
  readonly slotSinceMs: number;
  /** Members that are connected, this peer included. */
  readonly live: ReadonlySet<MemberRank>;
  readonly pool: ContributionPool;
}

/**
 * Whether this peer would close the current slot now. It is an opinion, not a rule: who closes too early gets nil votes
 * from those who disagree, and no blame (protocol section 4).
 *
 * - `wall`: this peer's clock has passed the slot's end.
 * - `ready`: every live member's contributions are here, or `readyTimeoutMs` has passed; never before `slotPaceMs`.
 *   With fewer than a quorum in sight, and in the bootstrap slot with anybody missing, only the timeout counts:
 *   a peer that has just started must not mistake its own loneliness for everybody's absence.
 */
export function mayClose(rules: ChainRules, state: ChainState, options: PeerOptions, view: SlotView): boolean {
  const { genesis, application } = rules;
  if (genesis.slot.clock === 'wall') return view.nowMs >= slotEndMs(rules, state.slot);
  const ageMs = view.nowMs - view.slotSinceMs;
  if (ageMs < options.slotPaceMs) return false;
  if (ageMs >= options.readyTimeoutMs) return true;
  const needed = state.slot === 0 ? genesis.members.length : genesis.quorum;
  if (view.live.size < needed) return false;
  for (const rank of view.live)
    if (application.owed(genesis, state.slot, rank).some((key) => !view.pool.has(key))) return false;
  return true;
}

/** When this peer should ask again at the latest, in milliseconds from now; empty when something else will wake it. */
export function slotWakeUps(rules: ChainRules, state: ChainState, options: PeerOptions, view: SlotView): number[] {
  if (rules.genesis.slot.clock === 'wall') return [Math.max(0, slotEndMs(rules, state.slot) - view.nowMs)];
  const ageMs = view.nowMs - view.slotSinceMs;
  return [options.slotPaceMs, options.readyTimeoutMs].filter((atMs) => atMs > ageMs).map((atMs) => atMs - ageMs);
}
