import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { CHECKS, type CheckName } from '../../src/application/rejection.ts';
import { blockHash, decodeBlock, encodeBlock } from '../../src/chain/block.ts';
import type { Block, BlockHeader } from '../../src/chain/types.ts';
import { executeBlock, stateRoot } from '../../src/execution/index.ts';
import { isBlockOf, verifyBlock } from '../../src/verification/index.ts';
import { PoegChain, WORKED4 } from '../fixtures/poeg-chain.ts';
import { expectCodesMet, expectRejection, firstBlock, reseal, secondTerm, seen, transfer, ZERO } from './rejections.ts';

describe('an honest block', () => {
  test('is accepted at every place of a slot, after a trip over the wire, with the state that executing it gives', () => {
    const chain = secondTerm();
    chain.settle(WORKED4.map((home, rank) => chain.announcement(2, rank, home)));
    chain.settle([]);
    expect(chain.blocks.map(({ block }) => block.header.kind)).toEqual([
      'closing',
      'settlement',
      'transactions',
      'closing',
      'settlement',
      'closing',
      'settlement',
    ]);
    const again = new PoegChain(WORKED4);
    for (const { block, blockHash: hash, state } of chain.blocks) {
      const received = decodeBlock(encodeBlock(block));
      const verdict = verifyBlock(again.rules, again.state, received, hash, encodeBlock(block).length);
      expect(verdict).toMatchObject({ ok: true });
      expect(executeBlock(again.rules, again.state, received, hash)).toEqual(state);
      expect(verdict.ok && verdict.state).toEqual(state);
      expect(stateRoot(again.rules, state)).toBe(block.header.stateRoot);
      again.state = state;
    }
    expect(again.state).toMatchObject({ height: 7, term: 3, slot: 3, phase: 'open' });
  });

  test('gets the same verdict however often it is asked for', () => {
    const { chain, composed } = firstBlock();
    const before = structuredClone({ ...chain.state, app: null });
    const ask = () => verifyBlock(chain.rules, chain.state, composed.block, composed.blockHash, 10_000);
    expect(ask()).toEqual(ask());
    expect({ ...chain.state, app: null }).toEqual(before);
  });

  test('belongs to its hash, another body does not', () => {
    const { composed } = firstBlock();
    expect(isBlockOf(composed.block, composed.blockHash)).toBe(true);
    expect(isBlockOf({ ...composed.block, payload: Uint8Array.of(1) }, composed.blockHash)).toBe(false);
    expect(isBlockOf({ ...composed.block, header: { ...composed.block.header, height: -1 } }, composed.blockHash)).toBe(
      false,
    );
  });
});

describe('a block with several faults', () => {
  test('is rejected by the first check that fails, in the order of the protocol', () => {
    const chain = secondTerm();
    const payer = chain.network.accounts[0]!;
    const batches = [chain.batch(payer, 9, [transfer(payer.publicKey)])];
    const { block } = chain.compose('closing');
    const faults: readonly [CheckName, string, Partial<BlockHeader>, Partial<Block>][] = [
      ['parent', 'BLOCK_WRONG_HEIGHT', { height: 9 }, {}],
      ['composer', 'BLOCK_WRONG_TERM', { term: 9 }, {}],
      ['beacon', 'BLOCK_WRONG_BEACON', { seedSignature: 'ab'.repeat(96) }, {}],
      ['chain-time', 'BLOCK_WRONG_CHAIN_TIME', { chainTimeMs: 9 }, {}],
      ['kind', 'BLOCK_KIND_OUT_OF_PLACE', { kind: 'settlement' }, {}],
      ['transactions', 'TRANSACTION_BAD_NONCE', {}, { batches }],
      ['state-root', 'BLOCK_WRONG_STATE_ROOT', { stateRoot: ZERO }, {}],
    ];
    for (let first = 0; first < faults.length; first += 1) {
      const [check, code] = faults[first]!;
      const header = Object.assign({}, ...faults.slice(first).map(([, , change]) => change));
      const body = Object.assign({}, block, ...faults.slice(first).map(([, , , change]) => change));
      expectRejection(chain, reseal(body, header), check, code);
    }
    const order = faults.map(([check]) => CHECKS.indexOf(check));
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });
});

