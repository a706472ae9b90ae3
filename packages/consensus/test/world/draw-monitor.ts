import type { ChainRules, ChainState } from '../../src/chain/state.ts';
import type { Certificate, MemberRank } from '../../src/chain/types.ts';
import { electionListOf } from '../../src/election/index.ts';
import { InvariantViolation } from './violation.ts';

/** A draw that the chain has made: what each member stood to win, and who came out at the head of the list. */
export interface Draw {
  /** By rank: the part of all weight that the candidate has for which this member composes. */
  readonly shares: readonly number[];
  readonly winner: MemberRank;
  /** Members who are not honest, and may have done what they could about it. */
  readonly colluders: readonly MemberRank[];
}

/**
 * The draw that a term's last settlement has fixed; null where nothing is drawn by weight (the first term's list is forced,
 * nobody has any weight), and where a timeout of the old term already moves somebody. What is left out depends on nothing
 * that the seed decides.
 */
export function drawOf(
  rules: ChainRules,
  state: ChainState,
  certificate: Certificate,
  colluders: readonly MemberRank[],
): Draw | null {
  const { candidates, first, demoted } = state.election;
  const weights = rules.genesis.members.map(() => 0n);
  for (const { miner, weight } of candidates) weights[miner] = weight > 0n ? weight : 0n;
  const total = weights.reduce((sum, weight) => sum + weight, 0n);
  const [head] = electionListOf(rules, state, certificate);
  if (first !== null || demoted.length > 0 || total === 0n || head === undefined) return null;
  return { shares: weights.map((weight) => Number(weight) / Number(total)), winner: head.rank, colluders };
}

/** Draws of each world of many that count: as many whatever they bring. */
export const DRAWS_PER_SEED = 4;

/** Whose wins are counted: chosen by the shares, so before the draw. */
export type Camp = (draw: Draw) => readonly MemberRank[];

/** A correct draw breaks the bound with this probability at most. */
const MISJUDGED = 1e-9;

export interface CampCount {
  readonly won: number;
  /** What its shares would give it. */
  readonly expected: number;
  /** How far the two may be apart. */
  readonly bound: number;
}

/**
 * Counts the wins of a camp among at most `most` draws, a number that was fixed before. While nobody knows or steers a seed
 * before the weights are fixed, a camp wins each draw with the probability of its share, whatever happened before and however
 * it chose its weights; so `won - expected` is a martingale whose steps each lie in an interval of length 1, and by Azuma and
 * Hoeffding `P(|won - expected| >= t) <= 2 exp(-2 t^2 / most)`. The bound is the `t` for which all `camps` together are
 * misjudged with probability `MISJUDGED`.
 */
export function countCamp(draws: readonly Draw[], camp: Camp, camps: number, most: number): CampCount {
  let won = 0;
  let expected = 0;
  for (const draw of draws) {
    const ranks = camp(draw);
    if (ranks.includes(draw.winner)) won += 1;
    for (const rank of ranks) expected += draw.shares[rank] ?? 0;
  }
  return { won, expected, bound: Math.sqrt((most / 2) * Math.log((2 * camps) / MISJUDGED)) };
}

/** Whose wins are counted: the first four members, whoever has most to say, and whoever colludes. */
export const CAMPS: Readonly<Record<string, Camp>> = {
  ...Object.fromEntries([0, 1, 2, 3].map((rank) => [`member ${rank}`, () => [rank]])),
  'the heaviest': ({ shares }) => [shares.indexOf(Math.max(...shares))],
  colluders: ({ colluders }) => colluders,
};

/** Invariant 13. @throws InvariantViolation when a camp has won more or less often than chance allows. */
export function checkDraws(draws: readonly Draw[], most: number): void {
  const camps = Object.entries(CAMPS);
  for (const [name, camp] of camps) {
    const { won, expected, bound } = countCamp(draws, camp, camps.length, most);
    if (Math.abs(won - expected) <= bound) continue;
    throw new InvariantViolation(
      `13: of ${draws.length} draws ${name} won ${won}, by weight ${expected.toFixed(1)} +- ${bound.toFixed(1)}`,
    );
  }
}
