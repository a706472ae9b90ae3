import type { Runtime } from '../runtime/runtime.ts';
import type { Controls, LinkCondition } from './controls.ts';
import { type FaultDriver, keyOf } from './fault.ts';
import { watchLinks } from './link-evidence.ts';

/** `partition`: every message between the groups is lost; the connections stay, as behind a broken switch. */
export const partition: FaultDriver = async (context, { label, links }) => {
  const { runtime, controls } = context;
  const condition: LinkCondition = { blocked: true };
  const look = await watchLinks(context, label, links, condition);
  await conditionLinks(runtime, controls, label, links, condition);
  return {
    prove: async () => {
      const seen = (await look()) ?? [];
      // A lossy link loses messages anyway, but not nearly all; a few that were under way may still arrive.
      const cut = seen.filter(
        ({ delivered, lost, others }) =>
          others.blocked !== true && lost > (delivered + lost) * shareThatShows(others.lossRatio),
      );
      const lost = cut.reduce((sum, one) => sum + one.lost, 0);
      return lost > 0 ? `${lost} messages were lost on ${cut.length} of ${links.length} cut links` : null;
    },
    end: () => conditionLinks(runtime, controls, label, links, null),
  };
};

/** Share of messages that a link must lose: any shows a cut, or halfway from what another fault's loss explains to all. */
function shareThatShows(lossRatio = 0): number {
  return lossRatio === 0 ? 0 : (1 + lossRatio) / 2;
}

/** Puts a condition on directed links, at their senders; null takes it back. */
export async function conditionLinks(
  runtime: Runtime,
  controls: Controls,
  label: string,
  links: readonly string[],
  condition: LinkCondition | null,
): Promise<void> {
  const senders = new Map<string, string[]>();
  for (const link of links) {
    const [from = '', to = ''] = link.split('>');
    senders.set(from, [...(senders.get(from) ?? []), to]);
  }
  await Promise.all(
    [...senders].map(([from, receivers]) =>
      controls.set(
        from,
        label,
        condition === null
          ? null
          : {
              links: receivers.map((to) => ({ ...condition, remote: keyOf(runtime, to), direction: 'out' as const })),
            },
      ),
    ),
  );
}
