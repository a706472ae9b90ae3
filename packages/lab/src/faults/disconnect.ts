import { expectState, type FaultDriver, keyOf } from './fault.ts';

/** `disconnect`: no connection to anybody. Where a peer has a network of its own it is taken off that. */
export const disconnect: FaultDriver = async ({ runtime, controls }, { label }, [name = '']) => {
  await expectState(runtime, name, 'up');
  const { cable } = runtime;
  if (cable !== undefined) {
    await cable.unplug(name);
    return {
      prove: async () => ((await cable.isPlugged(name)) ? null : `${name} is on no network`),
      end: () => cable.plug(name),
    };
  }
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
