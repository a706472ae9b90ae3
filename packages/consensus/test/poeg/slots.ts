import type { Contribution } from '../../src/application/types.ts';
import type { PoegState } from '../../src/poeg/index.ts';
import { type Household, type PoegChain, WORKED4 } from '../fixtures/poeg-chain.ts';

/** What the billed slots have come to. */
export const totalsOf = (chain: PoegChain) => (chain.state.app as PoegState).totals;
/** What every household announces for a slot. */
export const announceAll = (chain: PoegChain, slot: number, homes: readonly Household[] = WORKED4): Contribution[] =>
  homes.map((home, rank) => chain.announcement(slot, rank, home));
/** What each account is owed, by rank. */
export const clearing = (chain: PoegChain) => chain.state.ledger.accounts.map(({ clearingMicro }) => clearingMicro);
