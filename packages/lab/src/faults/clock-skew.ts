import { expectState, type FaultDriver } from './fault.ts';

/** Reading two clocks takes a moment, and may fall on two sides of a millisecond. */
const TOLERANCE_MS = 5;

/** `clock-skew`: what the peer takes for the time is wrong. */
export const clockSkew: FaultDriver = async ({ runtime, controls }, { label, spec }, [name = '']) => {
  if (spec.do !== 'clock-skew') throw new Error(`${spec.do} is no clock fault`);
  await expectState(runtime, name, 'up');
  await controls.set(name, label, { clockSkewMs: spec.by });
  return {
    prove: async () => {
      if ((await runtime.stateOf(name)) !== 'up') return null;
      const { peerClockMs, machineClockMs } = await runtime.report(name, Number.MAX_SAFE_INTEGER);
      const skewMs = peerClockMs - machineClockMs;
      return Math.abs(skewMs - spec.by) <= TOLERANCE_MS ? `${name} takes the time for ${skewMs} ms ahead` : null;
    },
    end: () => controls.set(name, label, null),
  };
};
