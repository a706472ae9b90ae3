import { afterEach, describe, expect, it } from 'vitest';
import { killAllAndResume } from './kills.ts';
import { type Ack, TestNetwork } from './network.ts';

describe('a network of ten whose peers are all killed, twenty times', () => {
  let net: TestNetwork;
  afterEach(() => net.destroy());

  it('loses nothing that it acknowledged and signs nothing twice', async () => {
    net = await TestNetwork.create(10, { slotPaceMs: 300, readyTimeoutMs: 4_000 }, 'twenty times');
    await net.start();
    await net.reaches(2);
    const acks: Ack[] = [];
    for (let round = 1; round <= 20; round += 1) await killAllAndResume(net, round, acks);
    expect(acks.length).toBeGreaterThan(5);
  });
});
