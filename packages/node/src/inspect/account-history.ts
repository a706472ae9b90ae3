import type { Account } from '@wattmesh/consensus';
import { type AccountView, accountView } from '../api/views.ts';
import { accountName } from './block-report.ts';
import { InspectError } from './errors.ts';
import type { InspectedChain } from './inspected-chain.ts';

/** What an account held after a block that changed it. Row 0 is genesis. */
export interface AccountRow {
  readonly height: number;
  readonly slot: number;
  readonly kind: 'genesis' | 'transactions' | 'closing' | 'settlement';
  readonly nonce: number;
  readonly uposMicro: string;
  readonly eposMicro: string;
  readonly creditWh: string;
  readonly clearingMicro: string;
  readonly stakeMicro: string;
}

export interface AccountHistory {
  readonly name: string;
  /** As of the head. */
  readonly account: AccountView;
  readonly rows: readonly AccountRow[];
}

/**
 * An account's balances over all blocks that changed them, from genesis on.
 * @throws InspectError INSPECT_NO_SUCH_ACCOUNT
 */
export async function accountHistory(chain: InspectedChain, which: string): Promise<AccountHistory> {
  const index = accountIndex(chain, which);
  const start = await chain.stateAfter(0);
  let last = start.ledger.accounts[index] as Account;
  const rows: AccountRow[] = [rowOf(last, 0, 0, 'genesis')];
  for await (const { height, block, state } of chain.walk()) {
    const account = state.ledger.accounts[index] as Account;
    if (isSame(account, last)) continue;
    rows.push(rowOf(account, height, block.header.slot, block.header.kind));
    last = account;
  }
  return { name: accountName(chain, index), account: accountView(chain.rules, last, index), rows };
}

/** By name in the run, rank, `edc`, or (the beginning of) the public key. */
export function accountIndex(chain: InspectedChain, which: string): number {
  const { members, accounts } = chain.rules.genesis;
  const keys = [...members, ...accounts].map(({ publicKey }) => publicKey);
  if (which.toLowerCase() === 'edc') return members.length;
  const byName = keys.findIndex((_, index) => accountName(chain, index) === which);
  if (byName >= 0) return byName;
  if (/^(0|[1-9]\d{0,4})$/.test(which) && Number(which) < keys.length) return Number(which);
  const matching = keys.flatMap((key, index) => (which.length >= 6 && key.startsWith(which) ? [index] : []));
  const [only] = matching;
  if (matching.length === 1 && only !== undefined) return only;
  throw new InspectError(
    'INSPECT_NO_SUCH_ACCOUNT',
    `${matching.length === 0 ? 'no account' : 'more than one account'} is called ${which}; give a peer's name, a rank from 0 to ${keys.length - 1}, edc, or a public key`,
  );
}

function isSame(a: Account, b: Account): boolean {
  return (
    a.nonce === b.nonce &&
    a.uposMicro === b.uposMicro &&
    a.eposMicro === b.eposMicro &&
    a.creditWh === b.creditWh &&
    a.clearingMicro === b.clearingMicro &&
    a.stakeMicro === b.stakeMicro
  );
}

function rowOf(account: Account, height: number, slot: number, kind: AccountRow['kind']): AccountRow {
  return {
    height,
    slot,
    kind,
    nonce: account.nonce,
    uposMicro: String(account.uposMicro),
    eposMicro: String(account.eposMicro),
    creditWh: String(account.creditWh),
    clearingMicro: String(account.clearingMicro),
    stakeMicro: String(account.stakeMicro),
  };
}
