import type { Asset, Genesis, Hex } from '../chain/types.ts';
import { LedgerError } from './errors.ts';
import type { Account, LedgerDraft, LedgerState, Supply } from './types.ts';

/** No supply and no clearing balance may reach this, so that every amount fits into 64 bits with a sign. */
export const AMOUNT_LIMIT = 1n << 63n;
/** Releases that one account may be waiting for at a time; those of one height count once. */
export const MAX_UNBONDING_ENTRIES = 64;

const BALANCE_OF: { readonly [asset in Asset]: 'eposMicro' | 'uposMicro' | 'creditWh' } = {
  epos: 'eposMicro',
  upos: 'uposMicro',
  credit: 'creditWh',
};
const MINTED_BY = { 'proof-score': 'epos', surplus: 'credit' } as const;
const BURNED_BY = { retired: 'credit' } as const;

/** What the ledger's own operations need besides what an application may do. */
export interface OperationDraft extends LedgerDraft {
  /** Takes the account's next nonce. @throws LedgerError LEDGER_NONCE_MISMATCH when it is another one. */
  useNonce(index: number, nonce: number): void;
  /** Locks EPOS of a member. */
  stake(index: number, amountMicro: bigint): void;
  /** Starts the way back of locked EPOS; the rest must not fall below the chain's minimum. */
  unstake(index: number, amountMicro: bigint, releaseHeight: number): void;
  /** Pays out everything whose release height is at most `height`. */
  releaseUnbonded(height: number): void;
  /**
   * Burns up to `amountMicro` of what a member has locked, by the rule `slashed`: of its stake first, then of what is on
   * its way back, the newest first. Returns how much that was; the chain's minimum stake does not protect it.
   */
  slash(index: number, amountMicro: bigint): bigint;
  /** What a member has locked, unbonding included. */
  lockedMicro(index: number): bigint;
  /** Runs `change`; when it throws, the draft is as it was before, and the error goes on. */
  atomically<T>(change: () => T): T;
}

