import type { Contribution } from '../application/types.ts';
import { MAX_OVERDUE_BATCHES } from '../chain/limits.ts';
import { heldBits } from '../chain/reports.ts';
import type { ChainRules, ChainState } from '../chain/state.ts';
import type { Block, Hex, OverdueBatch } from '../chain/types.ts';
import { checkBatch } from '../composition/select-batches.ts';
import type { Hearing } from '../evidence/finding.ts';
import { barredContributions } from '../evidence/index.ts';
import type { ContributionPool } from './contribution-pool.ts';
import type { Mempool } from './mempool.ts';
import type { Reported } from './pledges.ts';

/** Batches that are looked at for one report: some of the oldest may not be payable. */
const CONSIDERED_BATCHES = 64;

/** What a precommit for a closing block says of contributions: those of the coming settlement that this peer holds. */
export function reportHeld(
  hearing: Hearing,
  block: Block,
  pool: ContributionPool,
): { readonly held: Hex; readonly contributions: readonly Contribution[] } {
  if (block.header.kind !== 'closing') return { held: '', contributions: [] };
  const { rules, parent } = hearing;
  const { genesis, application } = rules;
  const barred = barredContributions(hearing, block.evidence);
  const held: number[] = [];
  const contributions: Contribution[] = [];
  genesis.members.forEach((_, rank) => {
    application.owed(genesis, parent.slot, rank).forEach((key, k) => {
      const contribution = pool.get(key);
      if (contribution === undefined || barred.has(key)) return;
      if (!application.admits(genesis, parent.app, parent.slot, contribution)) return;
      held.push(k * genesis.members.length + rank);
      contributions.push(contribution);
    });
  });
  return { held: heldBits(held), contributions };
}

/** What a precommit says of transactions: which have waited too long and could come next after the block's own state. */
export function reportOverdue(
  rules: ChainRules,
  after: ChainState,
  mempool: Mempool,
): { readonly overdue: readonly OverdueBatch[]; readonly batches: Reported['batches'] } {
  const places = new Map(after.ledger.accounts.map(({ publicKey }, account) => [publicKey, account]));
  const nonceOf = (sender: Hex): number => after.ledger.accounts[places.get(sender) ?? -1]?.nonce ?? 0;
  const batches = mempool
    .waitingSince(after.height - rules.genesis.limits.inclusionDelayBlocks, nonceOf, CONSIDERED_BATCHES)
    .filter(({ batch }) => checkBatch(rules, after, batch).ok)
    .slice(0, MAX_OVERDUE_BATCHES);
  const overdue = batches
    .map(({ batch, hash }) => ({ hash, account: places.get(batch.sender) as number, firstNonce: batch.firstNonce }))
    .sort((a, b) => (a.hash < b.hash ? -1 : 1));
  return { overdue, batches };
}
