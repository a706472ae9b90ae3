import type { Genesis } from '../chain/types.ts';
import type { Account, LedgerState } from './types.ts';

/** The ledger before the first block. Opening balances and stakes count as minted, so that supplies add up from the start. */
export function genesisLedger(genesis: Genesis): LedgerState {
  const accounts: Account[] = [
    ...genesis.members.map(({ publicKey, eposMicro, uposMicro, stakeMicro }) => ({
      ...EMPTY,
      publicKey,
      eposMicro,
      uposMicro,
      stakeMicro,
    })),
    ...genesis.accounts.map(({ publicKey, uposMicro }) => ({ ...EMPTY, publicKey, uposMicro })),
  ];
  return {
    accounts,
    supply: {
      mintedMicro: {
        epos: accounts.reduce((sum, { eposMicro, stakeMicro }) => sum + eposMicro + stakeMicro, 0n),
        upos: accounts.reduce((sum, { uposMicro }) => sum + uposMicro, 0n),
        credit: 0n,
      },
      burnedMicro: { epos: 0n, upos: 0n, credit: 0n },
    },
  };
}

const EMPTY = {
  nonce: 0,
  eposMicro: 0n,
  uposMicro: 0n,
  creditWh: 0n,
  clearingMicro: 0n,
  stakeMicro: 0n,
  unbonding: [],
} as const;
