import { expectState, type FaultDriver } from './fault.ts';

/** `restart`: asked to end, and started again at once. */
export const restart: FaultDriver = async ({ runtime, controls }, _, [name = '']) => {
  await expectState(runtime, name, 'up');
  const before = await runtime.instanceOf(name);
  await runtime.end(name, 'stop');
  await controls.start(name);
  const now = await runtime.instanceOf(name);
  return { prove: async () => (now === null || now === before ? null : `${before} became ${now}`) };
};
