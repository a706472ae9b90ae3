import type { Runtime } from '../runtime/runtime.ts';
import { keyOf } from './fault.ts';

/** What happened on some directed links since a moment, as their senders counted it. */
export interface LinkSums {
  readonly delivered: number;
  readonly lost: number;
  readonly waitedMs: number;
  /** Links on which at least one message was lost, and on which at least one waited. */
  readonly lossyLinks: number;
  readonly slowLinks: number;
}

/** Counts on directed links `p01>p02` from now on. A peer that is started anew counts from 0 again. */
export async function countLinks(runtime: Runtime, links: readonly string[]): Promise<() => Promise<LinkSums>> {
  const first = await read(runtime, links);
  return async () => {
    const now = await read(runtime, links);
    const sums = { delivered: 0, lost: 0, waitedMs: 0, lossyLinks: 0, slowLinks: 0 };
    for (const [link, count] of now) {
      const base = first.get(link) ?? { delivered: 0, lost: 0, waitedMs: 0 };
      const isAnew = count.delivered < base.delivered || count.lost < base.lost;
      const since = (name: 'delivered' | 'lost' | 'waitedMs'): number => count[name] - (isAnew ? 0 : base[name]);
      sums.delivered += since('delivered');
      sums.lost += since('lost');
      sums.waitedMs += since('waitedMs');
      if (since('lost') > 0) sums.lossyLinks += 1;
      if (since('waitedMs') > 0) sums.slowLinks += 1;
    }
    return sums;
  };
}

async function read(
  runtime: Runtime,
  links: readonly string[],
): Promise<Map<string, { delivered: number; lost: number; waitedMs: number }>> {
  const counts = new Map<string, { delivered: number; lost: number; waitedMs: number }>();
  const senders = new Set(links.map((link) => link.split('>')[0] as string));
  await Promise.all(
    [...senders].map(async (sender) => {
      if ((await runtime.stateOf(sender)) !== 'up') return;
      const report = await runtime.report(sender, Number.MAX_SAFE_INTEGER).catch(() => null);
      for (const link of links.filter((one) => one.startsWith(`${sender}>`))) {
        const remote = keyOf(runtime, link.slice(sender.length + 1));
        const count = report?.links.find((one) => one.direction === 'out' && one.remote === remote);
        if (count !== undefined) counts.set(link, count);
      }
    }),
  );
  return counts;
}
