import type { Hash, MemberRank } from '../chain/types.ts';

/** Two halves of the members, told apart by a block's hash: how accomplices agree on who is shown which block. */
export function isOnSide(blockHash: Hash, rank: MemberRank): boolean {
  return Number.parseInt(blockHash.slice(-1), 16) % 2 === rank % 2;
}
