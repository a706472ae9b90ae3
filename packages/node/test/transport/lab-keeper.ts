import { afterEach } from 'vitest';
import { bytesOf } from './inbox.ts';
import type { Lab, LabFactory, LabOptions, LabPeer } from './lab.ts';

/** Opens labs, and closes each after its test. */
export interface LabKeeper {
  labOf(options: LabOptions): Promise<{ lab: Lab; at: (index: number) => LabPeer }>;
  /**
   * Every given peer hears a fresh message of every other one. It shows without waiting that nothing more arrives: what a
   * peer gossips later on the same topic arrives later, so once a marker from every peer is there, so is everything before.
   */
  barrier(peers: readonly LabPeer[]): Promise<void>;
}

/** Within a `describe`. */
export function keeperOf(createLab: LabFactory): LabKeeper {
  let lab: Lab | null = null;
  afterEach(async () => {
    await lab?.close();
    lab = null;
  });
  let markers = 0;
  return {
    async labOf(options) {
      const created = createLab(options);
      lab = created;
      return {
        lab: created,
        at: (index) => {
          const peer = created.peers[index];
          if (peer === undefined) throw new RangeError(`no peer ${index}`);
          return peer;
        },
      };
    },
    async barrier(peers) {
      markers += 1;
      for (const peer of peers) peer.port.broadcast('bundles', bytesOf(`marker ${markers} of ${peer.id}`));
      for (const hearer of peers) {
        for (const peer of peers) if (peer !== hearer) await hearer.inbox.received(`marker ${markers} of ${peer.id}`);
      }
    },
  };
}
