import { describe, expect, it } from 'vitest';
import { Controls } from '../src/faults/controls.ts';
import { keyOfTest, TestRuntime } from './peers-of-a-test.ts';

const cut = { links: [{ remote: keyOfTest('p02'), direction: 'out' as const, blocked: true }] };

describe('what faults ask of a peer', () => {
  it('reaches it when it changes while the peer is starting', async () => {
    const runtime = new TestRuntime(2);
    const controls = new Controls(runtime.asRuntime);
    await controls.set('p01', 'old', { clockSkewMs: 5 });
    await runtime.end('p01');
    const gate = Promise.withResolvers<void>();
    runtime.starting = gate.promise;
    const started = controls.start('p01');
    await controls.set('p01', 'old', null);
    await controls.set('p01', 'cut', cut);
    gate.resolve();
    await started;
    expect(runtime.peer('p01').settings).toMatchObject({ clockSkewMs: 0, links: [{ blocked: true }] });
  });

  it('is not sent to a peer that runs but is still starting: nobody listens yet', async () => {
    const runtime = new TestRuntime(2);
    const controls = new Controls(runtime.asRuntime);
    await runtime.end('p01');
    const gate = Promise.withResolvers<void>();
    runtime.starting = gate.promise;
    const started = controls.start('p01');
    // A container is said to run before its program opens the control socket.
    runtime.stateOf = async () => 'up';
    await controls.set('p01', 'cut', cut);
    gate.resolve();
    await started;
    expect(runtime.peer('p01').settings.links).toHaveLength(1);
  });

  it('arrives in the order in which it was asked, however long an order takes', async () => {
    const runtime = new TestRuntime(2);
    const controls = new Controls(runtime.asRuntime);
    const [arrived, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const control = runtime.control.bind(runtime);
    let orders = 0;
    runtime.control = async (name, settings) => {
      orders += 1;
      if (orders === 1) {
        arrived.resolve();
        await gate.promise;
      }
      await control(name, settings);
    };
    const slow = controls.set('p01', 'cut', cut);
    await arrived.promise;
    const fast = controls.set('p01', 'cut', null);
    setImmediate(() => gate.resolve());
    await Promise.all([slow, fast]);
    expect(runtime.peer('p01').settings.links).toEqual([]);
  });

  it('is no failure for a peer that ends while it is told, and waits for its next start', async () => {
    const runtime = new TestRuntime(2);
    const controls = new Controls(runtime.asRuntime);
    runtime.control = async (name) => {
      await runtime.end(name);
      throw new Error('the connection was closed');
    };
    await controls.set('p01', 'cut', cut);
    await controls.start('p01');
    expect(runtime.peer('p01').settings.links).toHaveLength(1);
    runtime.control = async () => {
      throw new Error('it does not take that');
    };
    await expect(controls.set('p01', 'cut', null)).rejects.toThrow('it does not take that');
  });
});
