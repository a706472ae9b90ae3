import { describe, expect, test } from 'vitest';
import { BlockRejection } from '../../src/application/rejection.ts';
import type { Contribution } from '../../src/application/types.ts';
import { blockHash, encodeBlock, payloadHash } from '../../src/chain/block.ts';
import type { Block } from '../../src/chain/types.ts';
import { decodePayload, encodePayload, type SettlementPayload, signAnnouncement } from '../../src/poeg/index.ts';
import { verifyBlock } from '../../src/verification/index.ts';
import { PoegChain, WORKED4 } from '../fixtures/poeg-chain.ts';

/** About to settle slot 2 with announcements for slot 3 and readings of slot 1; member 2 had been absent in slot 1. */
function beforeSettlement(): { chain: PoegChain; contributions: Contribution[] } {
  const chain = new PoegChain(WORKED4);
  const announced = (slot: number) => WORKED4.map((home, rank) => chain.announcement(slot, rank, home));
  chain.settle(announced(1).filter(({ author }) => author !== 2));
  chain.settle(announced(2));
  chain.grow('closing');
  const readings = [0, 1, 3].map((rank) => chain.reading(1, rank, 9_000n, 8_000n));
  return { chain, contributions: [...announced(3), ...readings] };
}

const { chain, contributions } = beforeSettlement();
const honest = chain.compose('settlement', { contributions });
const payload = decodePayload(honest.block.payload);

/** Puts the payload into the block and makes the header commit to it, as a cheating composer would. */
function withPayload(bytes: Uint8Array): Block {
  const header = { ...honest.block.header, payloadHash: payloadHash(bytes) };
  return { ...honest.block, header, payload: bytes };
}

function codeOf(bytes: Uint8Array): string {
  const block = withPayload(bytes);
  const verdict = verifyBlock(chain.rules, chain.state, block, blockHash(block.header), encodeBlock(block).length);
  if (verdict.ok) return 'accepted';
  expect(verdict.rejection).toBeInstanceOf(BlockRejection);
  expect(verdict.rejection.check).toBe('settlement');
  return verdict.rejection.code;
}

const tampered = (change: Partial<SettlementPayload>) => codeOf(encodePayload({ ...payload, ...change }));
const results = (change: Partial<SettlementPayload['results']>) =>
  tampered({ results: { ...payload.results, ...change } });
const announcementBy = (rank: number) => payload.announcements[rank]!;
const bytesOf = ({ bytes }: Contribution) => bytes;

