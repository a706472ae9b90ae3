import { getJson, type StatusView } from '@wattmesh/node';
import { expectState, type FaultDriver } from './fault.ts';

/** `wipe`: killed, its data removed, and started again with an empty disk. */
export const wipe: FaultDriver = async ({ runtime, controls }, { lasts }, [name = '']) => {
  await expectState(runtime, name, 'up');
  const before = await heightOf(runtime.apiUrl(name));
  await runtime.end(name, 'kill');
  await runtime.wipe(name);
  const { records } = await runtime.journal(name).catch(() => ({ records: [] }));
  const start = (): Promise<void> => controls.start(name);
  const prove = async (): Promise<string | null> =>
    records.length === 0 ? `the disk that held ${before} heights is empty` : null;
  if (lasts !== null) return { prove, end: start };
  await start();
  return { prove };
};

async function heightOf(apiUrl: string | null): Promise<number> {
  return apiUrl === null ? 0 : (await getJson<StatusView>(apiUrl, '/status')).height;
}
