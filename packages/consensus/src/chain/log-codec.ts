import { type Codec, decode, encode, hash, list, struct, u32, union } from '../codec/index.ts';
import type { LogRecord } from '../engine/types.ts';
import { blockCodec } from './block.ts';
import { MAX_MEMBERS } from './limits.ts';
import type { Vote } from './types.ts';
import { proposalCodec, voteCodec } from './votes.ts';

const votes: Codec<readonly Vote[]> = list(voteCodec, MAX_MEMBERS);
const justified = struct<Omit<Extract<LogRecord, { type: 'lock' }>, 'type'>>({
  round: u32,
  block: blockCodec,
  blockHash: hash,
  prevotes: votes,
});

const logRecordCodec: Codec<LogRecord> = union<LogRecord>({
  proposal: struct({ proposal: proposalCodec, block: blockCodec, polVotes: votes }),
  vote: struct({ vote: voteCodec }),
  lock: justified,
  valid: justified,
});

/**
 * Bytes of what the engine must not forget; framing and checksum are the log's.
 * @throws CodecError
 */
export function encodeLogRecord(record: LogRecord): Uint8Array {
  return encode(logRecordCodec, record);
}

/** @throws CodecError for anything but an encoded record: the caller treats its log as damaged. */
export function decodeLogRecord(bytes: Uint8Array): LogRecord {
  return decode(logRecordCodec, bytes);
}
