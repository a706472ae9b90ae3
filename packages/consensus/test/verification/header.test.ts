import { afterAll, describe, expect, test } from 'vitest';
import { blockHash } from '../../src/chain/block.ts';
import { electionListOf } from '../../src/election/index.ts';
import { verifyBlock } from '../../src/verification/index.ts';
import { PoegChain, WORKED4 } from '../fixtures/poeg-chain.ts';
import { expectCodesMet, expectRejection, firstBlock, reseal, secondTerm, transfer, ZERO } from './rejections.ts';

describe('chain, height, parent, certificate', () => {
  test('of another chain, height or parent', () => {
    const { chain, composed } = firstBlock();
    const { block } = composed;
    expectRejection(chain, reseal(block, { chainId: ZERO }), 'parent', 'BLOCK_WRONG_CHAIN');
    expectRejection(chain, reseal(block, { height: 2 }), 'parent', 'BLOCK_WRONG_HEIGHT');
    expectRejection(chain, reseal(block, { parentHash: ZERO }), 'parent', 'BLOCK_WRONG_PARENT');
  });

  test('a certificate where there can be none', () => {
    const { chain, composed } = firstBlock();
    const parentCertificate = chain.decide(0, chain.rules.chainId, null);
    expectRejection(chain, reseal({ ...composed.block, parentCertificate }), 'parent', 'BLOCK_BAD_CERTIFICATE');
  });

  test('no certificate, one of another block, too few votes, a forged vote, needless shares', () => {
    const chain = secondTerm();
    const { block } = chain.compose('closing');
    const honest = block.parentCertificate!;
    const certificates = [
      null,
      chain.decide(chain.state.height, ZERO, null),
      chain.decide(chain.state.height - 1, chain.state.blockHash, null),
      { ...honest, votes: honest.votes.slice(1) },
      { ...honest, votes: honest.votes.map((vote, k) => (k === 0 ? { ...vote, timestampMs: 9 } : vote)) },
      chain.decide(chain.state.height, chain.state.blockHash, chain.state.term),
    ];
    for (const parentCertificate of certificates)
      expectRejection(chain, reseal({ ...block, parentCertificate }), 'parent', 'BLOCK_BAD_CERTIFICATE');
  });

  test('the certificate of a last settlement without shares, or with those of another term', () => {
    const chain = new PoegChain(WORKED4);
    chain.settle([]);
    const { block } = chain.compose('closing');
    const { height, blockHash: hash } = chain.state;
    for (const term of [null, 2]) {
      const parentCertificate = chain.decide(height, hash, term);
      const rejection = expectRejection(
        chain,
        reseal({ ...block, parentCertificate }),
        'parent',
        'BLOCK_BAD_CERTIFICATE',
      );
      expect(rejection.message).toContain(term === null ? 'VOTE_MISSING_SHARE' : 'VOTE_BAD_SHARE');
    }
  });
});

