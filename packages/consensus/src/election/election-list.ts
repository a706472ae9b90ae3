import type { ChainRules, ChainState } from '../chain/state.ts';
import type { Candidate, Certificate, Genesis, Hash, MemberRank } from '../chain/types.ts';
import { fromHex, isHex } from '../codec/index.ts';
import { sha256 } from '../crypto/index.ts';
import { combineSeed } from './beacon.ts';
import { ElectionError } from './errors.ts';

/** One place in an election list. */
export interface ElectionEntry {
  /** Who proposes. */
  readonly rank: MemberRank;
  /** Index of the candidate whose miner it is by this draw; null in the tail and for demoted proposers: no reward. */
  readonly candidate: number | null;
}

export interface ElectionInput {
  /** Number of members; ranks are 0 to `members - 1`. */
  readonly members: number;
  readonly seed: Hash;
  /** Disjoint sets of members; their order does not matter. */
  readonly candidates: readonly Candidate[];
  /** Index of the candidate at the head of the list without a draw; null for none. */
  readonly first: number | null;
  /** Proposers at the end of the list, in this order. */
  readonly demoted: readonly MemberRank[];
  /** `miner`: the next-best member of a demoted miner's candidate takes its place. Default `coalition`. */
  readonly exclusion?: Genesis['penalties']['exclusion'];
}

const DRAW = new TextEncoder().encode('draw');

/**
 * The order in which members propose (protocol section 3, equations 3.16, 3.24 and 4.18): draws among the candidates by
 * weight, then uniformly among those of weight 0, then uniformly among the members that are not proposers yet. Demoted
 * proposers follow at the end, and the order of the others does not change; with `exclusion: "miner"` the best member of
 * its candidate that is not demoted itself comes forward to a demoted miner's place. Holds every member exactly once.
 * @throws ElectionError ELECTION_INVALID_INPUT
 */
export function electionList(input: ElectionInput): readonly ElectionEntry[] {
  checkInput(input);
  const { members, candidates, first, demoted } = input;
  const entries: ElectionEntry[] = [];
  const proposers = new Set<MemberRank>();
  const append = (rank: MemberRank, candidate: number | null) => {
    entries.push({ rank, candidate });
    proposers.add(rank);
  };
  const draw = drawsOf(input.seed);

  const remaining = candidates
    .map(({ members: ranks, miner, weight }, index) => ({
      index,
      miner,
      lowest: ranks[0] as MemberRank,
      weight: weight > 0n ? weight : 0n,
    }))
    .sort((a, b) => a.lowest - b.lowest);
  if (first !== null) {
    const [head] = remaining.splice(
      remaining.findIndex(({ index }) => index === first),
      1,
    );
    if (head !== undefined) append(head.miner, head.index);
  }
  while (remaining.length > 0) {
    const weighted = remaining.some(({ weight }) => weight > 0n);
    const drawn = draw(remaining.map(({ weight }) => (weighted ? weight : 1n)));
    const [next] = remaining.splice(drawn, 1);
    if (next !== undefined) append(next.miner, next.index);
  }

  const others = Array.from({ length: members }, (_, rank) => rank).filter((rank) => !proposers.has(rank));
  while (others.length > 0) {
    const [rank] = others.splice(draw(others.map(() => 1n)), 1);
    if (rank !== undefined) append(rank, null);
  }

  const replacements =
    input.exclusion === 'miner' ? replacementsOf(candidates, demoted) : new Map<number, MemberRank>();
  const promoted = new Set(replacements.values());
  return [
    ...entries.flatMap((entry) => {
      if (entry.candidate === null && promoted.has(entry.rank)) return [];
      if (!demoted.includes(entry.rank)) return [entry];
      const replacement = entry.candidate === null ? undefined : replacements.get(entry.candidate);
      return replacement === undefined ? [] : [{ rank: replacement, candidate: entry.candidate }];
    }),
    ...demoted.map((rank) => ({ rank, candidate: null })),
  ];
}

/** Who composes for a candidate whose miner is demoted, by its index. */
function replacementsOf(
  candidates: readonly Candidate[],
  demoted: readonly MemberRank[],
): ReadonlyMap<number, MemberRank> {
  const replacements = new Map<number, MemberRank>();
  candidates.forEach(({ miner, successors }, index) => {
    if (!demoted.includes(miner)) return;
    const next = successors.find((rank) => !demoted.includes(rank));
    if (next !== undefined) replacements.set(index, next);
  });
  return replacements;
}

