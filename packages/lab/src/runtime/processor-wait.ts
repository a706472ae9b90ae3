import { readFile } from 'node:fs/promises';

/** For how long the main thread of a process of this machine waited for a processor; null where Linux does not tell. */
export async function processorWaitMs(pid: number): Promise<number | null> {
  const text = await readFile(`/proc/${pid}/schedstat`, 'utf8').catch(() => '');
  const [, waitedNs] = /^\d+ (\d+) \d+/.exec(text) ?? [];
  return waitedNs === undefined ? null : Number(waitedNs) / 1e6;
}
