import type { ChainRules, ChainState } from '../chain/state.ts';
import type { Certificate, OverdueBatch } from '../chain/types.ts';

/**
 * Batches that the block on top of `parent` must hold, in the order of their hashes: those that at least `f + 1` voters of
 * its embedded certificate report as overdue, `f = n - q`, as long as their nonce is still their account's next. An honest
 * voter reports only what could be executed next on the state that it voted for, and batches of other accounts never take
 * that away; so whatever is required can be executed, except where a sender has signed two for one nonce.
 */
export function requiredBatches(
  { genesis }: ChainRules,
  parent: ChainState,
  certificate: Certificate | null,
): readonly OverdueBatch[] {
  const reports = new Map<string, { readonly batch: OverdueBatch; voters: number }>();
  for (const { extension } of certificate?.votes ?? []) {
    for (const batch of extension?.overdue ?? []) {
      const key = `${batch.hash}/${batch.account}/${batch.firstNonce}`;
      const report = reports.get(key) ?? { batch, voters: 0 };
      report.voters += 1;
      reports.set(key, report);
    }
  }
  return [...reports.values()]
    .filter(({ voters }) => voters > genesis.members.length - genesis.quorum)
    .map(({ batch }) => batch)
    .filter(({ account, firstNonce }) => parent.ledger.accounts[account]?.nonce === firstNonce)
    .sort((a, b) => (a.hash < b.hash ? -1 : 1));
}
