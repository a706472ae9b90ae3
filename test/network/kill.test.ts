import { afterEach, describe, expect, it } from 'vitest';
import { killAllAndResume } from './kills.ts';
import { type Ack, TestNetwork } from './network.ts';

const TIMING = { slotPaceMs: 500, readyTimeoutMs: 4_000 };

describe('a network of ten whose peers are killed', () => {
  let net: TestNetwork;
  afterEach(() => net.destroy());

  it('goes on without three of them, and they catch up to the same state when they are back', async () => {
    net = await TestNetwork.create(10, TIMING, 'three of ten');
    await net.start();
    await net.reaches(4);
    const gone = [1, 4, 8];
    const rest = net.ranks.filter((rank) => !gone.includes(rank));
    await net.kill(gone);
    const { height } = await net.status(0);
    await net.reaches(height + 6, rest);
    await net.start(gone);
    const { height: reached } = await net.status(0);
    await net.reaches(reached + 2);
    expect(await net.holdingsAt(reached)).toHaveProperty('size', 1);
    expect(await net.holdingsAt(reached + 2)).toHaveProperty('size', 1);
  });

  it('loses nothing that it acknowledged and signs nothing twice when all are killed, twice', async () => {
    net = await TestNetwork.create(10, TIMING, 'all of ten');
    await net.start();
    await net.reaches(2);
    const acks: Ack[] = [];
    for (let round = 1; round <= 2; round += 1) await killAllAndResume(net, round, acks);
    expect(acks.length).toBeGreaterThan(0);
    const { height } = await net.status(0);
    await net.reaches(height);
    expect(await net.holdingsAt(height)).toHaveProperty('size', 1);
  });
});
