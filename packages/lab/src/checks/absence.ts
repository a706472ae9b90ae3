import type { FaultRecord } from '../faults/conductor.ts';

/** Faults under which a peer takes no part, or cannot be relied on. */
const ABSENT = new Set(['kill', 'stop', 'restart', 'wipe', 'pause', 'disk-full', 'disconnect', 'misbehave']);
/** Faults that end a peer's process, now or when they are over. */
const ENDS_PROCESS = new Set(['kill', 'stop', 'restart', 'wipe', 'disk-full', 'misbehave']);

export function takesPeersAway({ kind }: FaultRecord): boolean {
  return ABSENT.has(kind);
}

/** Whether a peer may be behind after the fault. */
export function setsBack({ kind }: FaultRecord): boolean {
  return ABSENT.has(kind) || kind === 'partition';
}

/** When the fault was over: one that could not be ended, or of which half was done when it failed, lasts until the end. */
export function faultEndMs({ endedMs, failure }: FaultRecord, endMs: number): number {
  return failure === null ? (endedMs ?? endMs) : endMs;
}

export interface Outages {
  /** How often a fault that ends the peer's process has begun or ended. */
  readonly changes: number;
  /** Whether one is on: then the process may be gone. */
  readonly isOn: boolean;
}

/** What the faults have done to a peer's process so far. */
export function outagesOf(faults: readonly FaultRecord[], peer: string): Outages {
  const begun = faults.filter(
    ({ kind, peers, beganMs }) => ENDS_PROCESS.has(kind) && beganMs !== null && peers.includes(peer),
  );
  const ended = begun.filter(({ endedMs }) => endedMs !== null);
  return { changes: begun.length + ended.length, isOn: ended.length < begun.length };
}
