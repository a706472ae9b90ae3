import { isDeepStrictEqual } from 'node:util';
import type { Runtime } from '../runtime/runtime.ts';
import type { LinkCondition } from './controls.ts';
import { type FaultContext, keyOf } from './fault.ts';

/** What happened on a directed link `p01>p02` while a fault was on it, as its sender counted. */
export interface LinkEvidence {
  readonly link: string;
  readonly delivered: number;
  readonly lost: number;
  readonly waitedMs: number;
  /** What other faults did to the link in all that time: they explain a part of what was counted. */
  readonly others: LinkCondition;
}

type Counts = Pick<LinkEvidence, 'delivered' | 'lost' | 'waitedMs'>;

interface Seen extends Counts {
  /** The condition that the sender says is in force. */
  readonly inForce: LinkCondition;
}

/**
 * Watches links for a fault that puts a condition on them, from now on. Each look gives what was counted; null while a sender
 * does not have the condition, and once after other faults on the links began or ended: what was counted before that is
 * theirs as well, and the counting begins anew.
 */
export async function watchLinks(
  { runtime, controls }: FaultContext,
  label: string,
  links: readonly string[],
  condition: LinkCondition,
): Promise<() => Promise<readonly LinkEvidence[] | null>> {
  const othersNow = (): LinkCondition[] =>
    links.map((link) => {
      const [from = '', to = ''] = link.split('>');
      return controls.othersOn(from, label, keyOf(runtime, to));
    });
  let others = othersNow();
  let first = await read(runtime, links);
  return async () => {
    const now = await read(runtime, links);
    const changed = othersNow();
    if (!isDeepStrictEqual(changed, others)) {
      others = changed;
      first = now;
      return null;
    }
    const isInForce = [...now.values()].every(({ inForce }) =>
      isDeepStrictEqual({ ...inForce, ...condition }, inForce),
    );
    if (now.size === 0 || !isInForce) return null;
    return links.flatMap((link, k) => {
      const seen = now.get(link);
      return seen === undefined ? [] : [{ link, ...since(first.get(link), seen), others: others[k] ?? {} }];
    });
  };
}

/** A peer that is started anew counts from 0 again. */
function since(first: Counts | undefined, now: Counts): Counts {
  const isAnew = first === undefined || now.delivered < first.delivered || now.lost < first.lost;
  const base = isAnew ? { delivered: 0, lost: 0, waitedMs: 0 } : first;
  return {
    delivered: now.delivered - base.delivered,
    lost: now.lost - base.lost,
    waitedMs: now.waitedMs - base.waitedMs,
  };
}

/** Of those links whose sender is up. */
async function read(runtime: Runtime, links: readonly string[]): Promise<Map<string, Seen>> {
  const seen = new Map<string, Seen>();
  const senders = new Set(links.map((link) => link.split('>')[0] as string));
  await Promise.all(
    [...senders].map(async (sender) => {
      if ((await runtime.stateOf(sender)) !== 'up') return;
      const report = await runtime.report(sender, Number.MAX_SAFE_INTEGER).catch(() => null);
      if (report === null) return;
      for (const link of links.filter((one) => one.startsWith(`${sender}>`))) {
        const remote = keyOf(runtime, link.slice(sender.length + 1));
        const isIt = (one: { readonly direction: string; readonly remote: string }): boolean =>
          one.direction === 'out' && one.remote === remote;
        const { delivered, lost, waitedMs } = report.links.find(isIt) ?? { delivered: 0, lost: 0, waitedMs: 0 };
        const {
          remote: _,
          direction: __,
          ...inForce
        } = report.settings.links.find(isIt) ?? { remote, direction: 'out' };
        seen.set(link, { delivered, lost, waitedMs, inForce });
      }
    }),
  );
  return seen;
}
