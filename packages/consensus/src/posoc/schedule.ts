import type { Genesis } from '../chain/types.ts';
import { HOURS_PER_DAY, posocParametersOf, slotsPerDay } from './parameters.ts';

const LAST_HOUR = HOURS_PER_DAY - 1;

/** What a slot is for. */
export interface SlotPlace {
  readonly day: number;
  /** Hour of day that is traded, 0 to 23; null in the slots that only learn. */
  readonly hour: number | null;
  /** Learning round of the day whose updates the settlement lists, from 1; null in the hours before the last. */
  readonly round: number | null;
  readonly isLastOfDay: boolean;
}

export function placeOfSlot(genesis: Genesis, slot: number): SlotPlace {
  const { roundsPerDay } = posocParametersOf(genesis).learning;
  const slots = slotsPerDay(roundsPerDay);
  const within = slot % slots;
  return {
    day: Math.floor(slot / slots),
    hour: within <= LAST_HOUR ? within : null,
    round: within >= LAST_HOUR ? within - LAST_HOUR + 1 : null,
    isLastOfDay: within === slots - 1,
  };
}

/**
 * By the wall clock, milliseconds from genesis to the end of `slot`: an hour lasts `slot.lengthMs`, each learning round
 * adds a training window, which makes the last hour longer and is all that a slot without trades has.
 */
export function slotEndOffsetMs(genesis: Genesis, slot: number): number {
  const { roundsPerDay, trainingWindowMs } = posocParametersOf(genesis).learning;
  const { day, hour, round } = placeOfSlot(genesis, slot);
  const hours = day * HOURS_PER_DAY + (hour ?? LAST_HOUR) + 1;
  return hours * genesis.slot.lengthMs + (day * roundsPerDay + (round ?? 0)) * trainingWindowMs;
}
