import { afterEach, describe, expect, it } from 'vitest';
import { TestNetwork } from './network.ts';

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
});
