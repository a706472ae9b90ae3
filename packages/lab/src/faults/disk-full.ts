import { expectState, type FaultDriver } from './fault.ts';
import { hasSaidSince } from './last-words.ts';

/** `disk-full`: the next write fails and the peer stops; when the fault ends there is room, and it is started again. */
export const diskFull: FaultDriver = async ({ runtime, controls }, { label }, [name = '']) => {
  await expectState(runtime, name, 'up');
  const sinceMs = Date.now();
  await controls.set(name, label, { diskFull: true });
  return {
    prove: async () => {
      if ((await runtime.stateOf(name)) !== 'down') return null;
      return (await hasSaidSince(runtime, name, sinceMs, 'STORE_FULL')) ? `${name} stopped with STORE_FULL` : null;
    },
    end: async () => {
      await controls.set(name, label, null);
      if ((await runtime.stateOf(name)) === 'down') await controls.start(name);
    },
  };
};
