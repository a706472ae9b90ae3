import type { FaultDriver } from './fault.ts';
import { countLinks } from './link-counts.ts';
import { conditionLinks } from './partition.ts';

/** Of the promised latency, what the mean of the messages must have waited: timers may ring a little early. */
const SHOWN_SHARE = 0.9;

/** `link`: slow, lossy or narrow links. */
export const link: FaultDriver = async ({ runtime, controls }, { label, links, spec }) => {
  if (spec.do !== 'link') throw new Error(`${spec.do} is no link fault`);
  const { latency, jitter, loss, bandwidth } = spec;
  const count = await countLinks(runtime, links);
  await conditionLinks(runtime, controls, label, links, {
    ...(latency === undefined ? {} : { delayMs: latency }),
    ...(jitter === undefined ? {} : { jitterMs: jitter }),
    ...(loss === undefined ? {} : { lossRatio: loss }),
    ...(bandwidth === undefined ? {} : { bytesPerSecond: bandwidth }),
  });
  const wantsDelay = (latency ?? 0) + (jitter ?? 0) > 0 || bandwidth !== undefined;
  return {
    prove: async () => {
      const { delivered, lost, waitedMs, lossyLinks, slowLinks } = await count();
      const meanMs = waitedMs / Math.max(1, delivered);
      if (wantsDelay && !(slowLinks > 0 && meanMs >= SHOWN_SHARE * (latency ?? 0))) return null;
      if ((loss ?? 0) > 0 && lost === 0) return null;
      const words = [
        ...(wantsDelay
          ? [`${delivered} messages waited ${meanMs.toFixed(1)} ms on average on ${slowLinks} links`]
          : []),
        ...((loss ?? 0) > 0 ? [`${lost} of ${delivered + lost} messages were lost on ${lossyLinks} links`] : []),
      ];
      return words.length === 0 ? 'nothing was asked of the links' : words.join('; ');
    },
    end: () => conditionLinks(runtime, controls, label, links, null),
  };
};
