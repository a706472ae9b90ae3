import { getJson, type StatusView } from '@wattmesh/node';
import { NO_JOURNAL, type Runtime } from '../runtime/runtime.ts';
import { expectState, type FaultDriver } from './fault.ts';

/** `wipe`: killed, its data removed, and started again with an empty disk. */
export const wipe: FaultDriver = async ({ runtime, controls }, { lasts }, [name = '']) => {
  await expectState(runtime, name, 'up');
  const before = await heightOf(runtime.apiUrl(name));
  await runtime.end(name, 'kill');
  await runtime.wipe(name);
  const isEmpty = await hasNoJournal(runtime, name);
  const start = (): Promise<void> => controls.start(name);
  const prove = async (): Promise<string | null> => (isEmpty ? `the disk that held ${before} heights is empty` : null);
  if (lasts !== null) return { prove, end: start };
  await start();
  return { prove };
};

/** That a journal cannot be read does not show that it is gone. */
async function hasNoJournal(runtime: Runtime, name: string): Promise<boolean> {
  return runtime.journal(name).then(
    ({ damage }) => damage === NO_JOURNAL,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  );
}

async function heightOf(apiUrl: string | null): Promise<number> {
  return apiUrl === null ? 0 : (await getJson<StatusView>(apiUrl, '/status')).height;
}
