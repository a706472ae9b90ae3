import {
  type Certificate,
  decodeJournalEntry,
  electionListOf,
  heightOfLogRecord,
  type LogRecord,
} from '@wattmesh/consensus';
import type { BlockTiming } from '../shell/commit-log.ts';
import type { InspectedChain } from './inspected-chain.ts';

/** One precommit, as a certificate holds it. */
export interface VoteRow {
  readonly rank: number;
  readonly name: string;
  readonly timestampMs: number;
  /** After the parent's chain time. */
  readonly sinceParentMs: number;
  readonly hasBeaconShare: boolean;
}

/**
 * What is stored of how a height was decided. Proposals and prevotes leave no trace in the chain: a certificate holds the
 * precommits that decided, and different peers may keep different sets of them.
 */
export interface HeightFlow {
  readonly height: number;
  readonly hash: string;
  readonly kind: string;
  /** One entry a round up to the deciding one, with who was to propose in it. */
  readonly rounds: readonly {
    readonly round: number;
    readonly proposer: number;
    readonly name: string;
    readonly outcome: 'not decided' | 'composed' | 'decided' | 'composed and decided';
  }[];
  readonly chainTimeMs: number;
  readonly parentChainTimeMs: number;
  /** The precommits that this peer keeps. */
  readonly certificate: readonly VoteRow[];
  /** The copy that the next block embeds, on which all peers agree; null while there is no next block. */
  readonly embedded: readonly VoteRow[] | null;
  /** Members whose precommit stands in neither. They may have voted: `q` votes are enough. */
  readonly notSeen: readonly number[];
  /** From the first to the last precommit of the kept certificate, by the voters' clocks. */
  readonly spreadMs: number;
  readonly timing: BlockTiming | null;
  /** What this peer's journal still holds of the height; null for a running peer, whose journal is in use. */
  readonly journal: readonly JournalStep[] | null;
}

/** Something that the peer made durable before it acted on it, in that order. */
export interface JournalStep {
  readonly type: 'proposal' | 'prevote' | 'precommit' | 'lock' | 'valid value';
  readonly round: number;
  /** Null for a vote for nil. */
  readonly blockHash: string | null;
  /** When it was signed, by this peer's clock; only votes carry a time. */
  readonly timestampMs: number | null;
  /** Whose prevotes justify it. */
  readonly prevotesOf: readonly number[];
}

/** The message flow of a height as far as it is stored. */
export async function heightFlow(chain: InspectedChain, height: number): Promise<HeightFlow> {
  const { block, hash, certificate } = await chain.at(height);
  const { composingRound, chainTimeMs, kind } = block.header;
  const parent = await chain.stateAfter(height - 1);
  const list = electionListOf(chain.rules, parent, block.parentCertificate);
  const next = height < chain.head ? (await chain.at(height + 1)).block.parentCertificate : null;
  const voters = new Set([...certificate.votes, ...(next?.votes ?? [])].map(({ voter }) => voter));
  const timesMs = certificate.votes.map(({ timestampMs }) => timestampMs);
  return {
    height,
    hash,
    kind,
    rounds: Array.from({ length: certificate.round + 1 }, (_, round) => {
      const proposer = list[round % list.length]?.rank as number;
      const composed = round === composingRound;
      const decided = round === certificate.round;
      const outcome =
        composed && decided ? 'composed and decided' : composed ? 'composed' : decided ? 'decided' : 'not decided';
      return { round, proposer, name: chain.name(proposer), outcome };
    }),
    chainTimeMs,
    parentChainTimeMs: parent.chainTimeMs,
    certificate: votesOf(chain, certificate, parent.chainTimeMs),
    embedded: next === null ? null : votesOf(chain, next, parent.chainTimeMs),
    notSeen: chain.rules.genesis.members.map((_, rank) => rank).filter((rank) => !voters.has(rank)),
    spreadMs: Math.max(...timesMs) - Math.min(...timesMs),
    timing: await chain.timing(height),
    journal: await journalOf(chain, height),
  };
}

function votesOf(chain: InspectedChain, { votes }: Certificate, parentMs: number): VoteRow[] {
  return votes.map(({ voter, timestampMs, extension }) => ({
    rank: voter,
    name: chain.name(voter),
    timestampMs,
    sinceParentMs: timestampMs - parentMs,
    hasBeaconShare: extension?.beaconShare != null,
  }));
}

async function journalOf(chain: InspectedChain, height: number): Promise<JournalStep[] | null> {
  const records = await chain.source.journal();
  if (records === null) return null;
  return records.flatMap((bytes) => {
    const entry = decodeJournalEntry(bytes);
    return entry?.type === 'engine' && heightOfLogRecord(entry.record) === height ? [stepOf(entry.record)] : [];
  });
}

function stepOf(record: LogRecord): JournalStep {
  switch (record.type) {
    case 'proposal': {
      const { round, blockHash } = record.proposal;
      const prevotesOf = record.polVotes.map(({ voter }) => voter);
      return { type: 'proposal', round, blockHash, timestampMs: null, prevotesOf };
    }
    case 'vote': {
      const { type, round, blockHash, timestampMs } = record.vote;
      return { type, round, blockHash, timestampMs, prevotesOf: [] };
    }
    default: {
      const { type, round, blockHash, prevotes } = record;
      const prevotesOf = prevotes.map(({ voter }) => voter);
      return { type: type === 'lock' ? 'lock' : 'valid value', round, blockHash, timestampMs: null, prevotesOf };
    }
  }
}
