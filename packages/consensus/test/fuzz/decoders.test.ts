/**
 * Everything that takes bytes which came over the network or from a disk, fed with damaged versions of bytes that a real
 * chain produced. test/codec/layouts.test.ts does the same with invented values.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { payloadHash } from '../../src/chain/block.ts';
import { certificateHash } from '../../src/chain/certificate.ts';
import {
  blockHash,
  decodeBatch,
  decodeBlock,
  decodeCertificate,
  decodeHeader,
  encodeBatch,
  encodeBlock,
  encodeCertificate,
  encodeHeader,
} from '../../src/chain/index.ts';
import { transactionsRoot } from '../../src/chain/transactions.ts';
import type { Block } from '../../src/chain/types.ts';
import { decodeState, encodeState, genesisState } from '../../src/execution/index.ts';
import { decodeJournalEntry, encodeJournalEntry } from '../../src/peer/journal.ts';
import { decodeMessage as decodePoegMessage, encodeMessage as encodePoegMessage } from '../../src/poeg/messages.ts';
import { decodePayload, encodePayload } from '../../src/poeg/payload.ts';
import { verifyBlock } from '../../src/verification/index.ts';
import { decodeMessage, encodeMessage } from '../../src/wire/messages.ts';
import { edits, mutate } from './mutate.ts';
import { Village } from './village.ts';

const village = new Village();
const journal: Uint8Array[] = [];
const messages: Uint8Array[] = [];
for (let k = 0; k < 12; k += 1) {
  village.pay();
  village.elapse(200);
  messages.push(...village.heard);
}
for (const { disk } of village.villagers) journal.push(...disk.load().journal);
const { rules } = village.chain;
const { commits } = village.at(0).disk;
const blocks = commits.map(({ block }) => decodeBlock(block));
const settlements = blocks.filter(({ header }) => header.kind === 'settlement');
const contributions = messages.flatMap((bytes) => {
  const message = decodeMessage(bytes);
  return message.type === 'contribution' ? [message.bytes] : [];
});

/** By a number, so that what fast-check prints of a failure is short. */
function pickOf<T>(items: readonly T[], pick: number): T {
  if (items.length === 0) throw new Error('the village has produced no such bytes');
  return items[pick % items.length] as T;
}

const canonical: readonly [
  name: string,
  samples: readonly Uint8Array[],
  decode: (bytes: Uint8Array) => unknown,
  encode: (value: never) => Uint8Array,
][] = [
  ['message', messages, decodeMessage, encodeMessage],
  ['block', commits.map(({ block }) => block), decodeBlock, encodeBlock],
  ['certificate', commits.map(({ certificate }) => certificate), decodeCertificate, encodeCertificate],
  ['batch', blocks.flatMap(({ batches }) => batches).map(encodeBatch), decodeBatch, encodeBatch],
  [
    'state',
    commits.map(({ state }) => state),
    (bytes) => decodeState(rules, bytes),
    (state) => encodeState(rules, state),
  ],
  ['PoEG message', contributions, decodePoegMessage, encodePoegMessage],
  ['settlement', settlements.map(({ payload }) => payload), decodePayload, encodePayload],
];

describe.each(canonical)('bytes of a %s', (_, samples, decode, encode) => {
  it('damaged in any way, are those of another one or refused with a code', () => {
    fc.assert(
      fc.property(fc.nat(), edits, (pick, changes) => {
        const damaged = mutate(pickOf(samples, pick), changes);
        let value: unknown;
        try {
          value = decode(damaged);
        } catch (error) {
          expect(error).toHaveProperty('code');
          return;
        }
        expect(Buffer.compare(encode(value as never), damaged)).toBe(0);
      }),
      { seed: 1, numRuns: 400 },
    );
  });
});

describe('damaged entries of a journal', () => {
  it('are those of another one or none', () => {
    fc.assert(
      fc.property(fc.nat(), edits, (pick, changes) => {
        const damaged = mutate(pickOf(journal, pick), changes);
        const entry = decodeJournalEntry(damaged);
        if (entry !== null) expect(Buffer.compare(encodeJournalEntry(entry), damaged)).toBe(0);
      }),
      { seed: 1, numRuns: 400 },
    );
  });
});

describe('a damaged contribution', () => {
  it('is never taken for its author’s, and never breaks the check', () => {
    const { slot } = village.at(0).peer.view.state;
    const check = (bytes: Uint8Array) =>
      rules.application.checkContribution(rules.genesis, rules.chainId, bytes, slot).ok;
    const current = contributions.filter(check);
    fc.assert(
      fc.property(fc.nat(), edits, (pick, changes) => {
        const bytes = pickOf(current, pick);
        const damaged = mutate(bytes, changes);
        expect(check(damaged)).toBe(Buffer.compare(damaged, bytes) === 0);
      }),
      { seed: 1, numRuns: 400 },
    );
  });
});

describe('a committed block with damaged parts, under a header that commits to them', () => {
  const part = fc.constantFrom('payload', 'certificate', 'batches', 'header');

  it('is refused by a check that says why, and never breaks one', () => {
    const codes = new Set<string>();
    fc.assert(
      fc.property(fc.nat(), part, edits, (pick, which, changes) => {
        const commit = pickOf(commits.slice(1), pick);
        const original = decodeBlock(commit.block);
        const damaged = damage(original, which, changes);
        if (damaged === null) return;
        const parent = commits[commit.height - 2];
        const state = parent === undefined ? genesisState(rules) : decodeState(rules, parent.state);
        const hash = blockHash(damaged.header);
        const verdict = verifyBlock(rules, state, damaged, hash, encodeBlock(damaged).length);
        if (verdict.ok) {
          // Another round in which it was the same member's turn; which one it was is the proposal's business.
          const { composingRound } = original.header;
          expect(blockHash({ ...damaged.header, composingRound })).toBe(commit.blockHash);
          return;
        }
        codes.add(verdict.rejection.code);
        expect(verdict.rejection.code).not.toBe('BLOCK_CHECK_FAILED');
      }),
      { seed: 1, numRuns: 1_500 },
    );
    expect(codes.size).toBeGreaterThan(15);
  });
});

function damage(block: Block, which: string, changes: Parameters<typeof mutate>[1]): Block | null {
  try {
    if (which === 'header') {
      return { ...block, header: decodeHeader(mutate(encodeHeader(block.header), changes)) };
    }
    const parentCertificate =
      which === 'certificate' && block.parentCertificate !== null
        ? decodeCertificate(mutate(encodeCertificate(block.parentCertificate), changes))
        : block.parentCertificate;
    const batches =
      which === 'batches'
        ? block.batches.map((batch) => decodeBatch(mutate(encodeBatch(batch), changes)))
        : block.batches;
    const payload = which === 'payload' ? mutate(block.payload, changes) : block.payload;
    const header = {
      ...block.header,
      certificateHash: certificateHash(parentCertificate),
      transactionsRoot: transactionsRoot(batches),
      payloadHash: payloadHash(payload),
    };
    return { ...block, header, parentCertificate, batches, payload };
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
}
