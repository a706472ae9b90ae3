import type { ChainRules, ChainState } from './state.ts';
import type { Certificate, Genesis } from './types.ts';

/** When slot `slot` ends with `slotClock: "wall"`, in milliseconds since the Unix epoch. Slot 0 starts at genesis. */
export function slotEndMs({ genesis, application }: Pick<ChainRules, 'genesis' | 'application'>, slot: number): number {
  return genesis.genesisTimeMs + (application.slotEndOffsetMs?.(genesis, slot) ?? (slot + 1) * genesis.slot.lengthMs);
}

/** Whether the settlement of `slot` fixes the weights of the next draw. Terms have `slotsPerTerm` slots, from slot 0 on. */
export function isLastSlotOfTerm(genesis: Genesis, slot: number): boolean {
  return (slot + 1) % genesis.slot.slotsPerTerm === 0;
}

/**
 * Chain time of the block after `parent` (protocol section 4): the lower median of the timestamps in the certificate that
 * the block embeds, but never less than its parent's. The block at height 1 embeds none and has the time of genesis.
 */
export function chainTimeOf(parent: ChainState, certificate: Certificate | null): number {
  if (certificate === null) return parent.chainTimeMs;
  const timestampsMs = certificate.votes.map(({ timestampMs }) => timestampMs).sort((a, b) => a - b);
  const medianMs = timestampsMs[Math.floor((timestampsMs.length - 1) / 2)];
  return medianMs === undefined ? parent.chainTimeMs : Math.max(parent.chainTimeMs, medianMs);
}

/**
 * Whether a block on top of `parent` with chain time `chainTimeMs` may settle the slot: it has been closed and, by the
 * wall clock, it is over. Where this holds nothing but the settlement may follow.
 */
export function settlementIsDue(rules: ChainRules, parent: ChainState, chainTimeMs: number): boolean {
  if (parent.phase !== 'closed') return false;
  return rules.genesis.slot.clock === 'ready' || chainTimeMs >= slotEndMs(rules, parent.slot);
}