/** Who may propose in a round: `entry[round mod length]`. */
export function proposerAt(list: readonly ElectionEntry[], round: number): MemberRank {
  const entry = list[round % list.length];
  if (entry === undefined) throw new ElectionError('ELECTION_INVALID_INPUT', `nobody proposes in round ${round}`);
  return entry.rank;
}

/**
 * The list by which the blocks after `state` are proposed. The seed is the chain id in term 0, the state's own once the
 * term's first block has stored it, and before that the one that `decidingCertificate` gives, which must be a verified
 * certificate of `state.blockHash`.
 * @throws ElectionError
 */
export function electionListOf(
  rules: ChainRules,
  state: ChainState,
  decidingCertificate: Certificate | null,
): readonly ElectionEntry[] {
  const { candidates, first, demoted } = state.election;
  const members = rules.genesis.members.length;
  const { exclusion } = rules.genesis.penalties;
  const seed = seedOf(rules, state, decidingCertificate);
  return electionList({ members, seed, candidates, first, demoted, exclusion });
}

/** The seed of the state's term, by the same rule as `electionListOf`. */
export function seedOf(rules: ChainRules, state: ChainState, decidingCertificate: Certificate | null): Hash {
  if (state.term === 0) return rules.chainId;
  if (state.election.seed !== null) return state.election.seed;
  if (decidingCertificate === null || decidingCertificate.blockHash !== state.blockHash) {
    throw new ElectionError(
      'ELECTION_MISSING_CERTIFICATE',
      `term ${state.term} is seeded by the certificate of block ${state.blockHash}, which was not given`,
    );
  }
  return combineSeed(rules, decidingCertificate).seed;
}

/** Successive draws of an index by weight (integers of at least 0, not all 0), in exact arithmetic. */
function drawsOf(seed: Hash): (weights: readonly bigint[]) => number {
  const preimage = new Uint8Array([...DRAW, ...fromHex(seed), 0, 0, 0, 0]);
  const place = new DataView(preimage.buffer, preimage.length - 4);
  let k = 0;
  return (weights) => {
    let total = 0n;
    for (const weight of weights) total += weight;
    place.setUint32(0, k);
    k += 1;
    const r = BigInt(`0x${sha256(preimage).slice(0, 32)}`) % total;
    let cumulative = 0n;
    return weights.findIndex((weight) => {
      cumulative += weight;
      return cumulative > r;
    });
  };
}

function checkInput({ members, seed, candidates, first, demoted }: ElectionInput): void {
  const refuse = (reason: string): never => {
    throw new ElectionError('ELECTION_INVALID_INPUT', reason);
  };
  const isRank = (rank: number) => Number.isInteger(rank) && rank >= 0 && rank < members;
  if (!Number.isInteger(members) || members < 1) refuse(`there must be at least one member, got ${members}`);
  if (!isHex(seed, 32)) refuse('the seed is not the hex of 32 bytes');
  const taken = new Set<MemberRank>();
  candidates.forEach(({ members: ranks, miner, successors }, index) => {
    if (ranks.length === 0) refuse(`candidate ${index} has no members`);
    ranks.forEach((rank, i) => {
      if (!isRank(rank)) refuse(`candidate ${index} lists rank ${rank} of ${members} members`);
      if (taken.has(rank)) refuse(`member ${rank} stands in two candidates`);
      if (i > 0 && rank <= (ranks[i - 1] as MemberRank)) refuse(`candidate ${index} is not in ascending rank`);
      taken.add(rank);
    });
    if (!ranks.includes(miner)) refuse(`the miner ${miner} of candidate ${index} is not one of its members`);
    const standing = [miner, ...successors].sort((a, b) => a - b);
    if (standing.join() !== ranks.join()) refuse(`miner and successors of candidate ${index} are not its members`);
  });
  if (first !== null && candidates[first] === undefined) refuse(`there is no candidate ${first} to stand first`);
  demoted.forEach((rank, i) => {
    if (!isRank(rank)) refuse(`demoted rank ${rank} of ${members} members`);
    if (demoted.indexOf(rank) !== i) refuse(`member ${rank} is demoted twice`);
  });
}
