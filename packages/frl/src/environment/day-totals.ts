import { PERIODS, SLOTS_PER_DAY } from './tariff.ts';

/** Sums over the slots of each EV-day; the metrics of section 4 derive from them. kWh are metered, positive. */
export class DayTotals {
  readonly cashCad: Float64Array;
  readonly degradationCad: Float64Array;
  readonly moneyReturn: Float64Array;
  readonly shapedReturn: Float64Array;
  readonly boughtKwh: Float64Array;
  readonly soldKwh: Float64Array;
  /** Per period, row-major: EV-day i, period p at `i * 3 + p`, in the order of `PERIODS`. */
  readonly boughtByPeriodKwh: Float64Array;
  readonly soldByPeriodKwh: Float64Array;
  /** Battery-side energy that went in or out. */
  readonly throughputKwh: Float64Array;
  /** T of section 7: sum of delta (sold - bought). */
  readonly tradeScoreKwh: Float64Array;
  /** Trace: metered action of each slot (`i * 24 + h`), zero while absent. */
  readonly actionBySlotKwh: Float64Array;
  /** Trace: stored energy at the start of each slot played (`i * 24 + h`), zero while absent. */
  readonly energyBySlotKwh: Float64Array;

  constructor(count: number) {
    const perDay = (): Float64Array => new Float64Array(count);
    this.cashCad = perDay();
    this.degradationCad = perDay();
    this.moneyReturn = perDay();
    this.shapedReturn = perDay();
    this.boughtKwh = perDay();
    this.soldKwh = perDay();
    this.boughtByPeriodKwh = new Float64Array(count * PERIODS.length);
    this.soldByPeriodKwh = new Float64Array(count * PERIODS.length);
    this.throughputKwh = perDay();
    this.tradeScoreKwh = perDay();
    this.actionBySlotKwh = new Float64Array(count * SLOTS_PER_DAY);
    this.energyBySlotKwh = new Float64Array(count * SLOTS_PER_DAY);
  }
}