describe('term, composer, beacon, time', () => {
  test('another term or slot', () => {
    const chain = secondTerm();
    const { block } = chain.compose('closing');
    expectRejection(chain, reseal(block, { term: 0 }), 'composer', 'BLOCK_WRONG_TERM');
    expectRejection(chain, reseal(block, { slot: 2 }), 'composer', 'BLOCK_WRONG_SLOT');
  });

  test('only the composing round’s proposer composes', () => {
    const chain = secondTerm();
    const list = electionListOf(chain.rules, chain.state, chain.certificate);
    for (let composingRound = 0; composingRound < 6; composingRound += 1) {
      for (const { rank } of list) {
        const { block } = chain.compose('closing', { composingRound, composer: rank });
        const entitled = list[composingRound % 4]!.rank;
        if (rank === entitled)
          expect(verifyBlock(chain.rules, chain.state, block, blockHash(block.header), 1).ok).toBe(true);
        else expectRejection(chain, block, 'composer', 'BLOCK_WRONG_COMPOSER');
      }
    }
  });

  test('a seed that is missing, invented or repeated', () => {
    const chain = new PoegChain(WORKED4);
    chain.settle(WORKED4.map((home, rank) => chain.announcement(1, rank, home)));
    const { block } = chain.compose('closing');
    const { seedSignature } = block.header;
    expect(seedSignature).toMatch(/^[0-9a-f]{192}$/);
    expectRejection(chain, reseal(block, { seedSignature: null }), 'beacon', 'BLOCK_WRONG_BEACON');
    const share = block.parentCertificate!.votes[0]!.extension!.beaconShare;
    expectRejection(chain, reseal(block, { seedSignature: share }), 'beacon', 'BLOCK_WRONG_BEACON');
    chain.commit({ block, blockHash: blockHash(block.header), state: chain.state });
    const next = chain.compose('settlement').block;
    expectRejection(chain, reseal(next, { seedSignature }), 'beacon', 'BLOCK_WRONG_BEACON');
  });

  test('a chain time of the composer’s own', () => {
    const chain = secondTerm();
    const { block } = chain.compose('closing');
    for (const off of [-1, 1])
      expectRejection(
        chain,
        reseal(block, { chainTimeMs: block.header.chainTimeMs + off }),
        'chain-time',
        'BLOCK_WRONG_CHAIN_TIME',
      );
    const first = firstBlock();
    const late = reseal(first.composed.block, { chainTimeMs: first.chain.state.chainTimeMs + 1 });
    expectRejection(first.chain, late, 'chain-time', 'BLOCK_WRONG_CHAIN_TIME');
  });
});

describe('kind', () => {
  test('a settlement waits for the closing block, and nothing comes between when it is due', () => {
    const chain = secondTerm();
    const payer = chain.network.accounts[0]!;
    const batches = [chain.batch(payer, 1, [transfer(payer.publicKey)])];
    expectRejection(chain, chain.compose('settlement').block, 'kind', 'BLOCK_KIND_OUT_OF_PLACE');
    chain.grow('closing', { batches });
    expectRejection(chain, chain.compose('closing').block, 'kind', 'BLOCK_KIND_OUT_OF_PLACE');
    const more = [chain.batch(payer, 2, [transfer(payer.publicKey)])];
    expectRejection(chain, chain.compose('transactions', { batches: more }).block, 'kind', 'BLOCK_KIND_OUT_OF_PLACE');
    const crowded = chain.compose('settlement', { batches: more }).block;
    expectRejection(chain, crowded, 'kind', 'BLOCK_UNEXPECTED_TRANSACTIONS');
  });

  test('by the wall clock a slot is settled once chain time has reached its end', () => {
    const chain = new PoegChain(WORKED4, { clock: 'wall' });
    const { genesisTimeMs, slot } = chain.rules.genesis;
    const endMs = genesisTimeMs + slot.lengthMs;
    chain.commit(chain.compose('closing'), endMs - 1);
    expectRejection(chain, chain.compose('settlement').block, 'kind', 'BLOCK_SLOT_NOT_OVER');
    const payer = chain.network.accounts[0]!;
    const batches = [chain.batch(payer, 0, [transfer(payer.publicKey)])];
    expectRejection(chain, chain.compose('transactions', { batches }).block, 'kind', 'BLOCK_KIND_OUT_OF_PLACE');
    chain.commit(chain.compose('closing', { batches }), endMs);
    expectRejection(chain, chain.compose('closing').block, 'kind', 'BLOCK_KIND_OUT_OF_PLACE');
    chain.commit(chain.compose('settlement'));
    expect(chain.state).toMatchObject({ slot: 1, term: 1, phase: 'open', chainTimeMs: endMs });
  });

  test('an empty block of transactions, a payload without settlement', () => {
    const { chain, composed } = firstBlock();
    expectRejection(chain, reseal({ ...composed.block, batches: [] }), 'kind', 'BLOCK_WITHOUT_TRANSACTIONS');
    const payload = Uint8Array.of(1);
    expectRejection(chain, reseal({ ...composed.block, payload }), 'kind', 'BLOCK_UNEXPECTED_PAYLOAD');
  });
});

afterAll(() => expectCodesMet('header'));
