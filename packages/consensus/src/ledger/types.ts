import type { Asset, Hex } from '../chain/types.ts';

/** One account. Everything is an integer; nothing but `clearingMicro` may be negative. */
export interface Account {
  /** Compressed public key, 33 bytes. */
  readonly publicKey: Hex;
  /** Nonce that the next transaction of this account must carry. */
  readonly nonce: number;
  readonly eposMicro: bigint;
  readonly uposMicro: bigint;
  readonly creditWh: bigint;
  /** Energy bills so far in 10^-6 currency: positive is income. Sums to 0 over all accounts with the EDC. */
  readonly clearingMicro: bigint;
  /** Locked EPOS of a member, 10^-6. */
  readonly stakeMicro: bigint;
  /** Unstaked EPOS on its way back, released at a height. */
  readonly unbonding: readonly { readonly releaseHeight: number; readonly amountMicro: bigint }[];
}

/** Supplies by named rule: what was minted and burned so far, so that conservation can be checked at any time. */
export interface Supply {
  readonly mintedMicro: Readonly<Record<Asset, bigint>>;
  readonly burnedMicro: Readonly<Record<Asset, bigint>>;
}

export interface LedgerState {
  /** Members by rank, then the other genesis accounts in genesis order. Accounts are fixed at genesis. */
  readonly accounts: readonly Account[];
  readonly supply: Supply;
}

/** The only way in which an application or a transaction changes the ledger. Every method conserves or throws. */
export interface LedgerDraft {
  account(index: number): Account;
  readonly accountCount: number;
  /** Index of the electricity distribution company's account (first non-member). */
  readonly edc: number;
  indexOf(publicKey: Hex): number | undefined;
  /** Minting and burning rules have names, listed in the package's header. */
  mint(rule: 'proof-score' | 'surplus', asset: Asset, to: number, amount: bigint): void;
  burn(rule: 'retired', asset: Asset, from: number, amount: bigint): void;
  move(asset: Asset, from: number, to: number, amount: bigint): void;
  /** Posts bills (positive: the member pays) to clearing balances; the entries must sum to 0. */
  post(entries: readonly { readonly account: number; readonly payMicro: bigint }[]): void;
  finish(): LedgerState;
}
