import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { poegParametersOf, type SettlementDescription } from '@wattmesh/consensus';
import { settlementOf } from './block-report.ts';
import { type CsvValue, csvLine, wattHours } from './csv.ts';
import { InspectError } from './errors.ts';
import type { InspectedChain, Step } from './inspected-chain.ts';

/** Columns with their units; docs/inspect.md describes each. Money is in 10^-6 of the currency, so that it stays exact. */
export const CSV_COLUMNS = {
  'blocks.csv': [
    'height',
    'hash',
    'term',
    'slot',
    'kind',
    'composer_rank',
    'composer',
    'composing_round',
    'decided_round',
    'chain_time_ms',
    'transactions',
    'size_bytes',
    'voters',
    'state_root',
  ],
  'prosumers.csv': [
    'slot',
    'height',
    'rank',
    'name',
    'public_key',
    'production_Wh',
    'consumption_Wh',
    'sold_in_coalition_Wh',
    'bought_in_coalition_Wh',
    'export_Wh',
    'import_Wh',
    'loss_alone_Wh',
    'loss_charged_Wh',
    'singleton_score_Wh',
    'proof_score_Wh',
    'coalition_size',
    'bill_without_trading_micro',
    'bill_micro',
    'fee_micro',
    'share_micro',
    'metered_net_Wh',
    'deviation_micro',
    'mined',
  ],
  'trades.csv': [
    'slot',
    'height',
    'seller_rank',
    'seller',
    'buyer_rank',
    'buyer',
    'energy_Wh',
    'loss_rate_ppb',
    'loss_Wh',
    'price_micro_per_kWh',
  ],
} as const;
export type CsvFile = keyof typeof CSV_COLUMNS;

export interface ExportReport {
  readonly folder: string;
  /** Data rows by file. */
  readonly rows: Readonly<Record<CsvFile, number>>;
  /** Slots whose bills are in the chain; the market of the last open slot has trades but no bills yet. */
  readonly billedSlots: number;
}

/**
 * Writes `blocks.csv`, `prosumers.csv` (one row a member and slot) and `trades.csv` of a whole chain.
 * @throws InspectError INSPECT_NO_MARKET when the chain runs another application.
 */
export async function exportCsv(chain: InspectedChain, folder: string): Promise<ExportReport> {
  if (chain.rules.application.name !== 'poeg')
    throw new InspectError('INSPECT_NO_MARKET', `a ${chain.rules.application.name} chain has no prosumers to export`);
  await mkdir(folder, { recursive: true });
  const files = {
    blocks: open(folder, 'blocks.csv'),
    prosumers: open(folder, 'prosumers.csv'),
    trades: open(folder, 'trades.csv'),
  };
  const prosumers = new ProsumerRows(chain);
  let billedSlots = 0;
  for await (const step of chain.walk()) {
    await files.blocks.write(blockRow(chain, step));
    const settlement = settlementOf(chain, step);
    if (settlement === null) continue;
    if (settlement.billed !== null) billedSlots += 1;
    for (const row of tradeRows(chain, step.height, settlement)) await files.trades.write(row);
    for (const row of prosumers.settled(step.height, settlement)) await files.prosumers.write(row);
  }
  for (const row of prosumers.rest()) await files.prosumers.write(row);
  return {
    folder,
    rows: {
      'blocks.csv': await files.blocks.close(),
      'prosumers.csv': await files.prosumers.close(),
      'trades.csv': await files.trades.close(),
    },
    billedSlots,
  };
}

interface CsvWriter {
  write(values: readonly CsvValue[]): Promise<void>;
  close(): Promise<number>;
}

function open(folder: string, name: CsvFile): CsvWriter {
  const stream: WriteStream = createWriteStream(join(folder, name));
  const failed = new Promise<never>((_, reject) => stream.once('error', reject));
  failed.catch(() => undefined);
  let rows = 0;
  stream.write(csvLine(CSV_COLUMNS[name]));
  return {
    write: async (values) => {
      if (values.length !== CSV_COLUMNS[name].length)
        throw new RangeError(`a row of ${name} has ${values.length} values`);
      rows += 1;
      if (!stream.write(csvLine(values)))
        await Promise.race([new Promise<void>((resolve) => stream.once('drain', resolve)), failed]);
    },
    close: async () => {
      stream.end();
      await finished(stream);
      return rows;
    },
  };
}

