import { z } from 'zod';

/** Quantities as people write them in a scenario: a number and its unit. In the program they are plain numbers. */
const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000 };
const UNITS_BYTES: Readonly<Record<string, number>> = { 'B/s': 1, 'kB/s': 1_000, 'MB/s': 1_000_000 };

function scaled(pattern: RegExp, units: Readonly<Record<string, number>>): (text: string) => number {
  return (text) => {
    const [, digits = '', unit = ''] = pattern.exec(text) ?? [];
    return Math.round(Number(digits) * (units[unit] ?? Number.NaN));
  };
}

const DURATION = /^(\d+(?:\.\d+)?) ?(ms|s|min|h)$/;
const SIGNED_DURATION = /^(-?\d+(?:\.\d+)?) ?(ms|s|min|h)$/;
const BANDWIDTH = /^(\d+(?:\.\d+)?) ?(B\/s|kB\/s|MB\/s)$/;
const PERCENT = /^(\d+(?:\.\d+)?) ?%$/;

const milliseconds = scaled(DURATION, UNITS_MS);
const signedMilliseconds = scaled(SIGNED_DURATION, UNITS_MS);
const bytesPerSecond = scaled(BANDWIDTH, UNITS_BYTES);

/** `300ms`, `5s`, `2min`, `1h`, as milliseconds. */
export const duration = z
  .string('write a duration such as 500ms, 5s or 2min')
  .regex(DURATION, 'write a duration such as 500ms, 5s or 2min')
  .transform(milliseconds);

/** The same, which may be negative. */
export const signedDuration = z
  .string('write a duration such as 5s or -5s')
  .regex(SIGNED_DURATION, 'write a duration such as 5s or -5s')
  .transform(signedMilliseconds);

/** `64 kB/s`, as bytes per second. */
export const bandwidth = z
  .string('write a bandwidth such as 64kB/s')
  .regex(BANDWIDTH, 'write a bandwidth such as 64kB/s')
  .transform(bytesPerSecond)
  .refine((value) => value >= 1, 'at least 1B/s');

/** `5%`, as a ratio from 0 to 1. */
export const percent = z
  .string('write a share such as 5%')
  .regex(PERCENT, 'write a share such as 5%')
  .transform((text) => Number(PERCENT.exec(text)?.[1]) / 100)
  .refine((ratio) => ratio <= 1, 'at most 100%');

/** Milliseconds as a person would write them. */
export function durationText(ms: number): string {
  if (ms !== 0 && ms % 60_000 === 0) return `${ms / 60_000}min`;
  return ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`;
}
