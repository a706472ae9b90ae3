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
 * @throws InvariantViolation when who has no weight is drawn before who has some.
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
  if (weights[head.rank] === 0n)
    throw new InvariantViolation(`13: member ${head.rank} is drawn after height ${state.height} without any weight`);
  return { shares: weights.map((weight) => Number(weight) / Number(total)), winner: head.rank, colluders };
}

/** Whose wins are counted: chosen by the shares, so before the draw. */
export type Camp = (draw: Draw) => readonly MemberRank[];

/** Whose wins are counted: the first four members, whoever has most to say, and whoever colludes. */
export const CAMPS: Readonly<Record<string, Camp>> = {
  ...Object.fromEntries([0, 1, 2, 3].map((rank) => [`member ${rank}`, () => [rank]])),
  'the heaviest': ({ shares }) => [shares.indexOf(Math.max(...shares))],
  colluders: ({ colluders }) => colluders,
};

/** How strongly a test bets on more wins (or fewer) than there should be; the right bet depends on how wrong a draw is. */
const BETS = [-2, -1, -0.5, -0.25, 0.25, 0.5, 1, 2];
/** A chain that elects by weight is called unfair with this probability at most. */
const MISJUDGED = 1e-6;

/**
 * Invariant 13. While nobody knows or steers a seed before the weights are fixed, a camp wins each draw with the probability
 * `p` of its share, whatever happened before and however the weights were chosen. Then for every bet `b` the product over
 * all draws of `exp(b * won) / (1 - p + p * exp(b))` is a martingale that begins at 1, and by Ville's inequality the
 * probability that it ever reaches `c` is at most `1 / c`, however many draws there are and whatever ended them. With a `c`
 * of `camps * bets / MISJUDGED` all tests together are wrong with probability `MISJUDGED`.
 *
 * @throws InvariantViolation when a camp has won more or less often than chance allows.
 */
export function checkDraws(draws: readonly Draw[]): void {
  const camps = Object.entries(CAMPS);
  const limit = Math.log((camps.length * BETS.length) / MISJUDGED);
  for (const [name, camp] of camps) {
    const wins = draws.map((draw) => {
      const ranks = camp(draw);
      const share = ranks.reduce((sum, rank) => sum + (draw.shares[rank] ?? 0), 0);
      return { won: ranks.includes(draw.winner) ? 1 : 0, share: Math.min(1, share) };
    });
    for (const bet of BETS) {
      const gain = wins.reduce((sum, { won, share }) => sum + bet * won - Math.log1p(share * Math.expm1(bet)), 0);
      if (gain <= limit) continue;
      const count = wins.reduce((sum, { won }) => sum + won, 0);
      const expected = wins.reduce((sum, { share }) => sum + share, 0);
      const odds = Math.round(gain / Math.LN10);
      throw new InvariantViolation(
        `13: of ${draws.length} draws ${name} won ${count}, by weight ${expected.toFixed(1)}: 1 in 10^${odds}`,
      );
    }
  }
}
