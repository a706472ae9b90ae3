import {
  beaconMessage,
  type Candidate,
  type ChainState,
  combineSeed,
  type ElectionEntry,
  electionListOf,
  fromHex,
  seedOf,
  sha256,
  verifySeedSignature,
} from '@wattmesh/consensus';
import type { InspectedChain, StoredHeight } from './inspected-chain.ts';

/** One draw of the list: `value` is uniform below `total`, and the first whose weights reach beyond it is drawn. */
export interface Draw {
  readonly k: number;
  /** How the remaining ones were weighed. */
  readonly among: 'candidates by weight' | 'candidates, equally' | 'other members, equally';
  readonly total: string;
  readonly value: string;
  /** Interval of the one that was drawn: `from <= value < to`. */
  readonly from: string;
  readonly to: string;
  readonly chancePercent: number;
  readonly rank: number;
}

export interface BeaconReport {
  /** The term's first block, which carries the combined signature. */
  readonly height: number;
  readonly signature: string;
  /** SHA-256 of the signature. */
  readonly seed: string;
  /** What was signed: chain, term and the settlement that had fixed the weights. */
  readonly message: string;
  readonly settlementHash: string;
  readonly shares: readonly {
    readonly rank: number;
    readonly name: string;
    readonly share: string;
    readonly isValid: boolean;
  }[];
  /** Whether these shares combine to the signature in the block, and whether it verifies under the group's key. */
  readonly combinesToSignature: boolean;
  readonly isSignatureValid: boolean;
}

export interface ElectionReport {
  readonly height: number;
  readonly term: number;
  readonly composer: number;
  readonly composerName: string;
  readonly composingRound: number;
  /** Whether the list entitles the composer to that round. */
  readonly isEntitled: boolean;
  /** Why it composed, in one sentence. */
  readonly reason: string;
  readonly seed: string;
  /** Null in term 0, whose seed is the chain id. */
  readonly beacon: BeaconReport | null;
  readonly candidates: readonly {
    readonly members: readonly number[];
    readonly miner: number;
    readonly weight: string;
    readonly sharePercent: number;
  }[];
  readonly list: readonly (ElectionEntry & { readonly name: string })[];
  readonly draws: readonly Draw[];
  /** Whether the draws as computed here give the same list as the chain's own rule. */
  readonly drawsAgree: boolean;
  /** Moved to the end of the list for the rest of the term. */
  readonly demoted: readonly number[];
}

/** Why the composer of a block was the one to compose it: weights, seed with the shares behind it, draws, list. */
export async function electionReport(chain: InspectedChain, height: number): Promise<ElectionReport> {
  const { rules } = chain;
  const { block } = await chain.at(height);
  const parent = await chain.stateAfter(height - 1);
  const { composer, composingRound } = block.header;
  const seed = seedOf(rules, parent, block.parentCertificate);
  const list = electionListOf(rules, parent, block.parentCertificate);
  const { candidates, first, demoted } = parent.election;
  const draws = drawsOf(rules.genesis.members.length, seed, candidates, first);
  const forced = first === null ? [] : [candidates[first]?.miner as number];
  const drawn = [...forced, ...draws.map(({ rank }) => rank)];
  const expected = [...drawn.filter((rank) => !demoted.includes(rank)), ...demoted];
  const total = candidates.reduce((sum, { weight }) => sum + positive(weight), 0n);
  return {
    height,
    term: parent.term,
    composer,
    composerName: chain.name(composer),
    composingRound,
    isEntitled: list[composingRound % list.length]?.rank === composer,
    reason: reasonOf(chain, parent, list, composingRound, total),
    seed,
    beacon: parent.term === 0 ? null : await beaconReport(chain, parent.term, height),
    candidates: candidates.map(({ members, miner, weight }) => ({
      members,
      miner,
      weight: String(weight),
      sharePercent: total === 0n ? 0 : Number((positive(weight) * 10_000n) / total) / 100,
    })),
    list: list.map((entry) => ({ ...entry, name: chain.name(entry.rank) })),
    draws,
    drawsAgree: expected.join() === list.map(({ rank }) => rank).join(),
    demoted,
  };
}

