import { merkleProof, merkleRoot, verifyMerkleProof } from '../chain/merkle.ts';
import type { ChainRules, ChainState } from '../chain/state.ts';
import type { Hash } from '../chain/types.ts';
import { encode } from '../codec/index.ts';
import { accountCodec } from '../ledger/codec.ts';
import type { Account } from '../ledger/types.ts';
import { encodeLeaf, LEAVES_BEFORE_ACCOUNTS, stateLeaves } from './state-codec.ts';

/** Merkle root over the state's named leaves: what a header commits to. */
export function stateRoot(rules: ChainRules, state: ChainState): Hash {
  return merkleRoot(encodedLeaves(rules, state));
}

/** Shows that an account stands in the state whose root a certified header carries. */
export interface AccountProof {
  readonly index: number;
  readonly account: Account;
  readonly leafCount: number;
  readonly siblings: readonly Hash[];
}

/** @throws RangeError when there is no account `index`. */
export function accountProof(rules: ChainRules, state: ChainState, index: number): AccountProof {
  const account = state.ledger.accounts[index];
  if (account === undefined) {
    throw new RangeError(`there is no account ${index}: this chain has ${state.ledger.accounts.length}`);
  }
  const leaves = encodedLeaves(rules, state);
  const siblings = merkleProof(leaves, LEAVES_BEFORE_ACCOUNTS + index);
  return { index, account, leafCount: leaves.length, siblings };
}

/** Whether `proof` shows its account under `root`. @throws CodecError when the account has a field out of range. */
export function verifyAccountProof(root: Hash, { index, account, leafCount, siblings }: AccountProof): boolean {
  const leaf = encodeLeaf({ name: `account/${index}`, value: encode(accountCodec, account) });
  return verifyMerkleProof(root, leaf, LEAVES_BEFORE_ACCOUNTS + index, leafCount, siblings);
}

function encodedLeaves(rules: ChainRules, state: ChainState): readonly Uint8Array[] {
  return stateLeaves(rules, state).map(encodeLeaf);
}
