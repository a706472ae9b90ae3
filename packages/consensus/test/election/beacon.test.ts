import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blockHash, payloadHash, verifyVote, voteDigest } from '../../src/chain/index.ts';
import type { ChainRules, ChainState } from '../../src/chain/state.ts';
import type { BlockHeader, Certificate, Vote } from '../../src/chain/types.ts';
import { electionList } from '../../src/election/election-list.ts';
import {
  beaconMessage,
  combineSeed,
  electionListOf,
  seedOf,
  seedOfSignature,
  verifySeedSignature,
} from '../../src/election/index.ts';
import { errorCode } from '../fixtures/error-code.ts';
import { testCertificate, testNetwork } from '../fixtures/network.ts';

const network = testNetwork({ members: 5, quorum: 4 });
const settlement: BlockHeader = {
  chainId: network.chainId,
  height: 12,
  parentHash: '11'.repeat(32),
  term: 3,
  slot: 3,
  kind: 'settlement',
  composer: 1,
  composingRound: 0,
  chainTimeMs: 1_700_000_040_000,
  certificateHash: '22'.repeat(32),
  seedSignature: null,
  transactionsRoot: '33'.repeat(32),
  payloadHash: '44'.repeat(32),

  evidenceRoot: '55'.repeat(32),
  stateRoot: '55'.repeat(32),
};
const hash = blockHash(settlement);
const certificate = testCertificate(network, { height: 12, round: 0, blockHash: hash }, 4);
const { signature, seed } = combineSeed(network, certificate);

describe('the seed of a term', () => {
  test('is signed over chain, term and settlement', () => {
    const parts = [
      'wattmesh/beacon\0',
      Buffer.from(network.chainId, 'hex'),
      Buffer.alloc(7),
      Buffer.of(4),
      Buffer.from(hash, 'hex'),
    ];
    const digest = createHash('sha256');
    for (const part of parts) digest.update(part);
    expect(beaconMessage(network.chainId, 4, hash)).toBe(digest.digest('hex'));
  });

  test('is SHA-256 of the combined signature, which verifies for this term of this chain alone', () => {
    expect(seed).toBe(createHash('sha256').update(Buffer.from(signature, 'hex')).digest('hex'));
    expect(seedOfSignature(signature)).toBe(seed);
    expect(verifySeedSignature(network, 4, hash, signature)).toBe(true);
    expect(verifySeedSignature(network, 5, hash, signature)).toBe(false);
    expect(verifySeedSignature(network, 4, '00'.repeat(32), signature)).toBe(false);
    expect(verifySeedSignature({ ...network, chainId: '00'.repeat(32) }, 4, hash, signature)).toBe(false);
    const share = certificate.votes[0]?.extension?.beaconShare as string;
    for (const wrong of [share, signature.toUpperCase(), signature.slice(2), '', 'c0'.padEnd(192, '0')]) {
      expect(verifySeedSignature(network, 4, hash, wrong)).toBe(false);
    }
  });

  test('is the same from every certificate of the settlement', () => {
    for (const voters of [
      [0, 1, 2, 4],
      [0, 1, 3, 4],
      [0, 2, 3, 4],
      [1, 2, 3, 4],
    ]) {
      const at = { height: 12, round: 0, blockHash: hash };
      expect(combineSeed(network, testCertificate(network, at, 4, voters))).toEqual({ signature, seed });
    }
  });

  test('is combined once for a certificate, however often it is asked for', () => {
    let combinations = 0;
    const threshold = {
      ...network.threshold,
      combine: (shares: Parameters<typeof network.threshold.combine>[0]) => {
        combinations += 1;
        return network.threshold.combine(shares);
      },
    };
    const fresh = { ...certificate };
    for (let i = 0; i < 3; i++) expect(combineSeed({ threshold }, fresh)).toEqual({ signature, seed });
    expect(combinations).toBe(1);
  });

  test('cannot be had from a certificate of another block, or from fewer shares', () => {
    const plain = testCertificate(network, { height: 12, round: 0, blockHash: hash });
    expect(errorCode(() => combineSeed(network, plain))).toBe('ELECTION_MISSING_SHARE');
    const fewer = { ...certificate, votes: certificate.votes.slice(1) };
    expect(verifySeedSignature(network, 4, hash, combineSeed(network, fewer).signature)).toBe(false);
  });
});

