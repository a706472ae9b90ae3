import type { BatchEnvironment } from './batch-environment.ts';

/** Metrics of one EV-day that has been played out (section 4). Money in CAD, energy in kWh. */
export interface DayMetrics {
  readonly cash: number;
  /** Cash plus the change of stored energy at the day's off-peak price. */
  readonly settled: number;
  /** RA: squared fraction of SOC missing at departure. */
  readonly rangeAnxiety: number;
  readonly degradation: number;
  /** U = cash - eta RA - degradation. */
  readonly objective: number;
  readonly moneyReturn: number;
  readonly shapedReturn: number;
  readonly socEnd: number;
  readonly boughtKwh: number;
  readonly soldKwh: number;
  readonly throughputKwh: number;
  readonly equivalentFullCycles: number;
  readonly tradeScoreKwh: number;
  /** min(1, socEnd / socTarget). */
  readonly satisfaction: number;
}

/** Metrics of day `index`; `socTarget` defaults to socMax. */
export function dayMetrics(environment: BatchEnvironment, index: number, socTarget?: number): DayMetrics {
  const { config, days, totals } = environment;
  const { battery } = config;
  const at = (values: Float64Array): number => values[index] as number;
  const energy = at(environment.energyKwh);
  const socEnd = energy / battery.capacityKwh;
  const rangeAnxiety = (battery.socMax - socEnd) ** 2;
  const cash = at(totals.cashCad);
  const degradation = at(totals.degradationCad);
  return {
    cash,
    settled: cash + (energy - at(days.initialEnergyKwh)) * at(days.offPriceCadPerKwh),
    rangeAnxiety,
    degradation,
    objective: cash - at(days.rangeAnxietyCad) * rangeAnxiety - degradation,
    moneyReturn: at(totals.moneyReturn),
    shapedReturn: at(totals.shapedReturn),
    socEnd,
    boughtKwh: at(totals.boughtKwh),
    soldKwh: at(totals.soldKwh),
    throughputKwh: at(totals.throughputKwh),
    equivalentFullCycles: at(totals.throughputKwh) / (2 * battery.capacityKwh),
    tradeScoreKwh: at(totals.tradeScoreKwh),
    satisfaction: Math.min(1, socEnd / (socTarget ?? battery.socMax)),
  };
}

/** Mean over EV-days and standard error of that mean. */
export interface MeanAndError {
  readonly mean: number;
  readonly standardError: number;
}

/** Mean and standard error of one metric over every day of a played-out environment. */
export function summariseMetric(metrics: readonly DayMetrics[], name: keyof DayMetrics): MeanAndError {
  const count = metrics.length;
  let sum = 0;
  for (const day of metrics) sum += day[name];
  const mean = sum / count;
  let squares = 0;
  for (const day of metrics) squares += (day[name] - mean) ** 2;
  return { mean, standardError: count > 1 ? Math.sqrt(squares / (count - 1) / count) : 0 };
}

/** Metrics of every day. */
export function allDayMetrics(environment: BatchEnvironment, socTarget?: number): DayMetrics[] {
  return Array.from({ length: environment.days.count }, (_, index) => dayMetrics(environment, index, socTarget));
}
