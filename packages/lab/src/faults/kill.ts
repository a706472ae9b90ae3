import { expectState, type FaultDriver } from './fault.ts';

/** `kill` and `stop`: the process is gone until the fault ends. */
export const kill: FaultDriver = async ({ runtime, controls }, { kind }, [name = '']) => {
  await expectState(runtime, name, 'up');
  const before = await runtime.instanceOf(name);
  await runtime.end(name, kind === 'stop' ? 'stop' : 'kill');
  return {
    prove: async () => ((await runtime.stateOf(name)) === 'down' ? `${before} is gone` : null),
    end: () => controls.start(name),
  };
};
