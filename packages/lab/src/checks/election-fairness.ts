import { type Check, holds, unknown, violated } from './facts.ts';

/** Fewer expected draws of a member are lumped together: the chi-square approximation needs some. */
const MINIMUM_EXPECTED = 3;

/** Invariant 13: who is drawn first, against the weights of the draw. */
export const electionFairness: Check = {
  name: 'election-fairness',
  promise: 'Miners are drawn as often as their weights say.',
  judge: ({ scenario, draws, endMs }) => {
    const bound = scenario.checks.electionFairness;
    if (bound === undefined) return null;
    const table = drawTable(draws);
    if (table.draws < bound.minimumDraws)
      return unknown(`${table.draws} draws by weight were seen; at least ${bound.minimumDraws} are needed`);
    const { statistic, degrees, pValue } = chiSquare(table);
    if (degrees === 0) return unknown('all draws fall on too few members to compare');
    const found = `chi-square ${statistic.toFixed(2)} with ${degrees} degrees of freedom over ${table.draws} draws, p = ${pValue.toPrecision(2)}`;
    return pValue < bound.significance
      ? violated(`${found} < ${bound.significance}`, { atMs: endMs, height: draws.at(-1)?.height ?? null })
      : holds(found);
  },
};

export interface DrawTable {
  readonly draws: number;
  readonly members: readonly { readonly name: string; readonly observed: number; readonly expected: number }[];
}

/** How often each member was drawn first, and how often it was to be expected. Draws without weights do not count. */
export function drawTable(
  draws: readonly {
    readonly isForced: boolean;
    readonly drawn: string | null;
    readonly weights: readonly { readonly miner: string; readonly weight: string }[];
  }[],
): DrawTable {
  const members = new Map<string, { observed: number; expected: number }>();
  const of = (name: string): { observed: number; expected: number } => {
    const entry = members.get(name) ?? { observed: 0, expected: 0 };
    members.set(name, entry);
    return entry;
  };
  let count = 0;
  for (const { isForced, drawn, weights } of draws) {
    const total = weights.reduce((sum, { weight }) => sum + BigInt(weight), 0n);
    if (isForced || drawn === null || total === 0n) continue;
    count += 1;
    of(drawn).observed += 1;
    for (const { miner, weight } of weights)
      of(miner).expected += Number((BigInt(weight) * 1_000_000_000n) / total) / 1e9;
  }
  return {
    draws: count,
    members: [...members].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, entry]) => ({ name, ...entry })),
  };
}

/**
 * Pearson's statistic over members, the rare ones lumped together. Weights change from draw to draw, which makes the true
 * spread smaller than a multinomial's: a violation is never reported too easily.
 */
export function chiSquare({ members }: DrawTable): { statistic: number; degrees: number; pValue: number } {
  const common = members.filter(({ expected }) => expected >= MINIMUM_EXPECTED);
  const rare = members.filter(({ expected }) => expected < MINIMUM_EXPECTED);
  const sum = (name: 'observed' | 'expected'): number => rare.reduce((total, member) => total + member[name], 0);
  const cells = [...common, ...(rare.length === 0 ? [] : [{ observed: sum('observed'), expected: sum('expected') }])];
  const counted = cells.filter(({ expected }) => expected > 0);
  // A member without any weight that was drawn all the same cannot be explained by chance.
  if (cells.some(({ observed, expected }) => expected === 0 && observed > 0))
    return { statistic: Number.POSITIVE_INFINITY, degrees: Math.max(1, counted.length - 1), pValue: 0 };
  const statistic = counted.reduce((total, { observed, expected }) => total + (observed - expected) ** 2 / expected, 0);
  const degrees = Math.max(0, counted.length - 1);
  return { statistic, degrees, pValue: degrees === 0 ? 1 : upperGamma(degrees / 2, statistic / 2) };
}

/** Regularised upper incomplete gamma function Q(a, x): series below a + 1, continued fraction above. */
function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1;
  const scale = Math.exp(-x + a * Math.log(x) - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = a + 1; term > sum * 1e-15; n += 1) {
      term *= x / n;
      sum += term;
    }
    return 1 - sum * scale;
  }
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let h = d;
  for (let i = 1; i < 1_000; i += 1) {
    const an = -i * (i - a);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    const factor = d * c;
    h *= factor;
    if (Math.abs(factor - 1) < 1e-15) break;
  }
  return scale * h;
}

/** Half-integer and integer arguments only occur here; Lanczos serves them all. */
function logGamma(z: number): number {
  const g = [
    76.18009172947146, -86.50532032941678, 24.01409824083091, -1.231739572450155, 1.208650973866179e-3,
    -5.395239384953e-6,
  ];
  const t = z + 5.5 - (z + 0.5) * Math.log(z + 5.5);
  const series = g.reduce((sum, value, k) => sum + value / (z + 1 + k), 1.000000000190015);
  return -t + Math.log((2.506628274631 * series) / z);
}
