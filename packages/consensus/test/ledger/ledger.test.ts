import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Asset, Genesis, Operation, TransactionBatch } from '../../src/chain/types.ts';
import {
  AMOUNT_LIMIT,
  applyBatch,
  conservationFaults,
  draftOf,
  genesisLedger,
  LedgerError,
  type LedgerErrorCode,
  type LedgerState,
  MAX_UNBONDING_ENTRIES,
} from '../../src/ledger/index.ts';

const MEMBERS = 3;
const ACCOUNTS = 5;
const EDC = MEMBERS;
const STRANGER = 'ff'.repeat(33);
const key = (index: number) => `0${index}`.repeat(33);

const genesis = {
  members: Array.from({ length: MEMBERS }, (_, rank) => ({
    publicKey: key(rank),
    eposMicro: 100n,
    uposMicro: 1_000n,
    stakeMicro: 50n,
  })),
  accounts: Array.from({ length: ACCOUNTS - MEMBERS }, (_, k) => ({ publicKey: key(MEMBERS + k), uposMicro: 500n })),
  limits: { minStakeMicro: 20n, unbondingBlocks: 101 },
} as unknown as Genesis;

const opening = (): LedgerState => genesisLedger(genesis);
const draft = (state = opening()) => draftOf(genesis, state);

function expectCode(code: LedgerErrorCode, change: () => unknown): void {
  expect(change).toThrow(expect.objectContaining({ name: 'LedgerError', code }));
}

function batchOf(sender: number, firstNonce: number, operations: readonly Operation[]): TransactionBatch {
  return { chainId: '', sender: key(sender), firstNonce, operations, signature: '' };
}

describe('opening balances', () => {
  test('stand in the accounts and count as minted', () => {
    const { accounts, supply } = opening();
    expect(accounts.map(({ publicKey }) => publicKey)).toEqual([0, 1, 2, 3, 4].map(key));
    expect(accounts[1]).toMatchObject({ nonce: 0, eposMicro: 100n, uposMicro: 1_000n, stakeMicro: 50n, creditWh: 0n });
    expect(accounts[4]).toMatchObject({ eposMicro: 0n, uposMicro: 500n, stakeMicro: 0n });
    expect(supply.mintedMicro).toEqual({ epos: 450n, upos: 4_000n, credit: 0n });
    expect(conservationFaults(opening())).toEqual([]);
  });

  test('the auditor sees every kind of fault', () => {
    const { accounts, supply } = opening();
    const withFirst = (change: object): LedgerState => ({
      accounts: [{ ...accounts[0]!, ...change }, ...accounts.slice(1)],
      supply,
    });
    expect(conservationFaults(withFirst({ eposMicro: 101n }))).toEqual(['epos: accounts hold 451, 450 were issued']);
    expect(conservationFaults(withFirst({ unbonding: [{ releaseHeight: 9, amountMicro: 2n }] }))).toHaveLength(1);
    expect(conservationFaults(withFirst({ uposMicro: 999n }))).toHaveLength(1);
    expect(conservationFaults(withFirst({ creditWh: 1n }))).toHaveLength(1);
    expect(conservationFaults(withFirst({ clearingMicro: 7n }))).toEqual(['clearing balances add up to 7']);
    expect(conservationFaults(withFirst({ eposMicro: -1n, stakeMicro: 151n }))).toEqual([
      'account 0 holds a negative amount',
    ]);
  });
});

