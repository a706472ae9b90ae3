/**
 * One process of the ceiling: what every validator has to do with every transaction, and nothing else: decode the block,
 * verify each signature once, hash each transaction, build the Merkle root, and store block and index in one synced
 * batch. No network, no votes, no execution.
 */
import { join } from 'node:path';
import {
  type Block,
  createDigestSigner,
  createSignatureScheme,
  decodeBlock,
  encodeBlock,
  fromHex,
  merkleRoot,
  type Operation,
  sha256,
  signBatch,
  toHex,
  transactionLeaves,
  verifyBatchSignature,
  ZERO_HASH,
} from '@wattmesh/consensus';
import { putIndex } from '../store/chain-check.ts';
import { heightKey } from '../store/chain-layout.ts';
import { openLevel, sealed } from '../store/level-folder.ts';
import { serveOrders } from './worker.ts';

export interface CeilingPlan {
  readonly folder: string;
  /** Operations under one signature. */
  readonly operations: number;
  readonly transactionsPerBlock: number;
  readonly seconds: number;
}

export interface CeilingResult {
  readonly transactions: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** Distinct blocks, so that no cache of the processor holds all there is. */
const BLOCKS = 4;
const signatures = createSignatureScheme();
let blocks: Uint8Array[] = [];

serveOrders(
  {
    prepare: ({ operations, transactionsPerBlock }: CeilingPlan) => {
      blocks = Array.from({ length: BLOCKS }, (_, k) => encodeBlock(blockOf(k, operations, transactionsPerBlock)));
    },
    run,
  },
  async () => undefined,
);

async function run({ folder, seconds }: CeilingPlan): Promise<CeilingResult> {
  const { db } = await openLevel(join(folder, 'ceiling'));
  const startMs = performance.now();
  const cpu = process.cpuUsage();
  let transactions = 0;
  let height = 0;
  while (performance.now() - startMs < seconds * 1_000) {
    const bytes = blocks[height % BLOCKS] as Uint8Array;
    const { batches } = decodeBlock(bytes);
    for (const batch of batches) verifyBatchSignature({ chainId: ZERO_HASH, signatures }, batch);
    const leaves = transactionLeaves(batches);
    const root = merkleRoot(leaves);
    height += 1;
    const write = db.batch();
    write.put(heightKey('block', height), sealed(bytes));
    putIndex(write, height, root, leaves.map(toHex));
    await write.write({ sync: true });
    transactions += leaves.length;
  }
  const took = (performance.now() - startMs) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  await db.close();
  return { transactions, seconds: took, cpuSeconds: (user + system) / 1e6 };
}

function blockOf(k: number, operations: number, transactions: number): Block {
  const batches = Array.from({ length: Math.max(1, Math.round(transactions / operations)) }, (_, place) => {
    const signer = createDigestSigner(signatures, fromHex(sha256(Buffer.from(`ceiling ${k} ${place % 64}`))));
    const content = Array.from({ length: operations }, (_, j): Operation => {
      return { type: 'transfer', asset: 'upos', to: signer.publicKey, amount: BigInt(j + 1) };
    });
    return signBatch({ chainId: ZERO_HASH, firstNonce: place * operations, operations: content }, signer);
  });
  const header: Block['header'] = {
    chainId: ZERO_HASH,
    height: 1,
    parentHash: ZERO_HASH,
    term: 0,
    slot: 0,
    kind: 'transactions',
    composer: 0,
    composingRound: 0,
    chainTimeMs: 0,
    certificateHash: ZERO_HASH,
    seedSignature: null,
    transactionsRoot: ZERO_HASH,
    payloadHash: ZERO_HASH,
    evidenceRoot: ZERO_HASH,
    stateRoot: ZERO_HASH,
  };
  return { header, parentCertificate: null, batches, payload: new Uint8Array(), evidence: [] };
}
