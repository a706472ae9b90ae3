import { afterEach, describe, expect, it } from 'vitest';
import { killAllAndResume } from './kills.ts';
import { type Ack, TestNetwork } from './network.ts';

const TIMING = { slotPaceMs: 500, readyTimeoutMs: 4_000 };

describe('a network of ten whose peers are killed', () => {
  let net: TestNetwork;
  afterEach(() => net.destroy());

  it('loses nothing that it acknowledged and signs nothing twice when all are killed, five times', async () => {
    net = await TestNetwork.create(10, TIMING, 'all of ten');
    await net.start();
    await net.reaches(2);
    const acks: Ack[] = [];
    for (let round = 1; round <= 5; round += 1) await killAllAndResume(net, round, acks);
    expect(acks.length).toBeGreaterThan(0);
    const { height } = await net.status(0);
    await net.reaches(height);
    expect(await net.holdingsAt(height)).toHaveProperty('size', 1);
  });
});
