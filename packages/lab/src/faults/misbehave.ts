import { expectState, type FaultDriver, keyOf } from './fault.ts';
import { hasSaidSince } from './last-words.ts';

/** `misbehave`: restarted with a configuration that breaks the protocol, and again with an honest one when it ends. */
export const misbehave: FaultDriver = async ({ runtime, controls }, { spec, entryPeers }, [name = '']) => {
  if (spec.do !== 'misbehave') throw new Error(`${spec.do} is no misbehaviour`);
  const { choices, together } = spec;
  const others = together ? entryPeers.filter((other) => other !== name) : [];
  const restart = async (): Promise<void> => {
    await expectState(runtime, name, 'up');
    await runtime.end(name, 'stop');
    await controls.start(name);
  };
  controls.configure(name, { choices, accomplices: others.map((other) => keyOf(runtime, other)) });
  const sinceMs = Date.now();
  await restart();
  const names = choices.map((choice) => choice.name).join(' and ');
  return {
    prove: async () =>
      (await hasSaidSince(runtime, name, sinceMs, 'this member misbehaves'))
        ? `${name} says that it will ${names}`
        : null,
    end: async () => {
      controls.configure(name, null);
      await restart();
    },
  };
};
