import { describe, expect, it } from 'vitest';
import { Controls } from '../src/faults/controls.ts';
import { FAULT_DRIVERS } from '../src/faults/drivers.ts';
import type { ActiveFault } from '../src/faults/fault.ts';
import { parseScenario } from '../src/scenario/read-scenario.ts';
import { TestRuntime } from './peers-of-a-test.ts';

/** The faults of a timeline, to be begun one by one. */
function faultsOn(timeline: string): { runtime: TestRuntime; begin: (k: number) => Promise<ActiveFault> } {
  const { plan } = parseScenario(`name: t\npeers: 4\ntimeline:\n${timeline}`, 't');
  const runtime = new TestRuntime(4);
  const context = { runtime: runtime.asRuntime, controls: new Controls(runtime.asRuntime) };
  const begin = async (k: number): Promise<ActiveFault> => {
    const fault = plan.faults[k];
    if (fault === undefined) throw new Error(`there is no fault ${k}`);
    return FAULT_DRIVERS[fault.kind](context, fault, fault.peers ?? []);
  };
  return { runtime, begin };
}

const LINK = 'do: link, from: [p01], to: [p02], bothWays: false';

describe('the proof of a link fault', () => {
  it('counts from its beginning, and needs waits and losses of the size that was asked', async () => {
    const { runtime, begin } = faultsOn(`  - {${LINK}, at: 1s, latency: 20ms, loss: 10%}\n`);
    runtime.count('p01>p02', 100, 50, 99_000);
    const fault = await begin(0);
    expect(await fault.prove()).toBeNull();
    runtime.count('p01>p02', 10, 0, 170);
    expect(await fault.prove()).toBeNull();
    runtime.count('p01>p02', 10, 1, 210);
    expect(await fault.prove()).toBe(
      '20 messages waited 19.0 ms on average on 1 links; 1 of 21 messages were lost on 1 links',
    );
  });

  it('is not what another fault makes messages wait', async () => {
    const { runtime, begin } = faultsOn(`  - {${LINK}, at: 1s, latency: 50ms}\n  - {${LINK}, at: 1s, jitter: 20ms}\n`);
    const latency = await begin(0);
    const jitter = await begin(1);
    runtime.count('p01>p02', 10, 0, 500);
    expect(await jitter.prove()).toBeNull();
    // The other fault has begun since: what was counted until now is left out.
    expect(await latency.prove()).toBeNull();
    runtime.count('p01>p02', 10, 0, 700);
    expect(await jitter.prove()).toBe(
      '20 messages waited 10.0 ms on average on 1 links beyond what other faults delay',
    );
    expect(await latency.prove()).toBe(
      '10 messages waited 60.0 ms on average on 1 links beyond what other faults delay',
    );
  });

  it('is not what a partition loses, and that of a partition not what a lossy link loses', async () => {
    const { runtime, begin } = faultsOn(
      `  - {${LINK}, at: 1s, loss: 20%}\n  - {do: partition, at: 1s, groups: [[p01], [p02]]}\n`,
    );
    const partition = await begin(1);
    const loss = await begin(0);
    expect(await partition.prove()).toBeNull();
    runtime.count('p01>p02', 5, 5);
    expect(await loss.prove()).toBeNull();
    expect(await partition.prove()).toBeNull();
    runtime.count('p01>p02', 0, 40);
    expect(await partition.prove()).toBe('45 messages were lost on 1 of 2 cut links');
    await partition.end?.();
    expect(await loss.prove()).toBeNull();
    runtime.count('p01>p02', 5, 1);
    expect(await loss.prove()).toBe('1 of 6 messages were lost on 1 links');
  });

  it('needs the setting in force at the peer', async () => {
    const { runtime, begin } = faultsOn(
      `  - {${LINK}, at: 1s, loss: 20%}\n  - {${LINK}, at: {height: 1}, latency: 0ms}\n`,
    );
    const fault = await begin(0);
    const { settings } = runtime.peer('p01');
    runtime.peer('p01').settings = { ...settings, links: [] };
    runtime.count('p01>p02', 5, 5);
    expect(await fault.prove()).toBeNull();
    runtime.peer('p01').settings = settings;
    expect(await fault.prove()).not.toBeNull();
    await fault.end?.();
    const zero = await begin(1);
    expect(await zero.prove()).toBe('the peers have the setting, which changes nothing');
    runtime.peer('p01').settings = { ...settings, links: [] };
    expect(await zero.prove()).toBeNull();
  });
});
