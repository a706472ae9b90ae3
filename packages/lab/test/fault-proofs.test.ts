import { describe, expect, it } from 'vitest';
import { Controls } from '../src/faults/controls.ts';
import { FAULT_DRIVERS } from '../src/faults/drivers.ts';
import type { ActiveFault } from '../src/faults/fault.ts';
import { parseScenario } from '../src/scenario/read-scenario.ts';
import { TestRuntime } from './peers-of-a-test.ts';

async function begin(runtime: TestRuntime, entry: string): Promise<ActiveFault> {
  const { plan } = parseScenario(`name: t\npeers: 4\ntimeline: [${entry}]`, 't');
  const [fault] = plan.faults;
  if (fault === undefined) throw new Error('there is no fault');
  const context = { runtime: runtime.asRuntime, controls: new Controls(runtime.asRuntime) };
  return FAULT_DRIVERS[fault.kind](context, fault, fault.peers ?? []);
}

const line = (time: number, msg: string): string => JSON.stringify({ level: 40, time, msg });

describe('the proof of a fault by what the peer says', () => {
  it.each([
    ['disk-full', '{do: disk-full, at: 1s, peers: [p01]}', 'STORE_FULL', 'p01 stopped with STORE_FULL'],
    [
      'misbehave',
      '{do: misbehave, at: 1s, peers: [p01], choices: [{name: refuse}]}',
      'this member misbehaves, as its configuration asks',
      'p01 says that it will refuse',
    ],
  ])('of %s takes only what it said since the fault began', async (kind, entry, words, proof) => {
    const runtime = new TestRuntime(4);
    const peer = runtime.peer('p01');
    peer.words = `cut off ${words}"}\n${line(Date.now() - 1, words)}\nerror ${words}\n`;
    const fault = await begin(runtime, entry);
    if (kind === 'disk-full') peer.state = 'down';
    expect(await fault.prove()).toBeNull();
    // The engine of containers puts eight bytes before each line.
    peer.words += `\u0001\u0000\u0000\u0000\u0000\u0000\u0001\u0007${line(Date.now(), words)}\n`;
    expect(await fault.prove()).toBe(proof);
  });
});

describe('the proof of a wipe', () => {
  const damaged = { records: [], damage: 'its header does not check out' };
  it.each([
    ['a journal that is not there', () => Promise.reject(Object.assign(new Error('gone'), { code: 'ENOENT' })), true],
    ['one that a container does not have', async () => ({ records: [], damage: 'there is no journal' }), true],
    ['a journal that cannot be read', () => Promise.reject(new Error('no answer')), false],
    ['one that is damaged', async () => damaged, false],
    ['one that is still there', async () => ({ records: [new Uint8Array(1)], damage: null }), false],
  ])('%s', async (_, journal, isProof) => {
    const runtime = new TestRuntime(4);
    runtime.journal = journal;
    const fault = await begin(runtime, '{do: wipe, at: 1s, peers: [p01]}');
    expect(await fault.prove()).toBe(isProof ? 'the disk that held 0 heights is empty' : null);
    expect(runtime.peer('p01').state).toBe('up');
  });
});
