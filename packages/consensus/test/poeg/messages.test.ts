import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Application } from '../../src/application/types.ts';
import { CodecError } from '../../src/codec/index.ts';
import {
  decodeMessage,
  encodeMessage,
  MAX_ENERGY_WH,
  messageKey,
  signAnnouncement,
  signReading,
} from '../../src/poeg/index.ts';
import { PoegChain, WORKED4 } from '../fixtures/poeg-chain.ts';

const chain = new PoegChain(WORKED4);
const { application, genesis, chainId } = chain.rules;
const [signer, otherSigner] = chain.network.signers;
const [meter] = chain.network.meters;
const announced = { chainId, slot: 5, rank: 0, productionWh: 14_000n, consumptionWh: 6_000n, scoreWh: 7_680n };
const read = { chainId, slot: 5, rank: 0, producedWh: 1n, consumedWh: 2n };

const check = (bytes: Uint8Array, slot: number): ReturnType<Application['checkContribution']> =>
  application.checkContribution(genesis, chainId, bytes, slot);
const announce = (change: Partial<typeof announced> = {}) =>
  signAnnouncement({ ...announced, ...change }, signer!.sign);

describe('a contribution', () => {
  test('of a member is known by kind, slot and rank', () => {
    const bytes = announce();
    expect(check(bytes, 4)).toEqual({
      ok: true,
      contribution: {
        key: 'announcement/5/0',
        kind: 'announcement',
        author: 0,
        signedBy: 'member',
        dueInSlot: 4,
        bytes,
      },
    });
    const reading = signReading(read, meter!.sign);
    expect(check(reading, 6)).toEqual({
      ok: true,
      contribution: { key: 'reading/5/0', kind: 'reading', author: 0, signedBy: 'meter', dueInSlot: 6, bytes: reading },
    });
    expect(messageKey(decodeMessage(bytes))).toBe('announcement/5/0');
  });

  test('is of use in its slot and, for a peer that lags behind, one slot early', () => {
    const accepted = (bytes: Uint8Array) => [1, 2, 3, 4, 5, 6, 7, 8].filter((slot) => check(bytes, slot).ok);
    expect(accepted(announce())).toEqual([3, 4]);
    expect(accepted(signReading(read, meter!.sign))).toEqual([5, 6]);
    for (const bytes of [announce(), signReading(read, meter!.sign)])
      expect(application.checkContribution(genesis, chainId, bytes, null).ok).toBe(true);
  });

  test('is refused by a code for each fault', () => {
    const refused = (bytes: Uint8Array, slot = 4) => {
      const verdict = check(bytes, slot);
      return verdict.ok ? 'accepted' : verdict.code;
    };
    expect(refused(announce())).toBe('accepted');
    expect(refused(announce().slice(1))).toBe('POEG_MALFORMED_MESSAGE');
    expect(refused(Uint8Array.of(...announce(), 0))).toBe('POEG_MALFORMED_MESSAGE');
    expect(refused(new Uint8Array())).toBe('POEG_MALFORMED_MESSAGE');
    expect(refused(announce({ chainId: '0'.repeat(64) }))).toBe('POEG_WRONG_CHAIN');
    expect(refused(announce({ slot: 0 }), 0)).toBe('POEG_WRONG_SLOT');
    expect(refused(announce(), 5)).toBe('POEG_WRONG_SLOT');
    expect(refused(announce({ rank: 4 }))).toBe('POEG_UNKNOWN_MEMBER');
    expect(refused(announce({ scoreWh: 7_681n }))).toBe('POEG_WRONG_SCORE_CLAIM');
    expect(refused(announce({ productionWh: 14_100n }))).toBe('POEG_WRONG_SCORE_CLAIM');
    expect(refused(signAnnouncement(announced, otherSigner!.sign))).toBe('POEG_BAD_SIGNATURE');
    expect(refused(signReading(read, signer!.sign), 6)).toBe('POEG_BAD_SIGNATURE');
    const resigned = { ...decodeMessage(announce()), productionWh: 13_999n, consumptionWh: 5_999n };
    expect(refused(encodeMessage(resigned))).toBe('POEG_BAD_SIGNATURE');
  });

  test('has bounded energies', () => {
    expect(() => announce({ consumptionWh: MAX_ENERGY_WH, scoreWh: 0n })).not.toThrow();
    expect(() => announce({ consumptionWh: MAX_ENERGY_WH + 1n, scoreWh: 0n })).toThrow(CodecError);
    expect(() => signReading({ ...read, producedWh: MAX_ENERGY_WH + 1n }, meter!.sign)).toThrow(CodecError);
    expect(() => signReading({ ...read, consumedWh: -1n }, meter!.sign)).toThrow(CodecError);
  });

  test('survives no flipped bit', () => {
    const bytes = announce();
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const flipped = bytes.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        for (const slot of [3, 4, 5]) expect(check(flipped, slot).ok).toBe(false);
      }),
      { numRuns: 300, seed: 5 },
    );
  });

  test('is owed by everybody: an announcement always, a reading once there was a market two slots ago', () => {
    expect(application.owed(genesis, 0, 2)).toEqual(['announcement/1/2']);
    expect(application.owed(genesis, 1, 2)).toEqual(['announcement/2/2']);
    expect(application.owed(genesis, 2, 2)).toEqual(['announcement/3/2', 'reading/1/2']);
    expect(application.owed(genesis, 7, 0)).toEqual(['announcement/8/0', 'reading/6/0']);
  });
});
