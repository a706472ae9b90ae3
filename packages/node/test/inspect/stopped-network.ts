import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { InspectedChain } from '../../src/inspect/inspected-chain.ts';
import { openChain } from '../../src/inspect/locate.ts';
import { type SmallNetwork, startSmallNetwork } from '../fixtures/small-network.ts';

/** The chains that a small network has left behind. */
export interface StoppedNetwork {
  readonly network: SmallNetwork;
  /** A folder for what the tests write. */
  readonly scratch: string;
  inspecting<T>(work: (chain: InspectedChain) => Promise<T>, peer?: string): Promise<T>;
}

/** Two peers run for some slots before the tests of a file, and stop. `meanwhile` sees them at the end of their run. */
export function stoppedNetwork(meanwhile: (network: SmallNetwork) => Promise<void> = async () => {}): StoppedNetwork {
  let network: SmallNetwork;
  let scratch: string;

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'wattmesh-inspect-'));
    network = await startSmallNetwork({ homes: 2 });
    await network.reached(6);
    await meanwhile(network);
    await network.stop();
  }, 60_000);

  afterAll(async () => {
    await network.stop();
    await network.remove();
    await rm(scratch, { recursive: true, force: true });
  });

  return {
    get network() {
      return network;
    },
    get scratch() {
      return scratch;
    },
    async inspecting(work, peer = 'p01') {
      const chain = await openChain({ run: network.folder, peer });
      try {
        return await work(chain);
      } finally {
        await chain.close();
      }
    },
  };
}
