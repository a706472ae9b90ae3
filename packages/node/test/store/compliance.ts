import { decodeBlock, type StoreWrite } from '@wattmesh/consensus';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PeerStore } from '../../src/store/peer-store.ts';
import { history, lonelyPeer } from './history.ts';

/** How the suite gets at one implementation. */
export interface StoreLab {
  readonly store: PeerStore;
  /** As after the end of the process: everything but what is on the disk is gone. */
  reopen(): Promise<PeerStore>;
  destroy(): Promise<void>;
}

const { chain, writes, commits } = history(14);

/** What every store of a peer keeps its promise of, run against the real one and the simulated one. */
export function storeCompliance(name: string, create: (chainOf: typeof chain) => Promise<StoreLab>): void {
  const inLab = async (use: (lab: StoreLab) => Promise<void>): Promise<void> => {
    const lab = await create(chain);
    try {
      await use(lab);
    } finally {
      await lab.destroy();
    }
  };

  describe(`${name} as a peer's store`, () => {
    it('is empty when it is new', () =>
      inLab(async (lab) => {
        const empty = { head: null, journal: [], silentThrough: 0 };
        expect(lab.store.load()).toEqual(empty);
        expect(lab.store.block(1)).toBeNull();
        expect((await lab.reopen()).load()).toEqual(empty);
      }));

    it('holds after a restart what was acknowledged, whatever the number and size of the writes', () =>
      fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: writes.length }),
          fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
          fc.boolean(),
          (count, sizes, restartsBetween) =>
            inLab(async (lab) => {
              let { store } = lab;
              const written = writes.slice(0, count);
              for (let from = 0; from < count; ) {
                const to = Math.min(count, from + (sizes.next().value ?? 1));
                await store.write(written.slice(from, to));
                if (restartsBetween) store = await lab.reopen();
                from = to;
              }
              expectToHold(await lab.reopen(), written);
            }),
        ),
        { numRuns: 12, seed: 1 },
      ));

    it('lets a peer go on from where it was', () =>
      inLab(async (lab) => {
        await lab.store.write(writes);
        const peer = lonelyPeer(chain, (await lab.reopen()).load());
        // It is its own quorum, so that it goes on at once.
        const [next] = peer.handle({ type: 'start', nowMs: 0 }).writes.filter((write) => write.type === 'commit');
        expect(next?.commit.height).toBe(commits.length + 1);
        const { header } = decodeBlock(next?.commit.block as Uint8Array);
        expect(header.parentHash).toBe(commits.at(-1)?.blockHash);
      }));

    it('refuses a height that does not follow its head', () =>
      inLab(async ({ store }) => {
        const [, second] = commits;
        await expect(store.write([{ type: 'commit', commit: second as (typeof commits)[number] }])).rejects.toThrow(
          /height/,
        );
      }));
  });
}

/** Blocks, head, and the journal from the last commit on: what stands before it may have been cleared. */
export function expectToHold(store: PeerStore, written: readonly StoreWrite[]): void {
  const held = written.flatMap((write) => (write.type === 'commit' ? [write.commit] : []));
  for (const { height, block, certificate } of held)
    expect(store.block(height)).toEqual({ block: bytes(block), certificate: bytes(certificate) });
  expect(store.block(held.length + 1)).toBeNull();
  const { head, journal, silentThrough } = store.load();
  const last = held.at(-1);
  expect(head).toEqual(last === undefined ? null : { state: bytes(last.state), certificate: bytes(last.certificate) });
  const sinceHead = written
    .slice(written.findLastIndex(({ type }) => type === 'commit') + 1)
    .flatMap((write) => (write.type === 'journal' ? [bytes(write.bytes)] : []));
  expect(journal.slice(journal.length - sinceHead.length)).toEqual(sinceHead);
  expect(silentThrough).toBe(0);
}

function bytes(value: Uint8Array): Uint8Array {
  return new Uint8Array(value);
}
