import { describe, expect, test } from 'vitest';
import { blockHash } from '../../src/chain/block.ts';
import { merkleRoot } from '../../src/chain/merkle.ts';
import { chainTimeOf, isLastSlotOfTerm, settlementIsDue, slotEndMs } from '../../src/chain/slots.ts';
import type { ChainState } from '../../src/chain/state.ts';
import { CodecError } from '../../src/codec/index.ts';
import { seedOfSignature } from '../../src/election/index.ts';
import {
  accountProof,
  decodeState,
  encodeState,
  executeBlock,
  genesisState,
  stateLeaves,
  stateRoot,
  verifyAccountProof,
} from '../../src/execution/index.ts';
import { PoegChain, WORKED4 } from '../fixtures/poeg-chain.ts';

/** A chain with trades, transactions, unbonding and a seeded term behind it. */
function busyChain(): PoegChain {
  const chain = new PoegChain(WORKED4, { payers: 1, limits: { minStakeMicro: 1n } });
  chain.settle(WORKED4.map((home, rank) => chain.announcement(1, rank, home)));
  const member = chain.network.signers[2]!;
  chain.grow('transactions', { batches: [chain.batch(member, 0, [{ type: 'unstake', amount: 1_000n }])] });
  chain.settle(WORKED4.map((home, rank) => chain.announcement(2, rank, home)));
  return chain;
}

const chain = busyChain();
const { rules, state } = chain;

describe('a state', () => {
  test('comes back from its bytes, at every height', () => {
    expect(decodeState(rules, encodeState(rules, genesisState(rules)))).toEqual(genesisState(rules));
    for (const { state: after } of chain.blocks) {
      const decoded = decodeState(rules, encodeState(rules, after));
      expect(decoded).toEqual(after);
      expect(stateRoot(rules, decoded)).toBe(stateRoot(rules, after));
    }
  });

  test('is not made of damaged bytes', () => {
    const bytes = encodeState(rules, state);
    expect(() => decodeState(rules, bytes.slice(0, -1))).toThrow(CodecError);
    const renamed = bytes.slice();
    renamed[renamed.indexOf('head'.charCodeAt(0), 32)]! ^= 1;
    expect(() => decodeState(rules, renamed)).toThrow(CodecError);
    const otherChain = new PoegChain(WORKED4, { payers: 2 });
    expect(() => decodeState(otherChain.rules, bytes)).toThrow(CodecError);
  });

  test('has a root that covers everything but the hash of its own block', () => {
    const root = stateRoot(rules, state);
    expect(stateRoot(rules, { ...state, blockHash: '0'.repeat(64) })).toBe(root);
    const [first, ...others] = state.ledger.accounts;
    const app = state.app as { totals: object };
    const changes: Partial<ChainState>[] = [
      { height: state.height + 1 },
      { chainTimeMs: state.chainTimeMs + 1 },
      { term: 9 },
      { slot: 9 },
      { phase: 'closed' },
      { election: { ...state.election, first: 0 } },
      { election: { ...state.election, demoted: [1] } },
      { election: { ...state.election, seed: '0'.repeat(64) } },
      { election: { ...state.election, candidates: [] } },
      { ledger: { ...state.ledger, accounts: [{ ...first!, nonce: 5 }, ...others] } },
      {
        ledger: {
          ...state.ledger,
          supply: { ...state.ledger.supply, burnedMicro: { epos: 1n, upos: 0n, credit: 0n } },
        },
      },
      { app: { ...app, totals: { ...app.totals, settledSlots: 99 } } },
      { app: { ...app, open: null } },
    ];
    const roots = changes.map((change) => stateRoot(rules, { ...state, ...change }));
    expect(new Set([root, ...roots]).size).toBe(changes.length + 1);
  });

  test('names its leaves in a fixed order', () => {
    expect(stateLeaves(rules, state).map(({ name }) => name)).toEqual([
      'head',
      'election',
      'supply',
      'discipline',
      'account/0',
      'account/1',
      'account/2',
      'account/3',
      'account/4',
      'account/5',
      'app/market-open',
      'app/market-previous',
      'app/totals',
    ]);
  });
});

describe('an account', () => {
  test('is proven under the root of its state, and nothing else is', () => {
    const root = stateRoot(rules, state);
    state.ledger.accounts.forEach((account, index) => {
      const proof = accountProof(rules, state, index);
      expect(proof.account).toEqual(account);
      expect(verifyAccountProof(root, proof)).toBe(true);
      expect(verifyAccountProof(merkleRoot([]), proof)).toBe(false);
      expect(verifyAccountProof(root, { ...proof, account: { ...account, uposMicro: account.uposMicro + 1n } })).toBe(
        false,
      );
      expect(verifyAccountProof(root, { ...proof, index: (index + 1) % 6 })).toBe(false);
      expect(verifyAccountProof(root, { ...proof, leafCount: proof.leafCount - 1 })).toBe(false);
      expect(verifyAccountProof(root, { ...proof, siblings: proof.siblings.slice(1) })).toBe(false);
    });
    expect(() => accountProof(rules, state, 6)).toThrow(RangeError);
  });
});

