import type { Asset } from '../chain/types.ts';
import { type Codec, encode, hex, i64, list, struct, u53, u64 } from '../codec/index.ts';
import { MAX_UNBONDING_ENTRIES } from './draft.ts';
import type { Account, Supply } from './types.ts';

/** An account as a leaf of the state root. */
export const accountCodec: Codec<Account> = struct<Account>({
  publicKey: hex(33),
  nonce: u53,
  eposMicro: u64,
  uposMicro: u64,
  creditWh: u64,
  clearingMicro: i64,
  stakeMicro: u64,
  unbonding: list(
    struct<{ releaseHeight: number; amountMicro: bigint }>({ releaseHeight: u53, amountMicro: u64 }),
    MAX_UNBONDING_ENTRIES,
  ),
});

const encodings = new WeakMap<Account, Uint8Array>();

/** The bytes of an account, made once for each: a block changes few of them, and its state names all. Not to be written to. */
export function encodeAccount(account: Account): Uint8Array {
  const known = encodings.get(account);
  if (known !== undefined) return known;
  const bytes = encode(accountCodec, account);
  encodings.set(account, bytes);
  return bytes;
}

const perAsset = struct<Record<Asset, bigint>>({ epos: u64, upos: u64, credit: u64 });

/** The supplies as a leaf of the state root. */
export const supplyCodec: Codec<Supply> = struct<Supply>({ mintedMicro: perAsset, burnedMicro: perAsset });
