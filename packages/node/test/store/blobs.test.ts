import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StoreCodec } from '../../src/store/chain-check.ts';
import { ChainStore } from '../../src/store/chain-store.ts';

const CODEC: StoreCodec = {
  evidenceBlocks: 100,
  chainId: '00'.repeat(32),
  describeBlock: (bytes) => JSON.parse(Buffer.from(bytes).toString()),
  describeCertificate: (bytes) => JSON.parse(Buffer.from(bytes).toString()),
  transactionIds: () => [],
  stateRoot: (bytes) => Buffer.from(bytes).toString(),
};
const KEPT_HEIGHTS = 128;
const hashOf = (name: string): string => Buffer.from(name).toString('hex').padEnd(64, '0');
const text = (value: unknown): Uint8Array => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

describe('blobs in the store', () => {
  let folder: string;
  let store: ChainStore;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wattmesh-store-'));
    store = await ChainStore.open(folder, CODEC);
  });
  afterEach(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function commit(height: number, listed: readonly string[] = [], wanted: readonly string[] = []): Promise<void> {
    const hash = hashOf(`block ${height}`);
    const parentHash = height === 1 ? CODEC.chainId : hashOf(`block ${height - 1}`);
    await store.write([
      {
        type: 'commit',
        commit: {
          height,
          blockHash: hash,
          block: text({ hash, parentHash, height, stateRoot: `root ${height}` }),
          certificate: text({ blockHash: hash, height }),
          state: text(`root ${height}`),
          transactionIds: [],
          carry: [],
          blobs: listed.map((name) => ({ hash: hashOf(name), bytes: text(name) })),
          wantedBlobs: wanted.map(hashOf),
        },
      },
    ]);
  }
  const held = (name: string): string | null => {
    const bytes = store.blob(hashOf(name));
    return bytes === null ? null : Buffer.from(bytes).toString();
  };

  it('are there as long as the states of their heights, and as long as the state refers to them', async () => {
    await commit(1, ['update', 'model', 'twice'], ['model']);
    await commit(2, ['twice'], ['model']);
    for (let height = 3; height <= KEPT_HEIGHTS; height += 1) await commit(height, [], ['model']);
    expect([held('update'), held('model'), held('twice')]).toEqual(['update', 'model', 'twice']);
    await commit(KEPT_HEIGHTS + 1, [], ['model']);
    expect([held('update'), held('model'), held('twice')]).toEqual([null, 'model', 'twice']);
    await commit(KEPT_HEIGHTS + 2, [], ['model']);
    expect([held('model'), held('twice')]).toEqual(['model', null]);
    // Referred to no longer: it goes when the height under which it was last filed does.
    for (let height = KEPT_HEIGHTS + 3; height <= 2 * KEPT_HEIGHTS + 1; height += 1) await commit(height);
    expect(held('model')).toBeNull();
  });

  it('survive a restart', async () => {
    await commit(1, ['model'], ['model']);
    await store.close();
    store = await ChainStore.open(folder, CODEC);
    expect(held('model')).toBe('model');
    expect(held('other')).toBeNull();
  });
});
