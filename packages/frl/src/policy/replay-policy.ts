import type { Policy } from './policy.ts';

/** Replays metered actions in kWh, one array per EV-day from its arrival on; past an array's end it idles. */
export function createReplayPolicy(actionsKwh: readonly ArrayLike<number>[]): Policy {
  return {
    name: 'replay',
    act(environment, command) {
      for (let i = 0; i < environment.days.count; i++) {
        const played = (environment.slot[i] as number) - (environment.days.arrivalSlot[i] as number);
        command[i] = (actionsKwh[i]?.[played] ?? 0) / environment.config.battery.powerLimitKw;
      }
    },
  };
}
