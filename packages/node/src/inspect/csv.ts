/** Writing CSV (RFC 4180): comma, `\n`, quotes only where they are needed. */

export type CsvValue = string | number | bigint | boolean | null;

export function csvLine(values: readonly CsvValue[]): string {
  return `${values.map(field).join(',')}\n`;
}

function field(value: CsvValue): string {
  const text = value === null ? '' : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Half nanowatt-hours (1 Wh = 2 * 10^9) as an exact decimal number of Wh. */
export function wattHours(halfNanoWh: bigint): string {
  const tenths = halfNanoWh * 5n;
  const sign = tenths < 0n ? '-' : '';
  const digits = String(tenths < 0n ? -tenths : tenths).padStart(11, '0');
  const whole = digits.slice(0, -10);
  const rest = digits.slice(-10).replace(/0+$/, '');
  return `${sign}${whole}${rest === '' ? '' : `.${rest}`}`;
}
