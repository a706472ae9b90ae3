import type { Runtime } from '../runtime/runtime.ts';
import type { ControlPart, Controls } from './controls.ts';
import { type FaultDriver, keyOf } from './fault.ts';
import { countLinks } from './link-counts.ts';

/** `partition`: every message between the groups is lost; the connections stay, as behind a broken switch. */
export const partition: FaultDriver = async ({ runtime, controls }, { label, links }) => {
  const count = await countLinks(runtime, links);
  await conditionLinks(runtime, controls, label, links, { blocked: true });
  return {
    prove: async () => {
      const { lost, lossyLinks } = await count();
      return lost > 0 ? `${lost} messages were lost on ${lossyLinks} of ${links.length} cut links` : null;
    },
    end: () => conditionLinks(runtime, controls, label, links, null),
  };
};

/** Puts a condition on directed links, at their senders; null takes it back. */
export async function conditionLinks(
  runtime: Runtime,
  controls: Controls,
  label: string,
  links: readonly string[],
  condition: Omit<NonNullable<ControlPart['links']>[number], 'remote' | 'direction'> | null,
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