describe('no announcement can change weights whose seed is known', () => {
  // The payload of a settlement block holds the announcements, word for word; the weights follow from them.
  const payload = new TextEncoder().encode('announcements for slot 4: rank 0 5000 Wh; rank 1 1200 Wh; rank 2 0 Wh');
  const withPayload = (bytes: Uint8Array): BlockHeader => ({ ...settlement, payloadHash: payloadHash(bytes) });
  const original = blockHash(withPayload(payload));
  const decided = testCertificate(network, { height: 12, round: 0, blockHash: original }, 4);
  const combined = combineSeed(network, decided).signature;

  test('the shares are over the block that fixed the weights', () => {
    expect(verifySeedSignature(network, 4, original, combined)).toBe(true);
    for (const vote of decided.votes) verifyVote(network, vote, { term: 4, settlementHash: original });
  });

  test('any other byte of any announcement makes another block, another message, and the shares worthless', () => {
    fc.assert(
      fc.property(fc.nat(payload.length - 1), fc.integer({ min: 1, max: 255 }), (at, difference) => {
        const changed = blockHash(withPayload(payload.map((byte, i) => (i === at ? byte ^ difference : byte))));
        expect(changed).not.toBe(original);
        expect(beaconMessage(network.chainId, 4, changed)).not.toBe(beaconMessage(network.chainId, 4, original));
        expect(verifySeedSignature(network, 4, changed, combined)).toBe(false);
        for (const { extension, voter } of decided.votes) {
          const moved = movedTo(changed, voter, extension?.beaconShare as string);
          expect(errorCode(() => verifyVote(network, moved, { term: 4, settlementHash: changed }))).toBe(
            'VOTE_BAD_SHARE',
          );
        }
      }),
      { numRuns: 20, seed: 1 },
    );
  });

  test('neither can the rest of the block: state, transactions, time, composer', () => {
    for (const change of [
      { stateRoot: '66'.repeat(32) },
      { transactionsRoot: '66'.repeat(32) },
      { chainTimeMs: 1 },
      { composer: 2 },
      { composingRound: 1 },
      { certificateHash: '66'.repeat(32) },
      { parentHash: '66'.repeat(32) },
    ]) {
      const changed = blockHash({ ...withPayload(payload), ...change });
      expect(verifySeedSignature(network, 4, changed, combined)).toBe(false);
    }
  });

  /** A vote that its voter signs for the changed block, with the share that it gave for the original. */
  function movedTo(changed: string, voter: number, beaconShare: string): Vote {
    const certificateOfChanged = testCertificate(network, { height: 12, round: 0, blockHash: changed }, null, [voter]);
    const vote = { ...(certificateOfChanged.votes[0] as Vote), extension: { beaconShare, held: '', overdue: [] } };
    const signer = network.signers[voter];
    return { ...vote, signature: signer?.sign(voteDigest(network.chainId, vote)) as string };
  }
});

describe('the list of a state', () => {
  const rules = { ...network, application: null as never } satisfies ChainRules;
  const candidates = [0, 1, 2, 3, 4].map((rank) => ({
    members: [rank],
    miner: rank,
    successors: [],
    weight: BigInt(rank * 100),
  }));
  const state = (change: Partial<ChainState>, chosen: Partial<ChainState['election']> = {}) =>
    ({
      height: 12,
      blockHash: hash,
      term: 4,
      election: { candidates, first: null, seed: null, demoted: [3], ...chosen },
      ...change,
    }) as ChainState;
  const listBy = (by: string, first: number | null = null) =>
    electionList({ members: 5, seed: by, candidates, first, demoted: [3] });

  test('takes the seed from the certificate that decided the last settlement', () => {
    expect(electionListOf(rules, state({}), certificate)).toEqual(listBy(seed));
    expect(seedOf(rules, state({}), certificate)).toBe(seed);
  });

  test('takes the seed that the first block of the term has stored, whatever certificate is at hand', () => {
    const stored = '77'.repeat(32);
    expect(electionListOf(rules, state({}, { seed: stored }), null)).toEqual(listBy(stored));
    expect(electionListOf(rules, state({}, { seed: stored }), certificate)).toEqual(listBy(stored));
    expect(electionListOf(rules, state({}, { seed, first: 2 }), null)).toEqual(listBy(seed, 2));
  });

  test('is drawn by the chain id in the first term', () => {
    const list = electionListOf(rules, state({ term: 0 }, { candidates: [], demoted: [] }), null);
    expect(list).toEqual(electionList({ members: 5, seed: network.chainId, candidates: [], first: null, demoted: [] }));
  });

  test('does not exist without the certificate, or with that of another block', () => {
    const other: Certificate = { ...certificate, blockHash: '00'.repeat(32) };
    expect(errorCode(() => electionListOf(rules, state({}), null))).toBe('ELECTION_MISSING_CERTIFICATE');
    expect(errorCode(() => electionListOf(rules, state({}), other))).toBe('ELECTION_MISSING_CERTIFICATE');
  });
});
