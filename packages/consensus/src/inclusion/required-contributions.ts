import { heldIndices } from '../chain/reports.ts';
import type { ChainRules, ChainState } from '../chain/state.ts';
import type { Certificate } from '../chain/types.ts';

/**
 * Keys of the contributions that the settlement on top of `parent` must hold: those that at least `f + 1` voters of its
 * embedded certificate report, one of them honest, `f = n - q`; in the order of their bits. What is barred is excepted.
 */
export function requiredContributions(
  { genesis, application }: ChainRules,
  parent: ChainState,
  certificate: Certificate | null,
  barred: ReadonlySet<string>,
): readonly string[] {
  const members = genesis.members.length;
  const reports = new Map<number, number>();
  for (const { extension } of certificate?.votes ?? [])
    for (const index of heldIndices(extension?.held ?? '')) reports.set(index, (reports.get(index) ?? 0) + 1);
  return [...reports]
    .filter(([, voters]) => voters > members - genesis.quorum)
    .map(([index]) => index)
    .sort((a, b) => a - b)
    .map((index) => application.owed(genesis, parent.slot, index % members)[Math.floor(index / members)])
    .filter((key) => key !== undefined && !barred.has(key)) as string[];
}
