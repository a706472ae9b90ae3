import type { CoalitionOutcome } from './coalition-problem.ts';

/**
 * The first bipartition of a coalition that leaves nobody worse and somebody better off (section 4.3). Bit `k` of the
 * mask puts member `k` on one side; the last member always stays on the other, so that each bipartition comes up once.
 * With the free coalition problem there is none, since `v` is superadditive.
 */
export function findParetoSplit<T>(
  coalition: CoalitionOutcome<T>,
  solve: (members: readonly number[]) => CoalitionOutcome<T>,
  isBetter: (after: readonly CoalitionOutcome<T>[], before: readonly CoalitionOutcome<T>[]) => boolean,
): readonly [CoalitionOutcome<T>, CoalitionOutcome<T>] | undefined {
  const { members } = coalition;
  const masks = 2 ** (members.length - 1);
  for (let mask = 1; mask < masks; mask++) {
    const one = solve(members.filter((_, k) => (mask >> k) & 1));
    const other = solve(members.filter((_, k) => !((mask >> k) & 1)));
    if (isBetter([one, other], [coalition])) return [one, other];
  }
  return undefined;
}
