import { inflated } from './announcements.ts';
import type { Misbehaviour } from './types.ts';

/** Announces more production than there will be: more score now, a deviation charge once the meter has spoken. */
export const overstate: Misbehaviour = {
  name: 'overstate',
  description: 'announces more production than it will have',
  parameters: { percent: { kind: 'integer', min: 101, max: 1_000, fallback: 150, what: 'of the honest figure' } },
  modules(modules, kit, { percent }) {
    const { source } = modules;
    if (source === null) return modules;
    const contributions: typeof source.contributions = (...now) =>
      source.contributions(...now).map((bytes) => inflated(kit, bytes, Number(percent)) ?? bytes);
    return { ...modules, source: { contributions } };
  },
};
