/**
 * Prints what merge-and-split saves on random slots, beside the baselines: the table of docs and theses.
 *
 *   node packages/market/scripts/reference-statistics.ts [seeds=60] [lossCharge=half|full] [loss=linear|clamped]
 */
import {
  clampedLoss,
  ENERGY_DISTRIBUTIONS,
  type EnergyDistribution,
  type LossCharge,
  type SlotStatistics,
  slotStatistics,
  summarize,
} from '../src/index.ts';
import { seededRng } from './seeded-rng.ts';

const seeds = Number(process.argv[2] ?? 60);
const lossCharge = (process.argv[3] ?? 'half') as LossCharge;
const wrapLoss = process.argv[4] === 'clamped' ? clampedLoss : undefined;

function row(label: string, slots: readonly SlotStatistics[], milliseconds: number): void {
  const summary = summarize(slots);
  const cells = Object.values(summary).map(
    ({ mean, standardDeviation }) => `${mean.toFixed(1)} (${standardDeviation.toFixed(1)})`,
  );
  console.log(`| ${[label, ...cells, (milliseconds / slots.length).toFixed(1)].join(' | ')} |`);
}

function slotsOf(count: number, distribution: EnergyDistribution): SlotStatistics[] {
  return Array.from({ length: seeds }, (_, seed) =>
    slotStatistics(count, distribution, seededRng(1_000_003 * count + seed), { lossCharge }, wrapLoss),
  );
}

console.log(
  '| n | traded % | saving % | grand LP % | single partner % | FCFS nearest % | mutual % | coalitions | LPs | charged saving % | ms |',
);
for (const count of [10, 20, 30, 40, 50]) {
  const all: SlotStatistics[] = [];
  const start = performance.now();
  for (const distribution of ENERGY_DISTRIBUTIONS) {
    const before = performance.now();
    const slots = slotsOf(count, distribution);
    row(`${count} ${distribution}`, slots, performance.now() - before);
    all.push(...slots);
  }
  row(`${count}`, all, performance.now() - start);
}