function reasonOf(
  chain: InspectedChain,
  parent: ChainState,
  list: readonly ElectionEntry[],
  round: number,
  total: bigint,
): string {
  const entry = list[round % list.length] as ElectionEntry;
  const earlier = list.slice(0, Math.min(round, list.length)).map(({ rank }) => chain.name(rank));
  const after =
    round === 0 ? '' : `, after ${round} round${round === 1 ? '' : 's'} without a decision (${earlier.join(', ')})`;
  const candidate = entry.candidate === null ? undefined : parent.election.candidates[entry.candidate];
  const name = chain.name(entry.rank);
  if (candidate === undefined)
    return `${name} stood next in the list's tail, which holds every member that is not drawn as a miner${after}`;
  const whom =
    candidate.members.length === 1
      ? 'alone'
      : `the best score in its coalition of ${candidate.members.map((rank) => chain.name(rank)).join(', ')}`;
  if (entry.candidate === parent.election.first)
    return `${name} (${whom}) had the highest of the first announced scores${after}`;
  const weight = positive(candidate.weight);
  if (weight === 0n) return `${name} (${whom}) was drawn among candidates without a score, all equally likely${after}`;
  const percent = Number((weight * 10_000n) / total) / 100;
  return `${name} (${whom}) was drawn with ${weight} of ${total} of the weight (${percent.toFixed(2)} %)${after}`;
}

/** The draws of protocol section 3, step by step, computed here from the seed and the weights alone. */
function drawsOf(members: number, seed: string, candidates: readonly Candidate[], first: number | null): Draw[] {
  const draws: Draw[] = [];
  const remaining = candidates
    .map(({ members: ranks, miner, weight }, index) => ({
      index,
      rank: miner,
      lowest: Math.min(...ranks),
      weight: positive(weight),
    }))
    .filter(({ index }) => index !== first)
    .sort((a, b) => a.lowest - b.lowest);
  const take = (from: { rank: number; weight: bigint }[], isWeighted: boolean, among: Draw['among']): void => {
    const weightOf = ({ weight }: { weight: bigint }): bigint => (isWeighted ? weight : 1n);
    const total = from.reduce((sum, each) => sum + weightOf(each), 0n);
    const k = draws.length;
    const preimage = Buffer.concat([Buffer.from('draw'), fromHex(seed), Buffer.from([k >> 24, k >> 16, k >> 8, k])]);
    const value = BigInt(`0x${sha256(preimage).slice(0, 32)}`) % total;
    let end = 0n;
    const place = from.findIndex((each) => {
      end += weightOf(each);
      return end > value;
    });
    const [drawn] = from.splice(place, 1);
    const weight = weightOf(drawn as { weight: bigint });
    draws.push({
      k,
      among,
      total: String(total),
      value: String(value),
      from: String(end - weight),
      to: String(end),
      chancePercent: Number((weight * 10_000n) / total) / 100,
      rank: drawn?.rank as number,
    });
  };
  while (remaining.length > 0) {
    const isWeighted = remaining.some(({ weight }) => weight > 0n);
    take(remaining, isWeighted, isWeighted ? 'candidates by weight' : 'candidates, equally');
  }
  const drawn = new Set([...draws.map(({ rank }) => rank), ...(first === null ? [] : [candidates[first]?.miner])]);
  const others = Array.from({ length: members }, (_, rank) => ({ rank, weight: 1n })).filter(
    ({ rank }) => !drawn.has(rank),
  );
  while (others.length > 0) take(others, false, 'other members, equally');
  return draws;
}

async function beaconReport(chain: InspectedChain, term: number, height: number): Promise<BeaconReport | null> {
  const { rules } = chain;
  let opening: StoredHeight | null = null;
  for (let at = height; at >= 1; at -= 1) {
    const stored = await chain.at(at);
    if (stored.block.header.term !== term) break;
    opening = stored;
  }
  const signature = opening?.block.header.seedSignature;
  const certificate = opening?.block.parentCertificate;
  if (opening === null || signature == null || certificate == null) return null;
  const settlementHash = opening.block.header.parentHash;
  const message = beaconMessage(rules.chainId, term, settlementHash);
  return {
    height: opening.height,
    signature,
    seed: sha256(fromHex(signature)),
    message,
    settlementHash,
    shares: certificate.votes.map(({ voter, extension }) => {
      const share = extension?.beaconShare ?? '';
      const key = rules.genesis.members[voter]?.beaconKey ?? '';
      const isValid = share !== '' && rules.threshold.verifyShare(fromHex(share), fromHex(message), fromHex(key));
      return { rank: voter, name: chain.name(voter), share, isValid };
    }),
    combinesToSignature: combineSeed(rules, certificate).signature === signature,
    isSignatureValid: verifySeedSignature(rules, term, settlementHash, signature),
  };
}

function positive(weight: bigint): bigint {
  return weight > 0n ? weight : 0n;
}
