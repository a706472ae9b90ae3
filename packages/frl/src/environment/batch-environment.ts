import { requireInput } from '../frl-error.ts';
import { advanceBattery, projectAction } from './battery.ts';
import type { DayBatch } from './day-batch.ts';
import { DayTotals } from './day-totals.ts';
import type { EnvironmentConfig } from './environment-config.ts';
import { PERIODS, SLOTS_PER_DAY } from './tariff.ts';

/**
 * Many EV-days side by side. Each EV has its own clock, `slot`, which starts at its arrival; `step` moves those that
 * are present. Pass an hour to `step` to move only the EVs whose clock shows it: a lot in which everybody shares the
 * hour. All EVs of a batch have one battery type and tariff rule; stay, prices and range anxiety are per EV-day.
 */
export class BatchEnvironment {
  readonly config: EnvironmentConfig;
  readonly days: DayBatch;
  readonly totals: DayTotals;
  /** The hour that each EV plays next; `departureSlot` once it has left. */
  readonly slot: Uint8Array;
  readonly energyKwh: Float64Array;
  /** Of the last `step`; `active` says for which EVs it happened. */
  readonly active: Uint8Array;
  readonly actionKwh: Float64Array;
  readonly cashCad: Float64Array;
  readonly shapedReward: Float64Array;
  readonly moneyReward: Float64Array;

  constructor(config: EnvironmentConfig, days: DayBatch) {
    this.config = config;
    this.days = days;
    this.totals = new DayTotals(days.count);
    this.slot = Uint8Array.from(days.arrivalSlot);
    this.energyKwh = Float64Array.from(days.initialEnergyKwh);
    this.active = new Uint8Array(days.count);
    this.actionKwh = new Float64Array(days.count);
    this.cashCad = new Float64Array(days.count);
    this.shapedReward = new Float64Array(days.count);
    this.moneyReward = new Float64Array(days.count);
  }

  /** Whether EV `index` is still here. */
  isPresent(index: number): boolean {
    return (this.slot[index] as number) < (this.days.departureSlot[index] as number);
  }

  /** What the learner is trained on: shaped with delta, money without. */
  get reward(): Float64Array {
    return this.config.observation.useDelta ? this.shapedReward : this.moneyReward;
  }

  /**
   * Plays one slot. `command[i]` in [-1, 1] is EV i's request as a share of pMax (the projection clips what lies beyond);
   * absent EVs' commands are ignored. Returns how many EVs moved. Throws `FRL_INVALID_INPUT` on a command that is not a number.
   */
  step(command: ArrayLike<number>, hour?: number): number {
    let moved = 0;
    for (let i = 0; i < this.days.count; i++) {
      const moves = this.isPresent(i) && (hour === undefined || this.slot[i] === hour);
      this.active[i] = moves ? 1 : 0;
      if (!moves) {
        this.actionKwh[i] = 0;
        this.cashCad[i] = 0;
        this.shapedReward[i] = 0;
        this.moneyReward[i] = 0;
        continue;
      }
      const value = command[i] as number;
      if (Number.isNaN(value)) {
        requireInput(false, `command of EV ${i} is not a number`, { index: i, slot: this.slot[i] as number });
      }
      this.requestEnergy(i, value * this.config.battery.powerLimitKw);
      moved++;
    }
    return moved;
  }

  /** Plays EV `i`'s slot with a metered request in kWh and advances its clock. */
  private requestEnergy(i: number, requestKwh: number): void {
    const { battery, tariff } = this.config;
    const { days, totals } = this;
    const hour = this.slot[i] as number;
    const at = i * SLOTS_PER_DAY + hour;
    const before = this.energyKwh[i] as number;
    const action = projectAction(battery, before, requestKwh);
    const after = advanceBattery(battery, before, action);
    const throughput = Math.abs(after - before);
    const degradation = battery.degradationCadPerKwh * throughput;
    const delta = days.delta[at] as number;
    const price = tariff.v2vFactor * (days.priceCadPerKwh[at] as number);
    const cash = -action * price - Math.abs(action) * tariff.serviceFeeCadPerKwh + 0;

    let terminal = 0;
    if (hour === (days.departureSlot[i] as number) - 1) {
      terminal = terminalReward(this.config, days.rangeAnxietyCad[i] as number, after);
    }
    const shaped = delta * cash - degradation + terminal;
    const money = cash - degradation + terminal;
    this.actionKwh[i] = action;
    this.cashCad[i] = cash;
    this.shapedReward[i] = shaped;
    this.moneyReward[i] = money;
    this.energyKwh[i] = after;
    this.slot[i] = hour + 1;

    const bought = Math.max(0, action);
    const sold = Math.max(0, -action);
    const byPeriod = i * PERIODS.length + (days.period[at] as number);
    add(totals.cashCad, i, cash);
    add(totals.degradationCad, i, degradation);
    add(totals.shapedReturn, i, shaped);
    add(totals.moneyReturn, i, money);
    add(totals.boughtKwh, i, bought);
    add(totals.soldKwh, i, sold);
    add(totals.boughtByPeriodKwh, byPeriod, bought);
    add(totals.soldByPeriodKwh, byPeriod, sold);
    add(totals.throughputKwh, i, throughput);
    add(totals.tradeScoreKwh, i, delta * (sold - bought));
    totals.actionBySlotKwh[at] = action;
    totals.energyBySlotKwh[at] = before;
  }
}

/** Reward of leaving with `energyKwh`: minus (or, with `literal`, plus) eta times the squared missing SOC. */
export function terminalReward(config: EnvironmentConfig, rangeAnxietyCad: number, energyKwh: number): number {
  const missing = config.battery.socMax - energyKwh / config.battery.capacityKwh;
  const anxiety = rangeAnxietyCad * missing * missing;
  // Adding zero turns -0 into 0.
  return (config.rewardSign === 'literal' ? anxiety : -anxiety) + 0;
}

function add(target: Float64Array, index: number, value: number): void {
  target[index] = (target[index] as number) + value;
}