/** Starts a draft on `base`, which it never changes. Dropping the draft drops its changes. */
export function draftOf(genesis: Genesis, base: LedgerState): OperationDraft {
  const memberCount = genesis.members.length;
  const indexByKey = keyIndex(genesis);
  let accounts = [...base.accounts];
  let supply: Supply = base.supply;
  let finished = false;

  const account = (index: number): Account => {
    const found = accounts[index];
    if (found === undefined) {
      throw new LedgerError(
        'LEDGER_UNKNOWN_ACCOUNT',
        `there is no account ${index}: this chain has ${accounts.length}`,
        index,
      );
    }
    return found;
  };
  const open = (): void => {
    if (finished) {
      throw new LedgerError('LEDGER_DRAFT_FINISHED', 'the draft has been finished: start another one on its result');
    }
  };
  const checkAmount = (amount: bigint, index: number, smallest: bigint): void => {
    if (amount >= smallest && amount < AMOUNT_LIMIT) return;
    throw new LedgerError(
      'LEDGER_INVALID_AMOUNT',
      `amount ${amount} on account ${index} must be at least ${smallest} and below 2^63`,
      index,
    );
  };
  const checkFunds = (held: bigint, amount: bigint, what: string, index: number): void => {
    if (held >= amount) return;
    throw new LedgerError(
      'LEDGER_INSUFFICIENT_FUNDS',
      `account ${index} holds ${held} of ${what}, ${amount} are needed`,
      index,
    );
  };
  const member = (index: number): Account => {
    const found = account(index);
    if (index < memberCount) return found;
    throw new LedgerError('LEDGER_NOT_A_MEMBER', `account ${index} is not a member's: only members stake`, index);
  };
  const counted = (side: 'mintedMicro' | 'burnedMicro', asset: Asset, amount: bigint, index: number): Supply => {
    const total = supply[side][asset] + amount;
    if (total >= AMOUNT_LIMIT) {
      throw new LedgerError('LEDGER_OUT_OF_RANGE', `${side} of ${asset} would reach 2^63 with ${amount} more`, index);
    }
    return { ...supply, [side]: { ...supply[side], [asset]: total } };
  };

  return {
    account,
    get accountCount() {
      return accounts.length;
    },
    edc: memberCount,
    indexOf: (publicKey) => indexByKey.get(publicKey),

    mint(rule, asset, to, amount) {
      open();
      checkRule(rule, MINTED_BY[rule], asset, to);
      checkAmount(amount, to, 0n);
      const before = account(to);
      const after = counted('mintedMicro', asset, amount, to);
      accounts[to] = { ...before, [BALANCE_OF[asset]]: before[BALANCE_OF[asset]] + amount };
      supply = after;
    },

    burn(rule, asset, from, amount) {
      open();
      checkRule(rule, BURNED_BY[rule], asset, from);
      checkAmount(amount, from, 0n);
      const before = account(from);
      checkFunds(before[BALANCE_OF[asset]], amount, asset, from);
      const after = counted('burnedMicro', asset, amount, from);
      accounts[from] = { ...before, [BALANCE_OF[asset]]: before[BALANCE_OF[asset]] - amount };
      supply = after;
    },

    move(asset, from, to, amount) {
      open();
      checkAmount(amount, from, 0n);
      const payer = account(from);
      account(to);
      const balance = BALANCE_OF[asset];
      checkFunds(payer[balance], amount, asset, from);
      accounts[from] = { ...payer, [balance]: payer[balance] - amount };
      const receiver = account(to);
      accounts[to] = { ...receiver, [balance]: receiver[balance] + amount };
    },

    post(entries) {
      open();
      const sum = entries.reduce((total, { payMicro }) => total + payMicro, 0n);
      if (sum !== 0n) {
        throw new LedgerError('LEDGER_UNBALANCED_POSTING', `bills must add up to 0, these add up to ${sum}`);
      }
      const after = new Map<number, bigint>();
      for (const { account: index, payMicro } of entries) {
        const clearingMicro = (after.get(index) ?? account(index).clearingMicro) - payMicro;
        if (clearingMicro >= AMOUNT_LIMIT || clearingMicro <= -AMOUNT_LIMIT) {
          throw new LedgerError('LEDGER_OUT_OF_RANGE', `the clearing balance of ${index} would reach 2^63`, index);
        }
        after.set(index, clearingMicro);
      }
      for (const [index, clearingMicro] of after) accounts[index] = { ...account(index), clearingMicro };
    },

    useNonce(index, nonce) {
      open();
      const before = account(index);
      if (before.nonce !== nonce) {
        throw new LedgerError(
          'LEDGER_NONCE_MISMATCH',
          `the next transaction of account ${index} has nonce ${before.nonce}, not ${nonce}`,
          index,
        );
      }
      accounts[index] = { ...before, nonce: nonce + 1 };
    },

    stake(index, amountMicro) {
      open();
      const before = member(index);
      checkAmount(amountMicro, index, 1n);
      checkFunds(before.eposMicro, amountMicro, 'epos', index);
      accounts[index] = {
        ...before,
        eposMicro: before.eposMicro - amountMicro,
        stakeMicro: before.stakeMicro + amountMicro,
      };
    },

    unstake(index, amountMicro, releaseHeight) {
      open();
      const before = member(index);
      checkAmount(amountMicro, index, 1n);
      checkFunds(before.stakeMicro, amountMicro, 'stake', index);
      const stakeMicro = before.stakeMicro - amountMicro;
      if (stakeMicro < genesis.limits.minStakeMicro) {
        throw new LedgerError(
          'LEDGER_STAKE_TOO_LOW',
          `account ${index} would keep a stake of ${stakeMicro}, the chain asks for ${genesis.limits.minStakeMicro}`,
          index,
        );
      }
      const last = before.unbonding.at(-1);
      const sameHeight = last?.releaseHeight === releaseHeight;
      if (!sameHeight && before.unbonding.length >= MAX_UNBONDING_ENTRIES) {
        throw new LedgerError(
          'LEDGER_UNBONDING_FULL',
          `account ${index} already waits for ${MAX_UNBONDING_ENTRIES} releases: try again after the next one`,
          index,
        );
      }
      const entry = { releaseHeight, amountMicro: amountMicro + (sameHeight ? last.amountMicro : 0n) };
      const earlier = sameHeight ? before.unbonding.slice(0, -1) : before.unbonding;
      accounts[index] = { ...before, stakeMicro, unbonding: [...earlier, entry] };
    },

    releaseUnbonded(height) {
      open();
      for (let index = 0; index < memberCount; index += 1) {
        const before = account(index);
        const due = before.unbonding.filter(({ releaseHeight }) => releaseHeight <= height);
        if (due.length === 0) continue;
        accounts[index] = {
          ...before,
          eposMicro: due.reduce((sum, { amountMicro }) => sum + amountMicro, before.eposMicro),
          unbonding: before.unbonding.filter(({ releaseHeight }) => releaseHeight > height),
        };
      }
    },

    slash(index, amountMicro) {
      open();
      const before = member(index);
      checkAmount(amountMicro, index, 0n);
      let left = amountMicro;
      const take = (held: bigint): bigint => {
        const taken = held < left ? held : left;
        left -= taken;
        return held - taken;
      };
      const stakeMicro = take(before.stakeMicro);
      const unbonding = before.unbonding
        .toReversed()
        .map(({ releaseHeight, amountMicro: waiting }) => ({ releaseHeight, amountMicro: take(waiting) }))
        .toReversed()
        .filter((entry) => entry.amountMicro > 0n);
      const slashed = amountMicro - left;
      supply = counted('burnedMicro', 'epos', slashed, index);
      accounts[index] = { ...before, stakeMicro, unbonding };
      return slashed;
    },

    lockedMicro(index) {
      const { stakeMicro, unbonding } = member(index);
      return unbonding.reduce((sum, entry) => sum + entry.amountMicro, stakeMicro);
    },

    atomically(change) {
      const accountsBefore = [...accounts];
      const supplyBefore = supply;
      try {
        return change();
      } catch (error) {
        accounts = accountsBefore;
        supply = supplyBefore;
        throw error;
      }
    },

    finish() {
      open();
      finished = true;
      return { accounts, supply };
    },
  };
}

function checkRule(rule: string, allowed: Asset, asset: Asset, index: number): void {
  if (allowed === asset) return;
  throw new LedgerError('LEDGER_RULE_MISMATCH', `rule ${rule} is about ${allowed}, not about ${asset}`, index);
}

/** Accounts are fixed at genesis: members by rank, then the other accounts in genesis order. */
const keyIndexes = new WeakMap<Genesis, ReadonlyMap<Hex, number>>();

/** Place of a key among the accounts of a chain; undefined when it has none. */
export function accountIndexOf(genesis: Genesis, publicKey: Hex): number | undefined {
  return keyIndex(genesis).get(publicKey);
}

function keyIndex(genesis: Genesis): ReadonlyMap<Hex, number> {
  const known = keyIndexes.get(genesis);
  if (known !== undefined) return known;
  const keys = [...genesis.members, ...genesis.accounts].map(({ publicKey }) => publicKey);
  const index = new Map(keys.map((publicKey, place) => [publicKey, place]));
  keyIndexes.set(genesis, index);
  return index;
}
