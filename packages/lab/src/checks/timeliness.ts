import type { EventOf } from '../watch/events.ts';

/** How far back from a penalty the turn may lie that it is for: some rounds, and the block that holds the evidence. */
const LOOK_BACK_MS = 15_000;

/**
 * The largest share of a second or so for which some peer waited for a processor before `atMs`: a member that gets none cannot
 * be in time, and no message is. Null where the machine does not tell.
 */
export function starvation(samples: readonly EventOf<'sample'>[], atMs: number): number | null {
  const near = samples.filter((sample) => sample.atMs >= atMs - LOOK_BACK_MS && sample.atMs <= atMs + 1_000);
  const shares = [...Map.groupBy(near, ({ peer }) => peer).values()].flatMap((ofPeer) =>
    ofPeer.slice(1).flatMap((now, k) => {
      const before = ofPeer[k];
      if (before === undefined || before.waitMs === null || now.waitMs === null) return [];
      const tookMs = now.atMs - before.atMs;
      // A process that was started anew counts from 0.
      return tookMs <= 0 || now.waitMs < before.waitMs ? [] : [(now.waitMs - before.waitMs) / tookMs];
    }),
  );
  return shares.length === 0 ? null : shares.reduce((largest, share) => Math.max(largest, share));
}
