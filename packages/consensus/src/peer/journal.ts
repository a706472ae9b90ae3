import { decodeLogRecord, encodeLogRecord } from '../chain/log-codec.ts';
import type { LogRecord } from '../engine/types.ts';

/** An entry of the journal: what the engine must not forget, or a contribution that this member has signed. */
export type JournalEntry =
  | { readonly type: 'engine'; readonly record: LogRecord }
  | { readonly type: 'contribution'; readonly bytes: Uint8Array };

const ENGINE = 1;
const CONTRIBUTION = 2;

/** `encodeRecord` stands in for `encodeLogRecord`, with the same result. */
export function encodeJournalEntry(
  entry: JournalEntry,
  encodeRecord: (record: LogRecord) => Uint8Array = encodeLogRecord,
): Uint8Array {
  const body = entry.type === 'engine' ? encodeRecord(entry.record) : entry.bytes;
  const bytes = new Uint8Array(body.length + 1);
  bytes[0] = entry.type === 'engine' ? ENGINE : CONTRIBUTION;
  bytes.set(body, 1);
  return bytes;
}

/** Null for an entry that this version does not understand: the caller treats the journal as damaged. */
export function decodeJournalEntry(bytes: Uint8Array): JournalEntry | null {
  const body = bytes.subarray(1);
  try {
    if (bytes[0] === ENGINE) return { type: 'engine', record: decodeLogRecord(body) };
    if (bytes[0] === CONTRIBUTION) return { type: 'contribution', bytes: body };
  } catch {
    return null;
  }
  return null;
}

export function heightOf(record: LogRecord): number {
  if (record.type === 'proposal') return record.proposal.height;
  if (record.type === 'vote') return record.vote.height;
  return record.block.header.height;
}
