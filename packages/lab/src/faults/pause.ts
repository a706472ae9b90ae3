import { expectState, type FaultDriver } from './fault.ts';

/** `pause`: the process is frozen and keeps its connections. */
export const pause: FaultDriver = async ({ runtime, controls }, _, [name = '']) => {
  await expectState(runtime, name, 'up');
  await runtime.pause(name);
  return {
    prove: async () =>
      (await runtime.stateOf(name)) === 'paused' ? `${await runtime.instanceOf(name)} is frozen` : null,
    end: async () => {
      await runtime.resume(name);
      await controls.refresh(name);
    },
  };
};
