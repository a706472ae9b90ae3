import { expectState, type FaultDriver, keyOf } from './fault.ts';

/** `disconnect`: no connection to anybody. */
export const disconnect: FaultDriver = async ({ runtime, controls }, { label }, [name = '']) => {
  await expectState(runtime, name, 'up');
  const { connected: before } = await runtime.report(name, 0);
  const links = runtime.names
    .filter((other) => other !== name)
    .map((other) => ({ remote: keyOf(runtime, other), direction: 'out' as const, severed: true }));
  await controls.set(name, label, { links });
  return {
    prove: async () => {
      if ((await runtime.stateOf(name)) !== 'up') return null;
      const { connected } = await runtime.report(name, 0);
      return connected === 0 && before > 0 ? `${name} had ${before} connections and has none` : null;
    },
    end: () => controls.set(name, label, null),
  };
};
