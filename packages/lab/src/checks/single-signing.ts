import { blockHash, decodeJournalEntry, type JournalEntry } from '@wattmesh/consensus';
import { type Check, holds, type JournalAudit, type RunFacts, unknown, violated } from './facts.ts';
import { misbehavesFromMs } from './punishment.ts';

/** Invariant 2: nobody signs two things in one place, wherever it crashes. */
export const singleSigning: Check = {
  name: 'single-signing',
  promise:
    'No honest peer has signed two conflicting votes, proposals or announcements, whatever was done to its process.',
  judge: (facts) => {
    const { endMs } = facts;
    const journals = facts.journals.filter(({ peer }) => misbehavesFromMs(facts, peer) === Number.POSITIVE_INFINITY);
    const conflicts = facts.journals.flatMap(({ peer, conflicts: found }) =>
      found
        .filter((conflict) => (heightOf(conflict) ?? Number.POSITIVE_INFINITY) <= honestThrough(facts, peer))
        .map((conflict) => `${peer}: ${conflict}`),
    );
    const [first] = conflicts;
    if (first !== undefined)
      return violated(`${first}${conflicts.length > 1 ? ` (and ${conflicts.length - 1} more)` : ''}`, {
        atMs: endMs,
        height: heightOf(first),
      });
    const unread = journals.filter((journal) => journal.unread !== null);
    if (unread.length > 0)
      return unknown(unread.map(({ peer, unread: why }) => `${peer}'s journal was not read: ${why}`).join('; '));
    const entries = journals.reduce((sum, journal) => sum + journal.entries, 0);
    return entries === 0
      ? unknown('no journal holds anything')
      : holds(`${entries} signed statements in ${journals.length} journals`);
  },
};

/** The height of a vote or proposal; null for what belongs to no height. */
function heightOf(conflict: string): number | null {
  return Number(/ (\d+)\//.exec(conflict)?.[1] ?? Number.NaN) || null;
}

/** A peer votes on no height that it has: what it signed up to there it signed before it was told to misbehave. */
function honestThrough(facts: RunFacts, peer: string): number {
  const fromMs = misbehavesFromMs(facts, peer);
  if (fromMs === Number.POSITIVE_INFINITY) return fromMs;
  let through = 0;
  for (const [height, ofPeers] of facts.commits) {
    const commit = ofPeers.get(peer);
    if (commit !== undefined && commit.committedMs - facts.originMs < fromMs) through = Math.max(through, height);
  }
  return through;
}

/** Reads the statements of a peer's journal and finds those that contradict each other. */
export function auditJournal(
  peer: string,
  { records, damage }: { readonly records: readonly Uint8Array[]; readonly damage: string | null },
): JournalAudit {
  const signed = new Map<string, string>();
  const conflicts: string[] = [];
  let unread = damage;
  for (const bytes of records) {
    const entry = decodeJournalEntry(bytes);
    if (entry === null) unread ??= 'an entry cannot be decoded';
    const statement = entry === null ? null : statementOf(entry);
    if (statement === null) continue;
    const before = signed.get(statement.place);
    if (before !== undefined && before !== statement.what)
      conflicts.push(`${statement.place}: ${before.slice(0, 16)} and ${statement.what.slice(0, 16)}`);
    signed.set(statement.place, statement.what);
  }
  return { peer, entries: signed.size, conflicts, unread };
}

/** Chain, slot and rank come first in a contribution, after its kind: one statement for each of them. */
const CONTRIBUTION_PLACE_BYTES = 1 + 32 + 8 + 2;

function statementOf(entry: JournalEntry): { readonly place: string; readonly what: string } | null {
  if (entry.type === 'contribution') {
    const hex = Buffer.from(entry.bytes).toString('hex');
    return { place: `contribution ${hex.slice(0, 2 * CONTRIBUTION_PLACE_BYTES)}`, what: hex };
  }
  if (entry.type !== 'engine') return null;
  const { record } = entry;
  if (record.type === 'vote') {
    const { type, height, round, blockHash: hash } = record.vote;
    return { place: `${type} ${height}/${round}`, what: hash ?? 'nil' };
  }
  if (record.type === 'proposal')
    return {
      place: `proposal ${record.proposal.height}/${record.proposal.round}`,
      what: blockHash(record.block.header),
    };
  return null;
}
