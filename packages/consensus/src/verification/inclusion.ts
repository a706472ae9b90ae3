import { evidenceBytes } from '../chain/evidence.ts';
import { MAX_BATCH_BYTES, MAX_BATCH_OPERATIONS } from '../chain/limits.ts';
import { batchHash } from '../chain/transactions.ts';
import type { OverdueBatch } from '../chain/types.ts';
import { requiredBatches, requiredContributions } from '../inclusion/index.ts';
import { ensure, type Subject } from './subject.ts';

/** Room that a composer may leave unused because it does not know the exact length of its block beforehand. */
const SLACK_BYTES = 1_024;

/**
 * What at least `f + 1` voters of the embedded certificate report must be in the block: contributions in a settlement,
 * overdue batches before all others and in the order of their hashes everywhere else. Later ones may wait when the block
 * holds nothing else and has no room for another batch of any size.
 */
export function checkInclusion(subject: Subject, barred: ReadonlySet<string>): void {
  const { rules, parent, block } = subject;
  const { header, parentCertificate, payload } = block;
  if (header.kind === 'settlement') {
    const required = requiredContributions(rules, parent, parentCertificate, barred);
    if (required.length === 0) return;
    const included = rules.application.included(payload);
    for (const key of required) {
      ensure(included.has(key), 'inclusion', 'INCLUSION_LEFT_OUT_CONTRIBUTION', () => `the block leaves out ${key}`);
    }
    return;
  }
  const hashes = block.batches.map(batchHash);
  let place = 0;
  const met: OverdueBatch[] = [];
  for (const batch of requiredBatches(rules, parent, parentCertificate)) {
    if (hashes[place] === batch.hash) {
      met.push(batch);
      place += 1;
      continue;
    }
    const isRival = met.some(({ account, firstNonce }) => account === batch.account && firstNonce === batch.firstNonce);
    if (isRival) continue;
    const isExcused = place === hashes.length && isFull(subject);
    ensure(isExcused, 'inclusion', 'INCLUSION_LEFT_OUT_TRANSACTION', () => {
      return `batch ${batch.hash} of account ${batch.account} must stand at place ${place}`;
    });
    return;
  }
}

function isFull({ rules, block, blockBytes }: Subject): boolean {
  const { maxTransactionsPerBlock, maxBlockBytes } = rules.genesis.limits;
  const count = block.batches.reduce((sum, { operations }) => sum + operations.length, 0);
  if (count + MAX_BATCH_OPERATIONS > maxTransactionsPerBlock) return true;
  return blockBytes - evidenceBytes(block.evidence) + MAX_BATCH_BYTES + SLACK_BYTES > maxBlockBytes;
}
