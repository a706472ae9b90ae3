import type { RunFigures } from '../run/result.ts';
import { number } from './axes.ts';

interface FigureLabel {
  /** What a person reads, with the unit. */
  readonly label: string;
  /** From the unit of the summary to that of the label. */
  readonly factor: number;
}

const plain = (label: string): FigureLabel => ({ label, factor: 1 });

/** How the figures of a run are called on pages, the unit last; files keep the names of the summary. */
export const FIGURE_LABELS: Readonly<Record<keyof RunFigures, FigureLabel>> = {
  seconds: plain('length of the run, s'),
  heights: plain('heights'),
  slots: plain('slots settled'),
  heightsPerSecond: plain('heights per second'),
  transactions: plain('transactions committed'),
  transactionsPerSecond: plain('transactions per second'),
  transactionP50Ms: plain('transaction latency, median, ms'),
  transactionP99Ms: plain('transaction latency, 99 %, ms'),
  blockP50Ms: plain('block latency, median, ms'),
  blockP99Ms: plain('block latency, 99 %, ms'),
  laterRounds: plain('blocks that took more than one round'),
  tradedWh: { label: 'energy traded, kWh', factor: 1e-3 },
  lossSavedHalfNanoWh: { label: 'line loss saved, Wh', factor: 0.5e-9 },
  cpuMsPerHeight: plain('processor time per height, all peers, ms'),
  processorWaitPercent: plain('peers waited for a processor, % of the time'),
  maxMemoryBytes: { label: 'memory of the largest peer, MB', factor: 1e-6 },
};

export const FIGURE_NAMES = Object.keys(FIGURE_LABELS) as (keyof RunFigures)[];

/** In the unit of the label; null when it was not measured, or not yet known to the program that wrote the summary. */
export function figureValue(figures: RunFigures, name: keyof RunFigures): number | null {
  const value = figures[name] as number | string | null | undefined;
  return value == null ? null : Number(value) * FIGURE_LABELS[name].factor;
}

export function figureText(figures: RunFigures, name: keyof RunFigures): string {
  const value = figureValue(figures, name);
  return value === null ? '-' : number(value);
}
