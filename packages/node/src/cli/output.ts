import { styleText } from 'node:util';

type Cell = string | number;
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  readonly width?: number;
}

/** Rows under a header, columns as wide as their widest cell (or as given, for tables that grow while one watches). */
export class Table {
  readonly #columns: readonly Column[];
  readonly #widths: readonly number[];

  constructor(columns: readonly Column[], rows: readonly (readonly Cell[])[] = []) {
    this.#columns = columns;
    this.#widths = columns.map(({ title, width }, k) =>
      Math.max(title.length, width ?? 0, ...rows.map((row) => String(row[k] ?? '').length)),
    );
  }

  header(): string {
    return styleText('bold', this.row(this.#columns.map(({ title }) => title)));
  }

  row(cells: readonly Cell[]): string {
    return this.#columns
      .map(({ align }, k) => {
        const text = String(cells[k] ?? '');
        const width = this.#widths[k] ?? 0;
        return align === 'right' ? text.padStart(width) : text.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  }
}

export function printTable(columns: readonly Column[], rows: readonly (readonly Cell[])[]): void {
  const table = new Table(columns, rows);
  process.stdout.write(`${[table.header(), ...rows.map((row) => table.row(row))].join('\n')}\n`);
}

export function print(text = ''): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Wh as kWh with two decimals. */
export function kWh(wh: bigint | string): string {
  return (Number(wh) / 1_000).toFixed(2);
}

/** 10^-6 currency (or tokens) as currency with `decimals` decimals. */
export function money(micro: bigint | string, decimals = 2): string {
  return (Number(micro) / 1_000_000).toFixed(decimals);
}
