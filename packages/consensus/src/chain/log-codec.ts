import { type Codec, decode, encode, hash, list, struct, u32, union } from '../codec/index.ts';
import type { LogRecord } from '../engine/types.ts';
import { blockCodec } from './block.ts';
import { MAX_MEMBERS } from './limits.ts';
import type { Block, Vote } from './types.ts';
import { proposalCodec, voteCodec } from './votes.ts';

const votes: Codec<readonly Vote[]> = list(voteCodec, MAX_MEMBERS);

function recordCodec(block: Codec<Block>): Codec<LogRecord> {
  const justified = struct<Omit<Extract<LogRecord, { type: 'lock' }>, 'type'>>({
    round: u32,
    block,
    blockHash: hash,
    prevotes: votes,
  });
  return union<LogRecord>({
    proposal: struct({ proposal: proposalCodec, block, polVotes: votes }),
    vote: struct({ vote: voteCodec }),
    lock: justified,
    valid: justified,
  });
}

const logRecordCodec = recordCodec(blockCodec);

/**
 * Bytes of what the engine must not forget; framing and checksum are the log's.
 * @throws CodecError
 */
export function encodeLogRecord(record: LogRecord): Uint8Array {
  return encode(logRecordCodec, record);
}

/** The same bytes, made with encodings of blocks that the caller has: `encodingOf` must give those of `encodeBlock`. */
export function logRecordEncoder(encodingOf: (block: Block) => Uint8Array): (record: LogRecord) => Uint8Array {
  const codec = recordCodec({
    minBytes: blockCodec.minBytes,
    read: (reader) => blockCodec.read(reader),
    write: (writer, block) => {
      const bytes = encodingOf(block);
      const offset = writer.reserve(bytes.length);
      writer.bytes.set(bytes, offset);
    },
  });
  return (record) => encode(codec, record);
}

/** @throws CodecError for anything but an encoded record: the caller treats its log as damaged. */
export function decodeLogRecord(bytes: Uint8Array): LogRecord {
  return decode(logRecordCodec, bytes);
}
