import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../network/network.ts';
import { ComposeProject, testImage, whyNoEngine } from './engine.ts';

const reason = whyNoEngine();
let project: ComposeProject;
const peers = ['peer-1', 'peer-2', 'peer-3', 'peer-4'];

const heightOf = async (peer: string): Promise<number> =>
  ((await project.api(peer, '/status').catch(() => ({ height: 0 }))) as { height: number }).height;

async function reaches(height: number, which: readonly string[]): Promise<void> {
  await until(`height ${height}`, 120_000, async () => {
    const heights = await Promise.all(which.map(heightOf));
    return { isDone: heights.every((one) => one >= height), found: heights.join(', ') };
  });
}

async function holdingsAt(height: number): Promise<Set<string>> {
  const blocks = (await Promise.all(peers.map((peer) => project.api(peer, `/blocks/${height}`)))) as {
    hash: string;
    stateRoot: string;
  }[];
  return new Set(blocks.map(({ hash, stateRoot }) => `${hash} ${stateRoot}`));
}

describe('four peers in containers', () => {
  beforeAll(async () => {
    if (reason !== undefined) return;
    project = new ComposeProject(`wattmesh-test-${process.pid}`, await testImage());
    await project.compose('up', '--detach');
  }, 240_000);
  beforeEach(({ skip }) => skip(reason !== undefined, reason));
  afterAll(async () => {
    await project?.compose('down', '--volumes', '--timeout', '5');
  }, 120_000);

  test('commit blocks, are healthy, and hold one chain', async () => {
    await reaches(4, peers);
    await until('health', 60_000, async () => {
      const health = await Promise.all(peers.map((peer) => project.health(peer)));
      return { isDone: health.every((one) => one === 'healthy'), found: health.join(', ') };
    });
    expect(await holdingsAt(4)).toHaveProperty('size', 1);
  });

  test('go on without one that is stopped, and it catches up when it is started again', async () => {
    const rest = peers.filter((peer) => peer !== 'peer-3');
    await project.compose('stop', 'peer-3');
    const before = await heightOf('peer-1');
    await reaches(before + 3, rest);
    await project.compose('start', 'peer-3');
    const reached = await heightOf('peer-1');
    await reaches(reached + 1, peers);
    expect(await holdingsAt(reached)).toHaveProperty('size', 1);
    expect(await holdingsAt(reached + 1)).toHaveProperty('size', 1);
  });
});
