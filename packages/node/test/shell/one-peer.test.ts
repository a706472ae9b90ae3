import { expect, it } from 'vitest';
import { SimulatedDisk } from '../../../consensus/test/world/disk.ts';
import { worldChain } from '../../../consensus/test/world/genesis.ts';
import { lonelyPeer } from '../store/history.ts';

it('a peer that is its own quorum pauses between its blocks, so that they can be written', () => {
  const chain = worldChain({ seed: 'alone', members: 1, clock: 'ready', slotMs: 1_000, genesisTimeMs: 1_000 });
  const disk = new SimulatedDisk();
  const peer = lonelyPeer(chain, disk.load(), disk);
  let output = peer.handle({ type: 'start', nowMs: 2_000 });
  for (let event = 0; event < 5; event += 1) {
    const commits = output.writes.filter(({ type }) => type === 'commit').length;
    expect(commits).toBeGreaterThan(0);
    expect(commits).toBeLessThanOrEqual(2);
    const pause = output.timers.find(({ delayMs }) => delayMs === 0);
    expect(pause).toBeDefined();
    output = peer.handle({ type: 'timer', id: pause?.id ?? '', nowMs: 2_000 + event });
  }
});
