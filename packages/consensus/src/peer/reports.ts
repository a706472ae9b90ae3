import { MAX_OVERDUE_BATCHES } from '../chain/limits.ts';
import { heldBits } from '../chain/reports.ts';
import type { ChainRules, ChainState } from '../chain/state.ts';
import type { Block, Hex, OverdueBatch } from '../chain/types.ts';
import { checkBatch } from '../composition/select-batches.ts';
import type { Hearing } from '../evidence/finding.ts';
import { barredContributions } from '../evidence/index.ts';
import type { ContributionPool } from './contribution-pool.ts';
import type { Mempool } from './mempool.ts';

/** Batches that are looked at for one report: some of the oldest may not be payable. */
const CONSIDERED_BATCHES = 64;

/** What a precommit for a closing block says of contributions: those of the coming settlement that this peer holds. */
export function reportHeld(hearing: Hearing, block: Block, pool: ContributionPool): Hex {
  if (block.header.kind !== 'closing') return '';
  const { rules, parent } = hearing;
  const { genesis, application } = rules;
  const barred = barredContributions(hearing, block.evidence);
  const held: number[] = [];
  genesis.members.forEach((_, rank) => {
    application.owed(genesis, parent.slot, rank).forEach((key, k) => {
      const contribution = pool.get(key);
      if (contribution === undefined || barred.has(key)) return;
      if (application.admits(genesis, parent.app, parent.slot, contribution))
        held.push(k * genesis.members.length + rank);
    });
  });
  return heldBits(held);
}

/** What a precommit says of transactions: which have waited too long and could come next after the block's own state. */
export function reportOverdue(rules: ChainRules, after: ChainState, mempool: Mempool): readonly OverdueBatch[] {
  const places = new Map(after.ledger.accounts.map(({ publicKey }, account) => [publicKey, account]));
  const nonceOf = (sender: Hex): number => after.ledger.accounts[places.get(sender) ?? -1]?.nonce ?? 0;
  return mempool
    .waitingSince(after.height - rules.genesis.limits.inclusionDelayBlocks, nonceOf, CONSIDERED_BATCHES)
    .filter(({ batch }) => checkBatch(rules, after, batch).ok)
    .slice(0, MAX_OVERDUE_BATCHES)
    .map(({ batch, hash }) => ({ hash, account: places.get(batch.sender) as number, firstNonce: batch.firstNonce }))
    .sort((a, b) => (a.hash < b.hash ? -1 : 1));
}
