import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { until } from '../network/network.ts';
import { ComposeProject, testImage, whyNoEngine } from './engine.ts';

const reason = whyNoEngine();
let project: ComposeProject;
const peers = ['peer-1', 'peer-2', 'peer-3', 'peer-4'];

interface Round {
  readonly round: number;
  readonly isAggregated: boolean;
  readonly modelHash: string;
  readonly updates: readonly { readonly rank: number }[];
}

/** Learning rounds in the blocks of a peer, as it tells them itself, and the hash of the model that it serves. */
async function learningOf(peer: string): Promise<{ readonly rounds: readonly Round[]; readonly served: string }> {
  const program = `
    const { api } = JSON.parse(require('node:fs').readFileSync('/config/node.json', 'utf8'));
    const ask = (path) => fetch('http://127.0.0.1:' + api.port + path);
    (async () => {
      // Before the blocks: while they are read, the next round may make another model.
      const served = (await ask('/model')).headers.get('x-model-hash');
      const { height } = await (await ask('/status')).json();
      const rounds = [];
      for (let at = 1; at <= height; at++) {
        const { settlement } = await (await ask('/blocks/' + at)).json();
        if (settlement?.round) rounds.push(settlement.round);
      }
      console.log(JSON.stringify({ rounds, served }));
    })();`;
  return JSON.parse(await project.compose('exec', '-T', peer, 'node', '-e', program));
}

describe('four EVs in containers', () => {
  beforeAll(async () => {
    if (reason !== undefined) return;
    project = new ComposeProject(`wattmesh-evs-test-${process.pid}`, await testImage());
    // A day of 24 seconds, then the rounds: more than one, since the first may come before all peers have started.
    vi.stubEnv('WATTMESH_PROTOCOL', 'posoc');
    vi.stubEnv('WATTMESH_SLOT_SECONDS', '1');
    vi.stubEnv('WATTMESH_ROUNDS_PER_DAY', '3');
    vi.stubEnv('WATTMESH_TRAINING_SECONDS', '8');
    await project.compose('up', '--detach');
  }, 240_000);
  beforeEach(({ skip }) => skip(reason !== undefined, reason));
  afterAll(async () => {
    await project?.compose('down', '--volumes', '--timeout', '5');
    vi.unstubAllEnvs();
  }, 120_000);

  test('trade for a day, learn, and hold one model', async () => {
    await until('a round that changed the model', 200_000, async () => {
      const markets = (await Promise.all(
        peers.map((peer) => project.api(peer, '/market').catch(() => ({ aggregations: 0 }))),
      )) as { aggregations: number }[];
      const found = markets.map(({ aggregations }) => aggregations);
      return { isDone: found.every((count) => count >= 1), found: found.join(', ') };
    });
    const learned = await Promise.all(peers.map(learningOf));
    // Peers are asked one after the other, so each may know a round more than the one before.
    const common = Math.min(...learned.map(({ rounds }) => rounds.length));
    const [first] = learned;
    for (const { rounds } of learned) expect(rounds.slice(0, common)).toEqual(first?.rounds.slice(0, common));
    const changed = first?.rounds.slice(0, common).filter(({ isAggregated }) => isAggregated) ?? [];
    expect(changed.length).toBeGreaterThan(0);
    for (const { updates } of changed) expect(updates.length).toBeGreaterThanOrEqual(3);
    // What a peer serves is a model that a round has made, not the one it began with.
    const made = new Set(learned.flatMap(({ rounds }) => rounds.map(({ modelHash }) => modelHash)));
    for (const { served } of learned) expect(made).toContain(served);
  });
});
