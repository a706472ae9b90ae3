import { describe } from 'vitest';
import { conductCompliance } from './conduct-compliance.ts';
import { connectionCompliance } from './connection-compliance.ts';
import { gossipCompliance } from './gossip-compliance.ts';
import type { LabFactory } from './lab.ts';
import { keeperOf } from './lab-keeper.ts';

/** What every `TransportPort` must do. */
export function transportCompliance(name: string, createLab: LabFactory): void {
  describe(`${name} as a TransportPort`, () => {
    const keeper = keeperOf(createLab);
    gossipCompliance(keeper);
    connectionCompliance(keeper);
    conductCompliance(keeper);
  });
}
