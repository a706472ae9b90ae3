import { expect } from 'vitest';
import {
  type BlockRejection,
  CHAIN_REJECTION_CODES,
  type ChainRejectionCode,
  type CheckName,
} from '../../src/application/rejection.ts';
import { blockHash, encodeBlock, payloadHash } from '../../src/chain/block.ts';
import { certificateHash } from '../../src/chain/certificate.ts';
import { evidenceRoot } from '../../src/chain/evidence.ts';
import { transactionsRoot } from '../../src/chain/transactions.ts';
import type { Block, BlockHeader, Operation } from '../../src/chain/types.ts';
import type { ComposedBlock } from '../../src/composition/index.ts';
import { verifyBlock } from '../../src/verification/index.ts';
import { PoegChain, WORKED4 } from '../fixtures/poeg-chain.ts';

/** The codes that each file of tests must have met at its end. */
const CODES_OF = {
  'verify-block': ['SETTLEMENT_FAILED', 'BLOCK_WRONG_STATE_ROOT', 'BLOCK_CHECK_FAILED'],
  header: [
    'BLOCK_WRONG_CHAIN',
    'BLOCK_WRONG_HEIGHT',
    'BLOCK_WRONG_PARENT',
    'BLOCK_BAD_CERTIFICATE',
    'BLOCK_WRONG_TERM',
    'BLOCK_WRONG_SLOT',
    'BLOCK_WRONG_COMPOSER',
    'BLOCK_WRONG_BEACON',
    'BLOCK_WRONG_CHAIN_TIME',
    'BLOCK_KIND_OUT_OF_PLACE',
    'BLOCK_SLOT_NOT_OVER',
    'BLOCK_WITHOUT_TRANSACTIONS',
    'BLOCK_UNEXPECTED_TRANSACTIONS',
    'BLOCK_UNEXPECTED_PAYLOAD',
  ],
  body: [
    'BLOCK_TOO_LARGE',
    'BLOCK_TOO_MUCH_EVIDENCE',
    'BLOCK_NESTED_EVIDENCE',
    'BLOCK_MALFORMED',
    'BLOCK_NOT_OF_ITS_HASH',
    'BLOCK_TOO_MANY_TRANSACTIONS',
    'TRANSACTION_WRONG_CHAIN',
    'TRANSACTION_UNKNOWN_ACCOUNT',
    'TRANSACTION_BAD_SIGNATURE',
    'TRANSACTION_BAD_NONCE',
    'TRANSACTION_NOT_EXECUTABLE',
  ],
  inclusion: ['INCLUSION_LEFT_OUT_CONTRIBUTION', 'INCLUSION_LEFT_OUT_TRANSACTION'],
} as const satisfies Record<string, readonly ChainRejectionCode[]>;

export const ZERO = '0'.repeat(64);
export const transfer = (to: string, amount = 5n): Operation => ({ type: 'transfer', asset: 'upos', to, amount });

/** The block as a composer would send it after tampering: the header commits to the changed body. */
export function reseal({ header, ...body }: Block, change: Partial<BlockHeader> = {}): Block {
  return {
    header: {
      ...header,
      certificateHash: certificateHash(body.parentCertificate),
      transactionsRoot: transactionsRoot(body.batches),
      payloadHash: payloadHash(body.payload),
      evidenceRoot: evidenceRoot(body.evidence),
      ...change,
    },
    ...body,
  };
}

/** The codes met so far by one file of tests: vitest loads this module anew for each. */
export const seen = new Set<string>();

export function expectRejection(chain: PoegChain, block: Block, check: CheckName, code: string): BlockRejection {
  const verdict = verifyBlock(chain.rules, chain.state, block, blockHash(block.header), encodeBlock(block).length);
  if (verdict.ok) throw new Error(`accepted, should be rejected by ${code}`);
  expect(verdict.rejection).toMatchObject({ check, code });
  expect(verdict.rejection.message).not.toBe('');
  seen.add(code);
  return verdict.rejection;
}

/** For the end of a file: it has met every code of its own, and none is left that no file has to meet. */
export function expectCodesMet(file: keyof typeof CODES_OF): void {
  const all = new Set<string>(Object.values(CODES_OF).flat());
  // TRANSACTION_MALFORMED is for batches outside of blocks: inside, they cannot be encoded and the block is malformed.
  expect(CHAIN_REJECTION_CODES.filter((code) => !all.has(code))).toEqual(['TRANSACTION_MALFORMED']);
  expect(seen).not.toContain('TRANSACTION_MALFORMED');
  expect(CODES_OF[file].filter((code) => !seen.has(code))).toEqual([]);
}

/** At height 1 of a fresh chain, with the first block's transfer. */
export function firstBlock(): { chain: PoegChain; composed: ComposedBlock } {
  const chain = new PoegChain(WORKED4);
  const payer = chain.network.accounts[0]!;
  const batches = [chain.batch(payer, 0, [transfer(chain.network.signers[1]!.publicKey)])];
  return { chain, composed: chain.compose('transactions', { batches }) };
}

/** In the middle of slot 1, height 4: a term that has been seeded by the beacon. */
export function secondTerm(options: ConstructorParameters<typeof PoegChain>[1] = {}): PoegChain {
  const chain = new PoegChain(WORKED4, options);
  chain.settle(WORKED4.map((home, rank) => chain.announcement(1, rank, home)));
  const payer = chain.network.accounts[0]!;
  chain.grow('transactions', { batches: [chain.batch(payer, 0, [transfer(chain.network.signers[0]!.publicKey)])] });
  return chain;
}