describe('settlement and state', () => {
  test('what the ledger refuses fails the settlement', () => {
    const chain = new PoegChain(WORKED4);
    chain.grow('closing');
    const { block } = chain.compose('settlement');
    const { application } = chain.rules;
    const greedy = {
      ...application,
      execute: (...[context, payload, ledger]: Parameters<typeof application.execute>) => {
        ledger.move('upos', 0, 1, 10n ** 15n);
        return application.execute(context, payload, ledger);
      },
    };
    const verdict = verifyBlock(
      { ...chain.rules, application: greedy },
      chain.state,
      block,
      blockHash(block.header),
      1,
    );
    expect(verdict).toMatchObject({ ok: false, rejection: { check: 'settlement', code: 'SETTLEMENT_FAILED' } });
    seen.add('SETTLEMENT_FAILED');
  });

  test('a state that executing the block does not give', () => {
    const { chain, composed } = firstBlock();
    expectRejection(chain, reseal(composed.block, { stateRoot: ZERO }), 'state-root', 'BLOCK_WRONG_STATE_ROOT');
  });

  test('a check that breaks down rejects the block and names itself', () => {
    const chain = new PoegChain(WORKED4);
    chain.grow('closing');
    const { block } = chain.compose('settlement');
    const broken = {
      ...chain.rules.application,
      execute: () => {
        throw new TypeError('out of order');
      },
    };
    const verdict = verifyBlock(
      { ...chain.rules, application: broken },
      chain.state,
      block,
      blockHash(block.header),
      1,
    );
    expect(verdict).toMatchObject({ ok: false, rejection: { check: 'settlement', code: 'BLOCK_CHECK_FAILED' } });
    expect(!verdict.ok && verdict.rejection.message).toContain('out of order');
    seen.add('BLOCK_CHECK_FAILED');
  });

  test('never throws and never accepts, whatever stands in a block’s fields', () => {
    const chain = secondTerm();
    const { block } = chain.compose('closing');
    const junk = fc.oneof(
      fc.anything(),
      fc.constantFrom<unknown>(null, undefined, -1, 0.5, Number.NaN, 2 ** 53, '', ZERO, [], {}, 1n, new Uint8Array(3)),
    );
    const paths: readonly (readonly string[])[] = [
      ...Object.keys(block).map((name) => [name]),
      ...Object.keys(block.header).map((name) => ['header', name]),
      ...Object.keys(block.parentCertificate!).map((name) => ['parentCertificate', name]),
      ...Object.keys(block.parentCertificate!.votes[0]!).map((name) => ['parentCertificate', 'votes', '0', name]),
    ];
    const replaced = (value: unknown, [name, ...rest]: readonly string[], by: unknown): unknown => {
      if (name === undefined) return by;
      if (Array.isArray(value)) return value.map((item, k) => (String(k) === name ? replaced(item, rest, by) : item));
      return { ...(value as object), [name]: replaced((value as Record<string, unknown>)[name], rest, by) };
    };
    const get = (value: unknown, path: readonly string[]): unknown =>
      path.reduce((inner, name) => (inner as Record<string, unknown>)[name], value);
    const sealed = (tampered: Block): [Block, string] => {
      try {
        const again = reseal(tampered);
        return [again, blockHash(again.header)];
      } catch {
        return [tampered, ZERO];
      }
    };
    fc.assert(
      fc.property(fc.constantFrom(...paths), junk, fc.boolean(), (path, value, resealing) => {
        fc.pre(!Object.is(get(block, path), value));
        const tampered = replaced(block, path, value) as Block;
        const [candidate, hash] = resealing ? sealed(tampered) : [tampered, blockHash(block.header)];
        fc.pre(hash !== blockHash(block.header) || !isSame(candidate, block));
        const verdict = verifyBlock(chain.rules, chain.state, candidate, hash, 1_000);
        expect(verdict.ok).toBe(false);
      }),
      { numRuns: 1_500, seed: 11 },
    );
  });
});

function isSame(candidate: Block, block: Block): boolean {
  try {
    return Buffer.compare(encodeBlock(candidate), encodeBlock(block)) === 0;
  } catch {
    return false;
  }
}

afterAll(() => expectCodesMet('verify-block'));
