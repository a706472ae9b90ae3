import type { Account, LedgerState } from './types.ts';

/**
 * What is wrong with the sums of a ledger, in words; empty when every asset is conserved: what the accounts hold, lock and
 * wait for is what was minted less what was burned, clearing balances add up to 0, and nothing else is negative.
 */
export function conservationFaults({ accounts, supply }: LedgerState): readonly string[] {
  const sum = (amountOf: (account: Account) => bigint) => accounts.reduce((total, one) => total + amountOf(one), 0n);
  const held = {
    epos: sum(({ eposMicro, stakeMicro, unbonding }) =>
      unbonding.reduce((total, { amountMicro }) => total + amountMicro, eposMicro + stakeMicro),
    ),
    upos: sum(({ uposMicro }) => uposMicro),
    credit: sum(({ creditWh }) => creditWh),
  };
  const faults: string[] = [];
  for (const asset of ['epos', 'upos', 'credit'] as const) {
    const issued = supply.mintedMicro[asset] - supply.burnedMicro[asset];
    if (held[asset] !== issued) faults.push(`${asset}: accounts hold ${held[asset]}, ${issued} were issued`);
  }
  const clearing = sum(({ clearingMicro }) => clearingMicro);
  if (clearing !== 0n) faults.push(`clearing balances add up to ${clearing}`);
  accounts.forEach((account, index) => {
    const amounts = [account.eposMicro, account.uposMicro, account.creditWh, account.stakeMicro];
    if ([...amounts, ...account.unbonding.map(({ amountMicro }) => amountMicro)].some((amount) => amount < 0n)) {
      faults.push(`account ${index} holds a negative amount`);
    }
  });
  return faults;
}
