import type { LinkCondition } from './controls.ts';
import type { FaultDriver } from './fault.ts';
import { type LinkEvidence, watchLinks } from './link-evidence.ts';
import { conditionLinks } from './partition.ts';

/** Of the promised latency, what the mean of the messages must have waited: timers may ring a little early. */
const SHOWN_SHARE = 0.9;
/** Of the largest jitter: the mean of many messages is a half, that of a few may be less. */
const SHOWN_JITTER_SHARE = 0.25;

/** `link`: slow, lossy or narrow links. */
export const link: FaultDriver = async (context, { label, links, spec }) => {
  if (spec.do !== 'link') throw new Error(`${spec.do} is no link fault`);
  const { latency, jitter, loss, bandwidth } = spec;
  const { runtime, controls } = context;
  const condition: LinkCondition = {
    ...(latency === undefined ? {} : { delayMs: latency }),
    ...(jitter === undefined ? {} : { jitterMs: jitter }),
    ...(loss === undefined ? {} : { lossRatio: loss }),
    ...(bandwidth === undefined ? {} : { bytesPerSecond: bandwidth }),
  };
  const look = await watchLinks(context, label, links, condition);
  await conditionLinks(runtime, controls, label, links, condition);
  const wantsDelay = (latency ?? 0) + (jitter ?? 0) > 0 || bandwidth !== undefined;
  return {
    prove: async () => {
      const seen = await look();
      if (seen === null) return null;
      const words = [
        ...(wantsDelay ? [waiting(seen, latency ?? 0, jitter ?? 0)] : []),
        ...((loss ?? 0) > 0 ? [losing(seen)] : []),
      ];
      if (words.includes(null)) return null;
      // A latency of 0 is what a sweep begins with: nothing can be seen of it but that it was set.
      return words.length === 0 ? 'the peers have the setting, which changes nothing' : words.join('; ');
    },
    end: () => conditionLinks(runtime, controls, label, links, null),
  };
};

/** That messages waited for this fault, after what other faults make them wait. */
function waiting(seen: readonly LinkEvidence[], latencyMs: number, jitterMs: number): string | null {
  const own = seen.map(({ delivered, waitedMs, others }) => ({
    delivered,
    othersMs: delivered * ((others.delayMs ?? 0) + (others.jitterMs ?? 0) / 2),
    waitedMs,
  }));
  const delivered = own.reduce((sum, one) => sum + one.delivered, 0);
  const othersMs = own.reduce((sum, one) => sum + one.othersMs, 0);
  const waitedMs = own.reduce((sum, one) => sum + one.waitedMs, 0) - othersMs;
  const slowLinks = own.filter((one) => one.waitedMs > one.othersMs).length;
  const meanMs = waitedMs / Math.max(1, delivered);
  const shownMs = SHOWN_SHARE * latencyMs + SHOWN_JITTER_SHARE * jitterMs;
  if (slowLinks === 0 || meanMs <= 0 || meanMs < shownMs) return null;
  const beyond = othersMs === 0 ? '' : ' beyond what other faults delay';
  return `${delivered} messages waited ${meanMs.toFixed(1)} ms on average on ${slowLinks} links${beyond}`;
}

/** That messages were lost on links on which no other fault loses any. */
function losing(seen: readonly LinkEvidence[]): string | null {
  const own = seen.filter(({ others }) => others.blocked !== true && (others.lossRatio ?? 0) === 0);
  const lossy = own.filter(({ lost }) => lost > 0);
  const lost = lossy.reduce((sum, one) => sum + one.lost, 0);
  const all = own.reduce((sum, one) => sum + one.lost + one.delivered, 0);
  return lost === 0 ? null : `${lost} of ${all} messages were lost on ${lossy.length} links`;
}
