import { decodeLogRecord, encodeLogRecord } from '../chain/log-codec.ts';
import { decode, encode, u53 } from '../codec/index.ts';
import type { LogRecord } from '../engine/types.ts';

/**
 * An entry of the journal: what the engine must not forget, or a contribution that this member has signed. `absence`: of
 * the slots up to `throughSlot` it has forgotten what it signed, and signs no contribution for them. `silence`: up to
 * which height it votes for nothing, since it has lost its disk (`Silence`). `reported`: a message with what it has told
 * the others that it holds; `blob`: bytes that a block names which it has locked at `height` (`Pledges`).
 */
export type JournalEntry =
  | { readonly type: 'engine'; readonly record: LogRecord }
  | { readonly type: 'contribution'; readonly bytes: Uint8Array }
  | { readonly type: 'absence'; readonly throughSlot: number }
  | { readonly type: 'silence'; readonly throughHeight: number }
  | { readonly type: 'reported'; readonly bytes: Uint8Array }
  | { readonly type: 'blob'; readonly height: number; readonly bytes: Uint8Array };

const ENGINE = 1;
const CONTRIBUTION = 2;
const ABSENCE = 3;
const SILENCE = 4;
const REPORTED = 5;
const BLOB = 6;
const HEIGHT_BYTES = 8;
const TAGS = {
  engine: ENGINE,
  contribution: CONTRIBUTION,
  absence: ABSENCE,
  silence: SILENCE,
  reported: REPORTED,
  blob: BLOB,
};

/** `encodeRecord` stands in for `encodeLogRecord`, with the same result. */
export function encodeJournalEntry(
  entry: JournalEntry,
  encodeRecord: (record: LogRecord) => Uint8Array = encodeLogRecord,
): Uint8Array {
  const body = bodyOf(entry, encodeRecord);
  const bytes = new Uint8Array(body.length + 1);
  bytes[0] = TAGS[entry.type];
  bytes.set(body, 1);
  return bytes;
}

/** Null for an entry that this version does not understand: the caller treats the journal as damaged. */
export function decodeJournalEntry(bytes: Uint8Array): JournalEntry | null {
  const body = bytes.subarray(1);
  try {
    if (bytes[0] === ENGINE) return { type: 'engine', record: decodeLogRecord(body) };
    if (bytes[0] === CONTRIBUTION) return { type: 'contribution', bytes: body };
    if (bytes[0] === ABSENCE) return { type: 'absence', throughSlot: decode(u53, body) };
    if (bytes[0] === BLOB) {
      const height = decode(u53, body.subarray(0, HEIGHT_BYTES));
      return { type: 'blob', height, bytes: body.subarray(HEIGHT_BYTES) };
    }
    if (bytes[0] === REPORTED) return { type: 'reported', bytes: body };
    if (bytes[0] === SILENCE) return { type: 'silence', throughHeight: decode(u53, body) };
  } catch {
    return null;
  }
  return null;
}

function bodyOf(entry: JournalEntry, encodeRecord: (record: LogRecord) => Uint8Array): Uint8Array {
  if (entry.type === 'engine') return encodeRecord(entry.record);
  if (entry.type === 'contribution' || entry.type === 'reported') return entry.bytes;
  if (entry.type === 'blob') {
    const body = new Uint8Array(HEIGHT_BYTES + entry.bytes.length);
    body.set(encode(u53, entry.height));
    body.set(entry.bytes, HEIGHT_BYTES);
    return body;
  }
  return encode(u53, entry.type === 'absence' ? entry.throughSlot : entry.throughHeight);
}

export function heightOf(record: LogRecord): number {
  if (record.type === 'proposal') return record.proposal.height;
  if (record.type === 'vote') return record.vote.height;
  return record.block.header.height;
}