describe('a draft', () => {
  test('mints, moves, burns and bills without touching its base', () => {
    const base = opening();
    const change = draft(base);
    change.mint('proof-score', 'epos', 0, 40n);
    change.mint('surplus', 'credit', 0, 30n);
    change.move('credit', 0, 1, 12n);
    change.burn('retired', 'credit', 1, 2n);
    change.post([
      { account: 0, payMicro: -5n },
      { account: 1, payMicro: 8n },
      { account: EDC, payMicro: -3n },
    ]);
    const after = change.finish();
    expect(after.accounts[0]).toMatchObject({ eposMicro: 140n, creditWh: 18n, clearingMicro: 5n });
    expect(after.accounts[1]).toMatchObject({ creditWh: 10n, clearingMicro: -8n });
    expect(after.accounts[EDC]).toMatchObject({ clearingMicro: 3n });
    expect(after.supply.mintedMicro).toEqual({ epos: 490n, upos: 4_000n, credit: 30n });
    expect(after.supply.burnedMicro).toEqual({ epos: 0n, upos: 0n, credit: 2n });
    expect(conservationFaults(after)).toEqual([]);
    expect(base).toEqual(opening());
  });

  test('a transfer to oneself changes nothing, and one of 0 is a transfer', () => {
    const change = draft();
    change.move('upos', 0, 0, 1_000n);
    change.move('upos', 4, 0, 0n);
    expect(change.finish()).toEqual(opening());
  });

  test('adds up several bills of one account in one posting', () => {
    const change = draft();
    change.post([
      { account: 0, payMicro: 4n },
      { account: 0, payMicro: 3n },
      { account: EDC, payMicro: -7n },
    ]);
    expect(change.account(0).clearingMicro).toBe(-7n);
  });

  test('refuses what it must, each by its code', () => {
    expectCode('LEDGER_UNKNOWN_ACCOUNT', () => draft().account(ACCOUNTS));
    expectCode('LEDGER_UNKNOWN_ACCOUNT', () => draft().move('upos', 0, ACCOUNTS, 1n));
    expectCode('LEDGER_INVALID_AMOUNT', () => draft().move('upos', 0, 1, -1n));
    expectCode('LEDGER_INVALID_AMOUNT', () => draft().mint('surplus', 'credit', 0, AMOUNT_LIMIT));
    expectCode('LEDGER_INVALID_AMOUNT', () => draft().stake(0, 0n));
    expectCode('LEDGER_INSUFFICIENT_FUNDS', () => draft().move('upos', 0, 1, 1_001n));
    expectCode('LEDGER_INSUFFICIENT_FUNDS', () => draft().burn('retired', 'credit', 0, 1n));
    expectCode('LEDGER_INSUFFICIENT_FUNDS', () => draft().stake(0, 101n));
    expectCode('LEDGER_INSUFFICIENT_FUNDS', () => draft().unstake(0, 51n, 200));
    expectCode('LEDGER_NOT_A_MEMBER', () => draft().stake(EDC, 1n));
    expectCode('LEDGER_STAKE_TOO_LOW', () => draft().unstake(0, 31n, 200));
    expectCode('LEDGER_NONCE_MISMATCH', () => draft().useNonce(0, 1));
    expectCode('LEDGER_RULE_MISMATCH', () => draft().mint('proof-score', 'upos', 0, 1n));
    expectCode('LEDGER_RULE_MISMATCH', () => draft().burn('retired', 'epos', 0, 1n));
    expectCode('LEDGER_UNBALANCED_POSTING', () => draft().post([{ account: 0, payMicro: 1n }]));
  });

  test('lets no supply or clearing balance reach 2^63', () => {
    const change = draft();
    change.mint('surplus', 'credit', 0, AMOUNT_LIMIT - 1n);
    expectCode('LEDGER_OUT_OF_RANGE', () => change.mint('surplus', 'credit', 1, 1n));
    change.post([
      { account: 0, payMicro: AMOUNT_LIMIT - 1n },
      { account: EDC, payMicro: 1n - AMOUNT_LIMIT },
    ]);
    const oneMore = [
      { account: 0, payMicro: 1n },
      { account: EDC, payMicro: -1n },
    ];
    expectCode('LEDGER_OUT_OF_RANGE', () => change.post(oneMore));
    expect(change.account(EDC).clearingMicro).toBe(AMOUNT_LIMIT - 1n);
  });

  test('is over once it is finished', () => {
    const change = draft();
    const state = change.finish();
    expectCode('LEDGER_DRAFT_FINISHED', () => change.move('upos', 0, 1, 1n));
    expect(state).toEqual(opening());
  });
});

describe('unbonding', () => {
  test('holds the tokens back until their height, merging those of one height', () => {
    const change = draft();
    change.unstake(0, 10n, 300);
    change.unstake(0, 5n, 300);
    change.unstake(0, 7n, 301);
    expect(change.account(0)).toMatchObject({
      stakeMicro: 28n,
      eposMicro: 100n,
      unbonding: [
        { releaseHeight: 300, amountMicro: 15n },
        { releaseHeight: 301, amountMicro: 7n },
      ],
    });
    change.releaseUnbonded(299);
    expect(change.account(0).eposMicro).toBe(100n);
    change.releaseUnbonded(300);
    expect(change.account(0)).toMatchObject({
      eposMicro: 115n,
      unbonding: [{ releaseHeight: 301, amountMicro: 7n }],
    });
    expect(conservationFaults(change.finish())).toEqual([]);
  });

  test('waits in a bounded number of entries', () => {
    const change = draft();
    change.stake(0, 100n);
    for (let k = 0; k < MAX_UNBONDING_ENTRIES; k += 1) change.unstake(0, 1n, 300 + k);
    expectCode('LEDGER_UNBONDING_FULL', () => change.unstake(0, 1n, 400));
    change.unstake(0, 1n, 300 + MAX_UNBONDING_ENTRIES - 1);
  });
});

