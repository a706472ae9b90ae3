import { styleText } from 'node:util';
import type { SettlementDescription } from '@wattmesh/consensus';
import type { AccountHistory } from '../../inspect/account-history.ts';
import type { AccountChange, BlockReport, BlockRow } from '../../inspect/block-report.ts';
import { kWh, money, print, printTable } from '../output.ts';

type NameOf = (rank: number) => string;

export function showBlocks(rows: readonly BlockRow[], head: number): void {
  printTable(
    [
      { title: 'height', align: 'right' },
      { title: 'hash' },
      { title: 'kind' },
      { title: 'term', align: 'right' },
      { title: 'slot', align: 'right' },
      { title: 'composer' },
      { title: 'round', align: 'right' },
      { title: 'chain time (UTC)' },
      { title: 'transactions', align: 'right' },
      { title: 'bytes', align: 'right' },
      { title: 'votes', align: 'right' },
    ],
    rows.map((row) => [
      row.height,
      row.hash.slice(0, 12),
      row.kind,
      row.term,
      row.slot,
      row.composerName,
      row.decidedInRound,
      new Date(row.chainTimeMs).toISOString().slice(0, 23).replace('T', ' '),
      row.transactions,
      row.bytes,
      row.voters.length,
    ]),
  );
  print(`head: ${head}`);
}

export function showBlock(report: BlockReport, name: NameOf): void {
  print(`${styleText('bold', `block ${report.height}`)}  ${report.hash}`);
  print(`${report.kind} of slot ${report.slot}, term ${report.term}; ${report.bytes} bytes`);
  print(
    `composed by ${report.composerName} in round ${report.composingRound}, decided in round ${report.decidedInRound}`,
  );
  print(`votes kept: ${report.voters.map(name).join(', ')}`);
  print(`parent ${report.parentHash}`);
  print(`state  ${report.stateRoot}`);
  if (report.transactions.length > 0) showTransactions(report);
  if (report.settlement !== null) showSettlement(report.settlement, name);
  showChanges(report.changes);
}

function showTransactions({ transactions }: BlockReport): void {
  heading('Transactions');
  printTable(
    [{ title: 'id' }, { title: 'sender' }, { title: 'nonce', align: 'right' }, { title: 'operation' }],
    transactions.map(({ id, sender, nonce, operation }) => [
      id.slice(0, 16),
      sender.slice(0, 16),
      nonce,
      Object.entries(operation)
        .map(([key, value]) => `${key}=${value.length > 20 ? value.slice(0, 16) : value}`)
        .join(' '),
    ]),
  );
}

function showSettlement({ billed, deviations, market }: SettlementDescription, name: NameOf): void {
  if (billed !== null) {
    const rewarded = billed.rewarded.length === 0 ? 'nobody' : billed.rewarded.map(name).join(', ');
    heading(`Bills of slot ${billed.slot} (currency units; negative: income)`);
    print(`traded ${kWh(billed.energyTradedWh)} kWh; mining reward ${money(billed.rewardMicro, 6)} to ${rewarded}`);
    printTable(
      [
        { title: 'member' },
        { title: 'without trading', align: 'right' },
        { title: 'bill', align: 'right' },
        { title: 'fee', align: 'right' },
        { title: 'reward', align: 'right' },
      ],
      billed.members.map((bill) => [
        name(bill.rank),
        money(bill.withoutTradingMicro, 4),
        money(bill.billMicro, 4),
        money(bill.feeMicro, 6),
        money(bill.shareMicro, 6),
      ]),
    );
  }
  const deviating = deviations.filter(({ memberMicro }) => memberMicro !== '0');
  if (deviating.length > 0) {
    heading(`Deviations of slot ${deviating[0]?.slot}`);
    printTable(
      [
        { title: 'member' },
        { title: 'announced Wh', align: 'right' },
        { title: 'metered Wh', align: 'right' },
        { title: 'charge', align: 'right' },
      ],
      deviating.map((one) => [name(one.rank), one.announcedNetWh, one.meteredNetWh, money(one.memberMicro, 4)]),
    );
  }
  heading(`Market of slot ${market.slot}`);
  print(
    `${kWh(market.energyTradedWh)} kWh traded, ${(Number(market.physicalSavingHalfNanoWh) / 2e9).toFixed(1)} Wh of loss saved, ${market.coalitions.length} coalitions after ${market.rounds} rounds`,
  );
  printTable(
    [
      { title: 'member' },
      { title: 'made Wh', align: 'right' },
      { title: 'used Wh', align: 'right' },
      { title: 'to EDC Wh', align: 'right' },
      { title: 'from EDC Wh', align: 'right' },
      { title: 'score alone Wh', align: 'right' },
      { title: 'score Wh', align: 'right' },
      { title: 'coalition' },
    ],
    market.members.map((one) => [
      name(one.rank),
      one.productionWh,
      one.consumptionWh,
      one.exportWh,
      one.importWh,
      one.singletonScoreWh,
      one.proofScoreWh,
      (market.coalitions.find(({ members }) => members.includes(one.rank))?.members ?? []).map(name).join(' '),
    ]),
  );
  if (market.trades.length === 0) return;
  heading('Trades');
  printTable(
    [{ title: 'seller' }, { title: 'buyer' }, { title: 'Wh', align: 'right' }],
    market.trades.map(({ seller, buyer, energyWh }) => [name(seller), name(buyer), energyWh]),
  );
}

function showChanges(changes: readonly AccountChange[]): void {
  if (changes.length === 0) return;
  heading('What it changed');
  printTable(
    [
      { title: 'account' },
      { title: 'clearing', align: 'right' },
      { title: 'EPOS', align: 'right' },
      { title: 'UPOS', align: 'right' },
      { title: 'credit Wh', align: 'right' },
      { title: 'stake', align: 'right' },
    ],
    changes.map((one) => [
      one.name,
      money(one.clearingMicro, 6),
      money(one.eposMicro, 3),
      money(one.uposMicro, 6),
      one.creditWh,
      money(one.stakeMicro, 6),
    ]),
  );
}

export function showAccount({ name, account, rows }: AccountHistory): void {
  print(`${styleText('bold', name)}  ${account.role}  ${account.publicKey}`);
  printTable(
    [
      { title: 'height', align: 'right' },
      { title: 'slot', align: 'right' },
      { title: 'block' },
      { title: 'clearing', align: 'right' },
      { title: 'EPOS', align: 'right' },
      { title: 'UPOS', align: 'right' },
      { title: 'credit Wh', align: 'right' },
      { title: 'stake', align: 'right' },
      { title: 'nonce', align: 'right' },
    ],
    rows.map((row) => [
      row.height,
      row.slot,
      row.kind,
      money(row.clearingMicro, 6),
      money(row.eposMicro, 3),
      money(row.uposMicro, 6),
      row.creditWh,
      money(row.stakeMicro, 2),
      row.nonce,
    ]),
  );
}

export function heading(text: string): void {
  print(`\n${styleText('bold', text)}`);
}