describe('executing', () => {
  test('stores the seed that the first block of a term carries, and forgets it with the term’s settlement', () => {
    const seeds = chain.blocks.map(({ block, state: after }) => [block.header.seedSignature, after.election.seed]);
    const [closing, settlement, opening, again, last] = seeds;
    expect(closing).toEqual([null, rules.chainId]);
    expect(settlement).toEqual([null, null]);
    expect(opening![0]).not.toBeNull();
    expect(opening![1]).toBe(seedOfSignature(opening![0]!));
    expect(again).toEqual([null, opening![1]]);
    expect(last).toEqual([null, null]);
  });

  test('pays unstaked tokens out at their height and not before', () => {
    const short = new PoegChain(WORKED4, { limits: { minStakeMicro: 1n, unbondingBlocks: 2 } });
    const member = short.network.signers[2]!;
    const payer = short.network.accounts[0]!;
    const balances: bigint[] = [];
    short.grow('transactions', { batches: [short.batch(member, 0, [{ type: 'unstake', amount: 70n }])] });
    for (let nonce = 0; nonce < 2; nonce += 1) {
      balances.push(short.state.ledger.accounts[2]!.eposMicro);
      const pay = { type: 'transfer', asset: 'upos', to: member.publicKey, amount: 1n } as const;
      short.grow('transactions', { batches: [short.batch(payer, nonce, [pay])] });
    }
    balances.push(short.state.ledger.accounts[2]!.eposMicro);
    expect(balances).toEqual([0n, 0n, 70n]);
    expect(short.state.ledger.accounts[2]).toMatchObject({ stakeMicro: 100_000_000n - 70n, unbonding: [] });
  });

  test('gives the next state without changing the parent', () => {
    const fresh = busyChain();
    const parent = fresh.state;
    const before = encodeState(rules, parent);
    const { block, state: after } = fresh.compose('closing');
    expect(executeBlock(fresh.rules, parent, block, blockHash(block.header))).toEqual(after);
    expect(encodeState(rules, parent)).toEqual(before);
    expect(after).toMatchObject({ height: parent.height + 1, phase: 'closed', slot: 2, term: 2 });
  });
});

describe('time', () => {
  const { genesis } = rules;
  const voted = (...timestampsMs: number[]) => {
    const certificate = chain.certificate!;
    return { ...certificate, votes: timestampsMs.map((timestampMs) => ({ ...certificate.votes[0]!, timestampMs })) };
  };

  test('of the chain is the lower median of the certificate and never falls', () => {
    const parent = { ...state, chainTimeMs: 100 };
    expect(chainTimeOf(parent, voted(500, 200, 300))).toBe(300);
    expect(chainTimeOf(parent, voted(500, 200, 300, 400))).toBe(300);
    expect(chainTimeOf(parent, voted(10, 20, 9_000))).toBe(100);
    expect(chainTimeOf(parent, voted(1_000, 200, 30))).toBe(200);
    expect(chainTimeOf(genesisState(rules), null)).toBe(genesis.genesisTimeMs);
  });

  test('of a slot ends by the wall clock, or with its closing block', () => {
    expect(slotEndMs(rules, 0)).toBe(genesis.genesisTimeMs + 10_000);
    expect(slotEndMs(rules, 4)).toBe(genesis.genesisTimeMs + 50_000);
    const wall = { ...rules, genesis: { ...genesis, slot: { ...genesis.slot, clock: 'wall' as const } } };
    const closed: ChainState = { ...state, phase: 'closed' };
    const endMs = slotEndMs(rules, state.slot);
    expect(settlementIsDue(wall, closed, endMs - 1)).toBe(false);
    expect(settlementIsDue(wall, closed, endMs)).toBe(true);
    expect(settlementIsDue(wall, state, endMs)).toBe(false);
    expect(settlementIsDue(rules, closed, 0)).toBe(true);
    expect(settlementIsDue(rules, state, endMs)).toBe(false);
  });

  test('of a term has its slots', () => {
    const day = { ...genesis, slot: { ...genesis.slot, slotsPerTerm: 24 } };
    const lastSlots = Array.from({ length: 60 }, (_, slot) => slot).filter((slot) => isLastSlotOfTerm(day, slot));
    expect(lastSlots).toEqual([23, 47]);
    expect(isLastSlotOfTerm(genesis, 0)).toBe(true);
  });
});