describe('a batch', () => {
  test('executes in order under consecutive nonces', () => {
    const change = draft();
    const operations: Operation[] = [
      { type: 'transfer', asset: 'upos', to: key(1), amount: 1_000n },
      { type: 'stake', amount: 60n },
      { type: 'unstake', amount: 80n },
    ];
    applyBatch(change, genesis, batchOf(0, 0, operations), 7);
    expect(change.account(0)).toMatchObject({
      nonce: 3,
      uposMicro: 0n,
      eposMicro: 40n,
      stakeMicro: 30n,
      unbonding: [{ releaseHeight: 108, amountMicro: 80n }],
    });
    applyBatch(change, genesis, batchOf(1, 0, [{ type: 'transfer', asset: 'upos', to: key(4), amount: 2_000n }]), 7);
    expect(change.account(4).uposMicro).toBe(2_500n);
  });

  test('with one failing operation does nothing at all', () => {
    const change = draft();
    const operations: Operation[] = [
      { type: 'transfer', asset: 'upos', to: key(1), amount: 400n },
      { type: 'retire', amountWh: 1n },
    ];
    expectCode('LEDGER_INSUFFICIENT_FUNDS', () => applyBatch(change, genesis, batchOf(0, 0, operations), 1));
    expect(change.finish()).toEqual(opening());
  });

  test('knows only accounts of genesis', () => {
    const toStranger: Operation = { type: 'transfer', asset: 'upos', to: STRANGER, amount: 1n };
    expectCode('LEDGER_UNKNOWN_ACCOUNT', () => applyBatch(draft(), genesis, batchOf(0, 0, [toStranger]), 1));
    const fromStranger = { ...batchOf(0, 0, [{ type: 'stake', amount: 1n }]), sender: STRANGER };
    expectCode('LEDGER_UNKNOWN_ACCOUNT', () => applyBatch(draft(), genesis, fromStranger, 1));
  });
});

const amount = fc.bigInt({ min: 0n, max: 120n });
const account = fc.nat(ACCOUNTS - 1);
const asset = fc.constantFrom<Asset>('epos', 'upos', 'credit');
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ type: fc.constant('transfer'), asset, to: account.map(key), amount }),
  fc.record({ type: fc.constant('stake'), amount }),
  fc.record({ type: fc.constant('unstake'), amount }),
  fc.record({ type: fc.constant('retire'), amountWh: amount }),
);
/** A batch with the right or a wrong nonce, or the kinds of bookings that a settlement makes. */
const step = fc.oneof(
  fc.record({
    type: fc.constant('batch' as const),
    sender: account,
    nonceOffset: fc.constantFrom(0, 0, 0, 0, 1, -1),
    operations: fc.array(operation, { minLength: 1, maxLength: 4 }),
  }),
  fc.record({ type: fc.constant('mint' as const), to: account, amount }),
  fc.record({ type: fc.constant('surplus' as const), seller: account, buyer: account, amount }),
  fc.record({ type: fc.constant('bill' as const), payer: account, amount: fc.bigInt({ min: -90n, max: 90n }) }),
  fc.record({ type: fc.constant('next-height' as const), by: fc.integer({ min: 1, max: 60 }) }),
);

describe('conservation', () => {
  test('holds after every step of any run, and a failed step changes nothing', () => {
    let succeeded = 0;
    let failed = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 40 }), (steps) => {
        const change = draft();
        const snapshot = () => Array.from({ length: ACCOUNTS }, (_, index) => change.account(index));
        let height = 1;
        for (const next of steps) {
          const before = snapshot();
          try {
            if (next.type === 'batch') {
              const firstNonce = change.account(next.sender).nonce + next.nonceOffset;
              applyBatch(change, genesis, batchOf(next.sender, firstNonce, next.operations), height);
            } else if (next.type === 'mint') change.mint('proof-score', 'epos', next.to, next.amount);
            else if (next.type === 'surplus') {
              change.mint('surplus', 'credit', next.seller, next.amount);
              change.move('credit', next.seller, next.buyer, next.amount / 2n);
            } else if (next.type === 'bill') {
              change.post([
                { account: next.payer, payMicro: next.amount },
                { account: EDC, payMicro: -next.amount },
              ]);
            } else {
              height += next.by;
              change.releaseUnbonded(height);
            }
            succeeded += 1;
          } catch (error) {
            if (!(error instanceof LedgerError)) throw error;
            failed += 1;
            expect(snapshot()).toEqual(before);
          }
          for (const { stakeMicro } of snapshot().slice(0, MEMBERS)) expect(stakeMicro).toBeGreaterThanOrEqual(20n);
          for (const { unbonding } of snapshot())
            for (const { releaseHeight } of unbonding) expect(releaseHeight).toBeGreaterThan(height);
        }
        expect(conservationFaults(change.finish())).toEqual([]);
      }),
      { numRuns: 300, seed: 7 },
    );
    // The run means something only when both kinds of steps occurred often.
    expect(succeeded).toBeGreaterThan(1_000);
    expect(failed).toBeGreaterThan(500);
  });
});
