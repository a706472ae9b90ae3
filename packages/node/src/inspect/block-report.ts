import { type Account, type ChainState, type SettlementDescription, settlementContext } from '@wattmesh/consensus';
import { accountView, type BlockSummary, blockSummary, type TransactionView, transactionViews } from '../api/views.ts';
import type { InspectedChain, Step, StoredHeight } from './inspected-chain.ts';

/** One block in words and numbers. Amounts are decimal strings; units stand in the names. */
export interface BlockReport extends Omit<BlockSummary, 'transactions'> {
  readonly composerName: string;
  readonly transactions: readonly TransactionView[];
  /** What a settlement billed, charged, traded and scored; null for other blocks. */
  readonly settlement: SettlementDescription | null;
  /** Accounts that the block changed, with what each amount rose or fell by. */
  readonly changes: readonly AccountChange[];
}

export interface AccountChange {
  readonly account: number;
  readonly name: string;
  readonly role: string;
  readonly nonce: number;
  readonly uposMicro: string;
  readonly eposMicro: string;
  readonly creditWh: string;
  readonly clearingMicro: string;
  readonly stakeMicro: string;
}

export type BlockRow = BlockSummary & { readonly composerName: string };

/** Lists blocks without executing them. */
export async function blockRows(chain: InspectedChain, from: number, limit: number): Promise<BlockRow[]> {
  const rows: BlockRow[] = [];
  for (let height = from; height < from + limit && height <= chain.head; height += 1)
    rows.push(rowOf(chain, await chain.at(height)));
  return rows;
}

/** Explains one block: who composed it, what is in it, and what it did to the accounts. */
export async function blockReport(chain: InspectedChain, height: number): Promise<BlockReport> {
  const stored = await chain.at(height);
  const parent = await chain.stateAfter(height - 1);
  return reportOf(chain, { ...stored, parent, state: await chain.stateAfter(height) });
}

/** The settlement of a step; null when the block settles nothing. */
export function settlementOf(chain: InspectedChain, { block, parent }: Step): SettlementDescription | null {
  if (block.header.kind !== 'settlement') return null;
  const context = settlementContext(chain.rules, parent, block.parentCertificate, block.header);
  return chain.rules.application.describe(context, block.payload) as SettlementDescription;
}

/** The accounts that differ between two states, in account order. */
export function changesBetween(chain: InspectedChain, before: ChainState, after: ChainState): AccountChange[] {
  return after.ledger.accounts.flatMap((account, index) => {
    const was = before.ledger.accounts[index] as Account;
    const change: AccountChange = {
      account: index,
      name: accountName(chain, index),
      role: accountView(chain.rules, account, index).role,
      nonce: account.nonce - was.nonce,
      uposMicro: String(account.uposMicro - was.uposMicro),
      eposMicro: String(account.eposMicro - was.eposMicro),
      creditWh: String(account.creditWh - was.creditWh),
      clearingMicro: String(account.clearingMicro - was.clearingMicro),
      stakeMicro: String(account.stakeMicro - was.stakeMicro),
    };
    const { nonce, uposMicro, eposMicro, creditWh, clearingMicro, stakeMicro } = change;
    const isSame = nonce === 0 && [uposMicro, eposMicro, creditWh, clearingMicro, stakeMicro].every((v) => v === '0');
    return isSame ? [] : [change];
  });
}

/** A member's name, `EDC`, or the account's number. */
export function accountName(chain: InspectedChain, index: number): string {
  const members = chain.rules.genesis.members.length;
  if (index < members) return chain.name(index);
  return index === members ? 'EDC' : `account ${index}`;
}

function reportOf(chain: InspectedChain, step: Step): BlockReport {
  return {
    ...rowOf(chain, step),
    transactions: step.block.batches.flatMap(transactionViews),
    settlement: settlementOf(chain, step),
    changes: changesBetween(chain, step.parent, step.state),
  };
}

function rowOf(chain: InspectedChain, { block, encoded, certificate }: StoredHeight): BlockRow {
  return { ...blockSummary(block, encoded, certificate), composerName: chain.name(block.header.composer) };
}