describe('a settlement’s payload', () => {
  test('as composed is accepted and holds every contribution', () => {
    expect(codeOf(honest.block.payload)).toBe('accepted');
    expect(payload.announcements).toHaveLength(4);
    expect(payload.readings).toHaveLength(3);
    expect(encodePayload(payload)).toEqual(honest.block.payload);
  });

  test('that is no payload', () => {
    expect(codeOf(Uint8Array.of(1, 2, 3))).toBe('POEG_MALFORMED_PAYLOAD');
    expect(codeOf(Uint8Array.of(...honest.block.payload, 0))).toBe('POEG_MALFORMED_PAYLOAD');
    expect(codeOf(new Uint8Array())).toBe('POEG_MALFORMED_PAYLOAD');
  });

  test('with a message that may not stand in it', () => {
    const [home] = WORKED4;
    const inPlaceOf0 = (bytes: Uint8Array) => tampered({ announcements: [bytes, ...payload.announcements.slice(1)] });
    expect(inPlaceOf0(announcementBy(0).slice(0, -1))).toBe('POEG_MALFORMED_MESSAGE');
    expect(inPlaceOf0(bytesOf(chain.announcement(2, 0, home!)))).toBe('POEG_WRONG_SLOT');
    expect(inPlaceOf0(bytesOf(chain.announcement(4, 0, home!)))).toBe('POEG_WRONG_SLOT');
    const fields = { slot: 3, rank: 0, productionWh: 14_000n, consumptionWh: 6_000n, scoreWh: 7_680n };
    const { chainId, signers } = chain.network;
    const signed = (change: object) => signAnnouncement({ chainId, ...fields, ...change }, signers[0]!.sign);
    expect(inPlaceOf0(signed({ chainId: '0'.repeat(64) }))).toBe('POEG_WRONG_CHAIN');
    expect(inPlaceOf0(signed({ rank: 9 }))).toBe('POEG_UNKNOWN_MEMBER');
    expect(inPlaceOf0(signed({ scoreWh: 8_000n }))).toBe('POEG_WRONG_SCORE_CLAIM');
    const forged = signAnnouncement({ chainId, ...fields }, signers[1]!.sign);
    expect(inPlaceOf0(forged)).toBe('POEG_BAD_SIGNATURE');
  });

  test('with a reading of another slot, or of a member that had announced nothing', () => {
    const withReading = (...readings: Contribution[]) => tampered({ readings: readings.map(bytesOf) });
    expect(withReading(chain.reading(2, 0, 1n, 1n))).toBe('POEG_WRONG_SLOT');
    expect(withReading(chain.reading(1, 2, 1n, 1n))).toBe('POEG_UNANNOUNCED_READING');
  });

  test('out of order, with somebody twice, or with a message in the wrong list', () => {
    const [first, second, ...rest] = payload.announcements as [Uint8Array, Uint8Array, ...Uint8Array[]];
    expect(tampered({ announcements: [second, first, ...rest] })).toBe('POEG_NOT_CANONICAL');
    expect(tampered({ announcements: [first, first, second, ...rest] })).toBe('POEG_NOT_CANONICAL');
    expect(tampered({ announcements: [first, second, ...rest, payload.readings[2]!] })).toBe('POEG_NOT_CANONICAL');
  });

  test('with results that its messages do not give, each named', () => {
    const { rewards, deviations, partition, trades, scores } = payload.results;
    const [bill, ...bills] = rewards.bills;
    expect(results({ rewards: { ...rewards, bills: [{ ...bill!, billMicro: bill!.billMicro - 1n }, ...bills] } })).toBe(
      'POEG_WRONG_REWARDS',
    );
    expect(results({ rewards: { ...rewards, rewarded: [0] } })).toBe('POEG_WRONG_REWARDS');
    expect(results({ rewards: { ...rewards, edcMicro: 0n } })).toBe('POEG_WRONG_REWARDS');
    expect(results({ deviations: deviations.slice(1) })).toBe('POEG_WRONG_DEVIATIONS');
    const [coalition] = partition;
    expect(results({ partition: [{ ...coalition!, proofScoreWh: 20_000n }] })).toBe('POEG_WRONG_PARTITION');
    const [trade, ...others] = trades;
    expect(results({ trades: [{ ...trade!, energyWh: trade!.energyWh - 1n }, ...others] })).toBe('POEG_WRONG_TRADES');
    expect(results({ scores: scores.map((score) => ({ ...score, proofScoreWh: 9_999n })) })).toBe('POEG_WRONG_SCORES');
  });

  test('without somebody’s announcement gives other results', () => {
    expect(tampered({ announcements: payload.announcements.slice(1) })).toBe('POEG_WRONG_PARTITION');
  });
});

describe('preparing', () => {
  test('leaves out what may not stand in the block', () => {
    const junk: Contribution[] = [
      { ...contributions[0]!, bytes: Uint8Array.of(1, 2) },
      chain.announcement(4, 0, WORKED4[0]!),
      chain.reading(1, 2, 5n, 5n),
      chain.reading(2, 1, 5n, 5n),
    ];
    const { block } = chain.compose('settlement', { contributions: [...junk, ...contributions] });
    expect(block.payload).toEqual(honest.block.payload);
  });

  test('takes one of two announcements of a member, whichever came first', () => {
    const other = chain.announcement(3, 0, { productionWh: 20_000n, consumptionWh: 1_000n });
    const one = chain.compose('settlement', { contributions: [other, ...contributions] });
    const two = chain.compose('settlement', { contributions: [...contributions, other] });
    expect(one.blockHash).toBe(two.blockHash);
    expect(decodePayload(one.block.payload).announcements).toHaveLength(4);
  });
});
