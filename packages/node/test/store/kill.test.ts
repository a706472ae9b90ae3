import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { storeCodec } from '../../src/store/chain-codec.ts';
import { ChainStore } from '../../src/store/chain-store.ts';
import { dealtFolder } from './dealt-folder.ts';
import { history } from './history.ts';

const HEIGHTS = 150;
const KILLS = 12;

it('loses nothing that was acknowledged when its process is killed in mid-write, a dozen times over', async () => {
  const { chain, writes, commits } = history(HEIGHTS);
  const folder = await dealtFolder(chain.rules.chainId);
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const acknowledged = await killAfter(folder, Math.floor((kill * writes.length) / (KILLS + 1)));
    const store = await ChainStore.open(folder, storeCodec(chain.rules));
    try {
      expect(store.repairs, `kill ${kill}`).toEqual([]);
      const committed = writes.slice(0, acknowledged).filter(({ type }) => type === 'commit').length;
      expect(store.head).toBeGreaterThanOrEqual(committed);
      const { head, journal, silentThrough } = store.load();
      expect(head?.state).toEqual(commits[store.head - 1]?.state);
      expect(silentThrough).toBe(0);
      // What was journalled after the last commit that was acknowledged is there, in order, whatever came after it.
      const from = writes.findLastIndex((write, k) => k < acknowledged && write.type === 'commit') + 1;
      const signed = writes
        .slice(from, acknowledged)
        .flatMap((write) => (write.type === 'journal' ? [write.bytes] : []));
      if (store.head === committed) expect(startOf(journal, signed)).toBeGreaterThanOrEqual(0);
    } finally {
      await store.close();
    }
  }
}, 60_000);

/** Lets a process write until it has acknowledged so many writes, and kills it while it goes on. */
async function killAfter(folder: string, count: number): Promise<number> {
  const script = new URL('killed-writer.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, folder, String(HEIGHTS)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let acknowledged = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged = Number(line);
    // Lines that were written before the signal arrived still come, and count.
    if (acknowledged >= count) child.kill('SIGKILL');
  }
  const [, signal] = await exited;
  expect(signal).toBe('SIGKILL');
  return acknowledged;
}

/** Where `part` stands in `whole` without a gap; -1 when it does not. */
function startOf(whole: readonly Uint8Array[], part: readonly Uint8Array[]): number {
  const text = (values: readonly Uint8Array[]): string =>
    values.map((value) => `${Buffer.from(value).toString('hex')}.`).join('');
  return text(whole).indexOf(text(part));
}
