import { BatchEnvironment } from '../environment/batch-environment.ts';
import type { DayBatch } from '../environment/day-batch.ts';
import type { EnvironmentConfig } from '../environment/environment-config.ts';
import { SLOTS_PER_DAY, slotPrices } from '../environment/tariff.ts';
import { type FillRule, fillSlot } from '../market/fill.ts';
import type { Policy } from '../policy/policy.ts';

/** A lot's day after market clearing. kWh, CAD. */
export interface LotDay {
  readonly environment: BatchEnvironment;
  /** Cash of each EV as the market filled it. */
  readonly clearedCashCad: Float64Array;
  /** Energy that EVs sold to one another, and all that they bought or sold. */
  readonly matchedKwh: number;
  readonly tradedKwh: number;
  /** Share of the traded energy whose other side was an EV, 0 to 1; 0 when nothing was traded. */
  readonly v2vShare: number;
}

/**
 * Plays a day on which all EVs of a lot share the hour and clears each slot (section 6). All EVs must see one price in
 * a slot; that of EV 0 counts.
 */
export function playLotDay(config: EnvironmentConfig, days: DayBatch, policy: Policy, rule: FillRule): LotDay {
  const environment = new BatchEnvironment(config, days);
  const command = new Float64Array(days.count);
  const clearedCashCad = new Float64Array(days.count);
  let [matchedKwh, tradedKwh] = [0, 0];
  for (let hour = 0; hour < SLOTS_PER_DAY; hour++) {
    policy.act(environment, command);
    if (environment.step(command, hour) === 0) continue;
    const fill = fillSlot(rule, environment.actionKwh, slotPrices(days.priceCadPerKwh[hour] as number, config.tariff));
    fill.rows.forEach((row, i) => {
      clearedCashCad[i] = (clearedCashCad[i] as number) + row.cashCad;
    });
    matchedKwh += fill.matchedKwh;
    tradedKwh += fill.buyKwh + fill.sellKwh;
  }
  const v2vShare = tradedKwh > 0 ? (2 * matchedKwh) / tradedKwh : 0;
  return { environment, clearedCashCad, matchedKwh, tradedKwh, v2vShare };
}
