import { spawnSync } from 'node:child_process';
import fs, { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StoreWrite } from '@wattmesh/consensus';
import { expect, it, onTestFinished, vi } from 'vitest';
import { PeerShell } from '../../src/shell/peer-shell.ts';
import { storeCodec } from '../../src/store/chain-codec.ts';
import { ChainStore } from '../../src/store/chain-store.ts';
import { tempFolder } from '../temp-folder.ts';
import { dealtFolder } from './dealt-folder.ts';
import { history, lonelyPeer } from './history.ts';

const { chain, writes } = history(6);
const codec = storeCodec(chain.rules);

/** A folder whose disk can be filled and freed: a real small one where this user may mount it, else a failing `write`. */
async function smallDisk(): Promise<{ folder: string; kind: string; fill(): void; free(): void }> {
  const folder = tempFolder();
  const chainId = chain.rules.chainId;
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
  if (mount.status === 0) {
    onTestFinished(() => void spawnSync('umount', ['-l', folder]));
    const ballast = join(folder, 'ballast');
    const fill = (): void => {
      for (let bytes = 1_048_576; bytes >= 512; bytes >>= 1)
        try {
          writeFileSync(ballast, Buffer.alloc(bytes), { flag: 'a' });
        } catch {
          // Half as much may still fit.
        }
    };
    return {
      folder: await dealtFolder(chainId, join(folder, 'data')),
      kind: 'tmpfs',
      fill,
      free: () => rmSync(ballast),
    };
  }
  return { folder: await dealtFolder(chainId, folder), kind: 'injected', ...(await failingWrites()) };
}

/** Every append writes its first half and then finds the disk full. */
async function failingWrites(): Promise<{ fill(): void; free(): void }> {
  const { writeSync } = fs;
  const fill = (): void => {
    vi.spyOn(fs, 'writeSync').mockImplementation(((fd: number, bytes: Uint8Array, offset: number): number => {
      writeSync(fd, bytes, offset, (bytes.length - offset) >> 1);
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    }) as typeof fs.writeSync);
  };
  onTestFinished(() => void vi.restoreAllMocks());
  return { fill, free: () => void vi.restoreAllMocks() };
}

it.each([
  ['a small disk (or, where none can be mounted, failing writes)', smallDisk],
  ['failing writes', async () => ({ folder: await dealtFolder(chain.rules.chainId), ...(await failingWrites()) })],
])('fails with STORE_FULL and keeps what it had: %s', async (_, create) => {
  const { folder, fill, free } = await create();
  const store = await ChainStore.open(folder, codec);
  const first = writes.findIndex(({ type }) => type === 'commit') + 1;
  await store.write(writes.slice(0, first));
  fill();
  await expect(repeatedly(store, writes.slice(first))).rejects.toMatchObject({ code: 'STORE_FULL' });
  // A later write must not succeed behind one that failed, even when there is room again.
  const durable = store.head;
  free();
  await expect(store.write(writes.slice(-1))).rejects.toMatchObject({ code: 'STORE_FULL' });
  await store.close();

  const again = await ChainStore.open(folder, codec);
  expect(again.head).toBe(durable);
  expect(again.load().silentThrough).toBe(0);
  await again.write(writes.filter((write) => write.type === 'commit' && write.commit.height > durable));
  await again.close();
});

it('is not repaired, let alone emptied, while its disk is full', async () => {
  const { folder, kind, fill, free } = await smallDisk();
  const store = await ChainStore.open(folder, codec);
  await store.write(writes);
  await store.close();
  fill();
  if (kind === 'tmpfs') await expect(ChainStore.open(folder, codec)).rejects.toMatchObject({ code: 'STORE_FULL' });
  free();
  const again = await ChainStore.open(folder, codec);
  expect(again.head).toBe(6);
  await again.close();
});

it('stops the peer with that error, which says nothing more; after a restart it goes on', async () => {
  const { folder, fill, free } = await smallDisk();
  const store = await ChainStore.open(folder, codec);
  let sentAfterFailure = 0;
  let hasFailed = false;
  const failed = Promise.withResolvers<unknown>();
  const send = (): void => {
    if (hasFailed) sentAfterFailure += 1;
  };
  const peer = lonelyPeer(chain, store.load());
  const shell = new PeerShell(peer, {
    nowMs: Date.now,
    write: async (group: readonly StoreWrite[]) => {
      try {
        await store.write(group);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    },
    broadcast: send,
    send,
    notice: send,
    fatal: failed.resolve,
  });
  await shell.start();
  fill();
  expect(await failed.promise).toMatchObject({ code: 'STORE_FULL' });
  expect(shell.handle({ type: 'timer', id: 'status' })).toEqual({ verdict: 'ignore', code: 'PEER_STOPPED' });
  await shell.stop();
  expect(sentAfterFailure).toBe(0);
  // What the peer shows is what is on the disk.
  expect(shell.view.state.height).toBeLessThanOrEqual(store.head);
  const durable = store.head;
  await store.close();
  free();

  const again = await ChainStore.open(folder, codec);
  expect(again.head).toBe(durable);
  const restarted = lonelyPeer(chain, again.load()).handle({ type: 'start', nowMs: Date.now() });
  await again.write(restarted.writes);
  expect(again.head).toBeGreaterThan(durable);
  await again.close();
});

/** Writes one by one, then the last commits' journal again and again: a disk that is nearly full is full sooner or later. */
async function repeatedly(store: ChainStore, rest: readonly StoreWrite[]): Promise<void> {
  for (const write of rest) await store.write([write]);
  for (;;) await store.write([{ type: 'journal', bytes: new Uint8Array(10_000) }]);
}
