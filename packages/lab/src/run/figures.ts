import type { RunFacts } from '../checks/facts.ts';
import { blockLatencies, committedInWindow, percentileOf, transactionLatencies } from '../checks/measured.ts';
import type { EventOf, LabEvent } from '../watch/events.ts';
import type { RunFigures } from './result.ts';

/** The figures of a run. */
export function figuresOf(facts: RunFacts, events: readonly LabEvent[]): RunFigures {
  const of = <T extends LabEvent['type']>(type: T): EventOf<T>[] =>
    events.filter((event): event is EventOf<T> => event.type === type);
  const blocks = of('block');
  const settlements = of('settlement');
  const seconds = facts.endMs / 1_000;
  const transactions = transactionLatencies(facts);
  const latencies = blockLatencies(facts).map(({ ms }) => ms);
  const percentile = (samples: readonly number[], which: number): number | null => {
    const value = percentileOf(samples, which);
    return Number.isFinite(value) ? Math.round(value) : null;
  };
  const sum = (values: readonly string[]): string => String(values.reduce((total, value) => total + BigInt(value), 0n));
  const samples = of('sample');
  const cpu = facts.names.map((name) =>
    growth(samples.filter(({ peer }) => peer === name).flatMap(({ cpuMs }) => cpuMs ?? [])),
  );
  const waited = facts.names.map((name) =>
    growth(samples.filter(({ peer }) => peer === name).flatMap(({ waitMs }) => waitMs ?? [])),
  );
  const memory = samples.flatMap(({ memoryBytes }) => memoryBytes ?? []);
  return {
    seconds: Math.round(seconds * 10) / 10,
    heights: blocks.length,
    slots: settlements.length,
    heightsPerSecond: Math.round((blocks.length / seconds) * 100) / 100,
    transactions: facts.load.committed,
    transactionsPerSecond:
      facts.loadWindowMs > 0 ? Math.round((committedInWindow(facts) / (facts.loadWindowMs / 1_000)) * 10) / 10 : null,
    transactionP50Ms: percentile(transactions, 50),
    transactionP99Ms: percentile(transactions, 99),
    blockP50Ms: percentile(latencies, 50),
    blockP99Ms: percentile(latencies, 99),
    laterRounds: blocks.filter(({ round }) => round > 0).length,
    tradedWh: sum(settlements.map(({ tradedWh }) => tradedWh)),
    lossSavedHalfNanoWh: sum(settlements.map(({ lossSavedHalfNanoWh }) => lossSavedHalfNanoWh)),
    cpuMsPerHeight: blocks.length === 0 ? null : Math.round(cpu.reduce((total, ms) => total + ms, 0) / blocks.length),
    processorWaitPercent: samples.every(({ waitMs }) => waitMs === null)
      ? null
      : Math.round((100 * waited.reduce((total, ms) => total + ms, 0)) / (facts.names.length * facts.endMs)),
    maxMemoryBytes: memory.length === 0 ? null : memory.reduce((largest, bytes) => Math.max(largest, bytes)),
  };
}

/** What a counter grew by; a restart sets it back to 0. */
function growth(values: readonly number[]): number {
  return values.reduce((sum, value, k) => {
    const before = k === 0 ? value : (values[k - 1] as number);
    return sum + (value >= before ? value - before : value);
  }, 0);
}