function blockRow(chain: InspectedChain, { block, hash, encoded, certificate }: Step): CsvValue[] {
  const { height, term, slot, kind, composer, composingRound, chainTimeMs, stateRoot } = block.header;
  const transactions = block.batches.reduce((sum, { operations }) => sum + operations.length, 0);
  const voters = certificate.votes.map(({ voter }) => voter).join(' ');
  return [
    height,
    hash,
    term,
    slot,
    kind,
    composer,
    chain.name(composer),
    composingRound,
    certificate.round,
    chainTimeMs,
    transactions,
    encoded.length,
    voters,
    stateRoot,
  ];
}

function tradeRows(chain: InspectedChain, height: number, { market }: SettlementDescription): CsvValue[][] {
  const { ratePpb, prices } = poegParametersOf(chain.rules.genesis);
  return market.trades.map(({ seller, buyer, energyWh }) => {
    const rate = ratePpb[seller]?.[buyer] ?? 0n;
    return [
      market.slot,
      height,
      seller,
      chain.name(seller),
      buyer,
      chain.name(buyer),
      energyWh,
      rate,
      wattHours(2n * BigInt(energyWh) * rate),
      prices.localMicroPerKwh,
    ];
  });
}

type Row = { -readonly [column in (typeof CSV_COLUMNS)['prosumers.csv'][number]]: CsvValue };

/**
 * A slot's row is complete two settlements after its market was formed: the next one bills it, the one after that holds the
 * meters' readings. Rows are held back until then.
 */
class ProsumerRows {
  readonly #chain: InspectedChain;
  readonly #open = new Map<number, Row[]>();

  constructor(chain: InspectedChain) {
    this.#chain = chain;
  }

  /** Takes in a settlement; returns the rows that it completes. */
  *settled(height: number, { market, billed, deviations }: SettlementDescription): Generator<CsvValue[]> {
    this.#open.set(market.slot, marketRows(this.#chain, height, market));
    if (billed !== null) {
      for (const row of this.#open.get(billed.slot) ?? []) {
        const bill = billed.members.find(({ rank }) => rank === row.rank);
        row.bill_without_trading_micro = bill?.withoutTradingMicro ?? null;
        row.bill_micro = bill?.billMicro ?? null;
        row.fee_micro = bill?.feeMicro ?? null;
        row.share_micro = bill?.shareMicro ?? null;
        row.mined = row.rank === billed.composer ? 1 : 0;
      }
    }
    for (const { slot, rank, meteredNetWh, memberMicro } of deviations) {
      const row = this.#open.get(slot)?.find((each) => each.rank === rank);
      if (row === undefined) continue;
      row.metered_net_Wh = meteredNetWh;
      row.deviation_micro = memberMicro;
    }
    for (const [slot, rows] of this.#open) {
      if (slot > market.slot - 2) continue;
      this.#open.delete(slot);
      yield* rows.map(valuesOf);
    }
  }

  /** The rows of the last slots, with empty fields for what has not been settled yet. */
  *rest(): Generator<CsvValue[]> {
    for (const rows of this.#open.values()) yield* rows.map(valuesOf);
  }
}

function marketRows(chain: InspectedChain, height: number, market: SettlementDescription['market']): Row[] {
  const { members } = chain.rules.genesis;
  const sum = (side: 'seller' | 'buyer', rank: number): bigint =>
    market.trades.reduce((total, trade) => total + (trade[side] === rank ? BigInt(trade.energyWh) : 0n), 0n);
  return market.members.map((member) => ({
    slot: market.slot,
    height,
    rank: member.rank,
    name: chain.name(member.rank),
    public_key: members[member.rank]?.publicKey ?? null,
    production_Wh: member.productionWh,
    consumption_Wh: member.consumptionWh,
    sold_in_coalition_Wh: sum('seller', member.rank),
    bought_in_coalition_Wh: sum('buyer', member.rank),
    export_Wh: member.exportWh,
    import_Wh: member.importWh,
    loss_alone_Wh: wattHours(BigInt(member.lossAloneHalfNanoWh)),
    loss_charged_Wh: wattHours(BigInt(member.lossChargedHalfNanoWh)),
    singleton_score_Wh: member.singletonScoreWh,
    proof_score_Wh: member.proofScoreWh,
    coalition_size: market.coalitions.find(({ members: ranks }) => ranks.includes(member.rank))?.members.length ?? 1,
    bill_without_trading_micro: null,
    bill_micro: null,
    fee_micro: null,
    share_micro: null,
    metered_net_Wh: null,
    deviation_micro: null,
    mined: null,
  }));
}

function valuesOf(row: Row): CsvValue[] {
  return CSV_COLUMNS['prosumers.csv'].map((column) => row[column]);
}
