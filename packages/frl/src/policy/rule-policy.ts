import { PERIODS, SLOTS_PER_DAY } from '../environment/tariff.ts';
import type { Policy } from './policy.ts';

const ON_PEAK = PERIODS.indexOf('on');

/** Discharges at pMax in on-peak hours and charges at pMax in all others. */
export const rulePolicy: Policy = {
  name: 'rule',
  act(environment, command) {
    for (let i = 0; i < environment.days.count; i++) {
      const period = environment.days.period[i * SLOTS_PER_DAY + (environment.slot[i] as number)];
      command[i] = period === ON_PEAK ? -1 : 1;
    }
  },
};
