import { arcSaving, type CoalitionModel, sidesOf } from './coalition-problem.ts';

/**
 * Closed form of the Shapley value (section 7) where every connected component of profitable arcs is a star whose hub
 * can serve all its leaves: the value is then a sum over edges, and each edge is shared equally by its two ends.
 *
 * Returns the value per entry of `members`, or `undefined` when some component has another shape or a scarce hub.
 */
export function starShapley(model: CoalitionModel<number>, members: readonly number[]): number[] | undefined {
  const { sellers, buyers } = sidesOf(model, members);
  const partners = new Map<number, { readonly partner: number; readonly saving: number }[]>();
  const link = (from: number, partner: number, saving: number) =>
    partners.set(from, [...(partners.get(from) ?? []), { partner, saving }]);
  for (const i of sellers) {
    for (const j of buyers) {
      const saving = arcSaving(model, i, j);
      if (model.arcWeight(i, j, saving) === undefined) continue;
      link(i, j, saving);
      link(j, i, saving);
    }
  }
  const energyOf = (i: number) => model.surplus[i]! + model.deficit[i]!;
  const share = new Map<number, number>(members.map((i) => [i, 0]));
  const add = (i: number, amount: number) => share.set(i, share.get(i)! + amount);
  const isLeaf = (i: number) => partners.get(i)!.length === 1;
  for (const [hub, edges] of partners) {
    if (isLeaf(hub)) {
      const end = edges[0]!.partner;
      // A leaf of a larger star is settled with its hub; of a lone pair, the lower index settles it for both.
      if (!isLeaf(end) || end < hub) continue;
      const value = edges[0]!.saving * Math.min(energyOf(hub), energyOf(end));
      add(hub, value / 2);
      add(end, value / 2);
      continue;
    }
    const wanted = edges.reduce((sum, { partner }) => sum + energyOf(partner), 0);
    // Of two hubs that are partners, one would have to serve the other and more: it is scarce, and ends this too.
    if (wanted > energyOf(hub)) return undefined;
    for (const { partner, saving } of edges) {
      add(hub, (saving * energyOf(partner)) / 2);
      add(partner, (saving * energyOf(partner)) / 2);
    }
  }
  return members.map((i) => share.get(i)!);
}
