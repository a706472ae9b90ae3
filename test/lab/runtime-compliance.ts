import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Conductor, type FaultRecord } from '../../packages/lab/src/faults/conductor.ts';
import { Controls } from '../../packages/lab/src/faults/controls.ts';
import type { Runtime } from '../../packages/lab/src/runtime/runtime.ts';
import { parseScenario } from '../../packages/lab/src/scenario/read-scenario.ts';
import { getJson, type StatusView } from '../../packages/node/src/index.ts';
import { eventually } from './eventually.ts';

/** Four peers whose slots follow each other quickly. */
export const COMPLIANCE_SCENARIO = `name: compliance
peers: 4
consensus: {slotPace: 100ms, readyTimeout: 1s, timing: {proposeMs: 800}}
`;

/** What every runtime must do, and every fault in it. The peers live on from one test to the next. */
export function runtimeCompliance(name: string, create: () => Promise<Runtime>, limitMs: number): void {
  describe(`${name} as a runtime`, { timeout: 4 * limitMs }, () => {
    let runtime: Runtime;
    let controls: Controls;

    beforeAll(async () => {
      runtime = await create();
      controls = new Controls(runtime);
      await Promise.all(runtime.names.map((one) => runtime.start(one, {})));
      await committed(3);
    }, limitMs);
    afterAll(async () => {
      await runtime?.close();
    }, limitMs);

    const status = (peer: string): Promise<StatusView> => getJson<StatusView>(runtime.apiUrl(peer) ?? '', '/status');

    /** Waits until every peer has `more` heights than the largest now. */
    async function committed(more: number): Promise<void> {
      const heights = await Promise.all(runtime.names.map(async (peer) => (await status(peer)).height));
      const goal = Math.max(...heights) + more;
      for (const peer of runtime.names)
        await eventually(`${peer} at ${goal}`, async () => (await status(peer)).height >= goal, limitMs);
    }

    /** Runs one fault of a timeline to its end; `during` happens while it is on and proven. */
    async function inflict(entry: string, during: () => Promise<void> = async () => {}): Promise<FaultRecord> {
      const { plan } = parseScenario(`${COMPLIANCE_SCENARIO}timeline:\n  - ${entry}\n`, 'compliance');
      let isOver = false;
      const conductor = new Conductor(
        {
          ...plan,
          faults: plan.faults.map((fault) => ({ ...fault, lasts: null, endsAt: { unit: 'time', value: 1 } })),
        },
        {
          context: { runtime, controls },
          // Time stands at 0 until what happens during the fault has happened.
          progress: () => ({ elapsedMs: isOver ? 1 : 0, height: 0, slot: 0 }),
          miner: async () => 'p02',
          changed: () => undefined,
        },
      );
      const [record] = conductor.records as [FaultRecord];
      const ticked = (what: string, isReached: () => boolean): Promise<void> =>
        eventually(
          `${what} of ${record.label}`,
          () => {
            conductor.tick();
            return record.failure !== null || isReached();
          },
          limitMs,
        );
      try {
        await ticked('proof', () => record.proof !== null);
        if (record.failure !== null) throw new Error(record.failure);
        await during();
        isOver = true;
        await ticked('end', () => conductor.isDone);
      } finally {
        // A fault that is not over would fail the tests after this one too.
        await conductor.finish();
      }
      expect(record).toMatchObject({ failure: null, proof: expect.any(String), endedMs: expect.any(Number) });
      return record;
    }

    it('shows peers that are up, their use, their journals and their words', async () => {
      expect(await Promise.all(runtime.names.map((one) => runtime.stateOf(one)))).toEqual(['up', 'up', 'up', 'up']);
      expect(new Set(await Promise.all(runtime.names.map((one) => runtime.instanceOf(one)))).size).toBe(4);
      const { records, damage } = await runtime.journal('p01');
      expect(records.length).toBeGreaterThan(3);
      expect(damage).toBeNull();
      const usage = await runtime.usage('p01');
      expect(usage?.memoryBytes).toBeGreaterThan(10_000_000);
      expect(usage?.waitMs).toBeGreaterThan(0);
      expect(await runtime.lastWords('p01')).toContain('committed');
    });

    it.each(['kill', 'stop'])(
      '%s: the peer is gone, the others go on, and it comes back to the same chain',
      async (what) => {
        const before = await runtime.instanceOf('p02');
        await inflict(`{do: ${what}, at: 0s, peers: [p02]}`, async () => {
          expect(await runtime.stateOf('p02')).toBe('down');
          expect(runtime.apiUrl('p02')).toBeNull();
          await expect(runtime.report('p02', 0)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
          const { height } = await status('p01');
          await eventually('the others go on', async () => (await status('p03')).height > height + 1, limitMs);
        });
        expect(await runtime.instanceOf('p02')).not.toBe(before);
        await committed(2);
      },
    );

    it('pause: the peer is frozen with its connections, and goes on', async () => {
      await inflict('{do: pause, at: 0s, peers: [p03]}', async () => {
        expect(await runtime.stateOf('p03')).toBe('paused');
        const { height } = await status('p01');
        await eventually('the others go on', async () => (await status('p01')).height > height + 1, limitMs);
      });
      await committed(2);
    });

    it('restart and wipe: another instance, the second with an empty disk', async () => {
      const first = await runtime.instanceOf('p04');
      await inflict('{do: restart, at: 0s, peers: [p04]}');
      const second = await runtime.instanceOf('p04');
      expect(second).not.toBe(first);
      const { proof } = await inflict('{do: wipe, at: 0s, peers: [p04]}');
      expect(proof).toMatch(/^the disk that held [1-9]\d* heights is empty$/);
      expect(await runtime.instanceOf('p04')).not.toBe(second);
      await committed(2);
      // Until it may sign again it counts as one that is away, and four peers go on without one only.
      await eventually('p04 signs again', async () => !(await status('p04')).sittingOut, limitMs);
    });

    it('disconnect: no connection, and all of them again', async () => {
      await inflict('{do: disconnect, at: 0s, peers: [p02]}', async () => {
        const { height } = await status('p01');
        await eventually('the others go on', async () => (await status('p03')).height > height + 1, limitMs);
        // Whoever is cut off cannot have heard of what the others decided.
        const { commits } = await runtime.report('p02', height + 2);
        expect(commits).toEqual([]);
      });
      await eventually('connections', async () => (await runtime.report('p02', 0)).connected === 3, limitMs);
      await committed(1);
    });

    it('partition: messages between the groups are lost; without a quorum nothing is decided until it heals', async () => {
      await inflict('{do: partition, at: 0s, groups: [[p01, p02], [p03, p04]]}', async () => {
        // What was on its way may still be decided. Then the height stands, however often peers repeat their messages.
        let stood = { height: -1, lost: 0 };
        await eventually(
          'a standstill',
          async () => {
            const { height } = await status('p01');
            const lost = (await runtime.report('p01', 0)).links.reduce((sum, link) => sum + link.lost, 0);
            if (height !== stood.height) stood = { height, lost };
            return lost > stood.lost + 10;
          },
          limitMs,
        );
      });
      await committed(2);
    });

    it('link: latency, jitter, loss and bandwidth, in one direction too', async () => {
      const slow = await inflict('{do: link, at: 0s, from: all, to: all, latency: 30ms, jitter: 10ms, loss: 10%}');
      expect(slow.proof).toMatch(
        /waited (3\d|4\d|5\d|2[7-9])\.\d ms on average on \d+ links; [1-9]\d* of \d+ messages were lost/,
      );
      await inflict('{do: link, at: 0s, from: [p01], to: [p02], bothWays: false, bandwidth: 20kB/s}');
      await committed(1);
    });

    it('clock-skew: the peer takes the time for another', async () => {
      const { proof } = await inflict('{do: clock-skew, at: 0s, peers: [p01], by: -3s}');
      expect(proof).toMatch(/-(2999|3000|3001) ms ahead/);
    });

    it('disk-full: the peer stops, and is started when there is room', async () => {
      await inflict('{do: disk-full, at: 0s, peers: [p03]}', async () => {
        expect(await runtime.stateOf('p03')).toBe('down');
      });
      await committed(2);
    });

    it('what cannot be done is a failure, not a success', async () => {
      await runtime.end('p04', 'kill');
      await expect(inflict('{do: pause, at: 0s, peers: [p04]}')).rejects.toThrow('p04 is down, not up');
      await runtime.start('p04', {});
    });

    it('settings that a peer is started with are in force at once', async () => {
      await runtime.end('p04', 'stop');
      await runtime.start('p04', { clockSkewMs: 77 });
      const { peerClockMs, machineClockMs, settings } = await runtime.report('p04', 0);
      expect([settings.clockSkewMs, peerClockMs - machineClockMs]).toEqual([77, 77]);
    });
  });
}
