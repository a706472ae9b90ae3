import { expect, it } from 'vitest';
import type { LinkCondition } from '../../src/transport/link-conditions.ts';
import { MAX_FRAME_BYTES, MAX_GOSSIP_BYTES, type TransportPort } from '../../src/transport/transport-port.ts';
import { eventually } from './eventually.ts';
import { bytesOf, textOf } from './inbox.ts';
import type { LabKeeper } from './lab-keeper.ts';

/** What passes between two peers, and how connections and the port itself come and go. */
export function connectionCompliance({ labOf }: LabKeeper): void {
  it('keeps the order of one sender on a direct channel, and channels apart', async () => {
    const { lab, at } = await labOf({ members: 2 });
    await lab.start();
    const expected = Array.from({ length: 300 }, (_, index) => `${index}`.padEnd((index * 37) % 9_000, '.'));
    for (const text of expected) {
      expect(at(0).port.send(at(1).id, 'sync', bytesOf(text))).toBe(true);
    }
    at(0).port.send(at(1).id, 'request', bytesOf('question'));
    at(1).port.send(at(0).id, 'sync', bytesOf('other way'));
    const { inbox } = at(1);
    await inbox.until('all messages', () => inbox.messages.length === expected.length + 1);
    const sync = inbox.messages.filter((message) => message.topic === 'sync');
    expect(sync.map((message) => textOf(message.bytes))).toEqual(expected);
    expect(sync.every((message) => message.via === 'direct' && message.from === at(0).id)).toBe(true);
    expect(inbox.messages.filter((message) => message.topic === 'request')).toHaveLength(1);
    await at(0).inbox.received('other way');
  });

  it('hands over the bytes as they were when sent', async () => {
    const { lab, at } = await labOf({ members: 2 });
    await lab.start();
    const direct = bytesOf('direct');
    const gossip = bytesOf('gossip');
    at(0).port.send(at(1).id, 'votes', direct);
    at(0).port.broadcast('bundles', gossip);
    direct.fill(0);
    gossip.fill(0);
    await Promise.all([at(1).inbox.received('direct'), at(1).inbox.received('gossip')]);
  });

  it('carries the largest frame of each channel and refuses a larger one', async () => {
    const { lab, at } = await labOf({ members: 2 });
    await lab.start();
    for (const channel of ['votes', 'sync', 'request'] as const) {
      at(0).port.send(at(1).id, channel, new Uint8Array(MAX_FRAME_BYTES[channel]));
      const tooLarge = new Uint8Array(MAX_FRAME_BYTES[channel] + 1);
      expect(codeOf(() => at(0).port.send(at(1).id, channel, tooLarge))).toBe('TRANSPORT_MESSAGE_TOO_LARGE');
    }
    const tooLarge = new Uint8Array(MAX_GOSSIP_BYTES + 1);
    expect(codeOf(() => at(0).port.broadcast('updates', tooLarge))).toBe('TRANSPORT_MESSAGE_TOO_LARGE');
    const { inbox } = at(1);
    await inbox.until('three frames', () => inbox.messages.length === 3);
    expect(inbox.messages.map((message) => message.bytes.byteLength).sort((a, b) => a - b)).toEqual([
      65_536, 65_536, 4_194_304,
    ]);
  });

  it('reports peers going down and up, and reconnects after a restart on the same address', async () => {
    const { lab, at } = await labOf({ members: 3 });
    await lab.start();
    await at(2).port.stop();
    await Promise.all([at(0).inbox.down(at(2).id), at(1).inbox.down(at(2).id)]);
    expect(at(0).port.send(at(2).id, 'votes', bytesOf('lost'))).toBe(false);
    expect(at(0).inbox.dropped(at(2).id, 'TRANSPORT_NOT_CONNECTED')).toBe(1);
    lab.rebuild(2);
    await lab.start();
    at(0).port.send(at(2).id, 'votes', bytesOf('after the restart'));
    at(2).port.send(at(0).id, 'votes', bytesOf('me too'));
    await Promise.all([at(2).inbox.received('after the restart'), at(0).inbox.received('me too')]);
    expect(at(2).inbox.texts()).not.toContain('lost');
    const changes = at(0).inbox.connections.filter(({ member }) => member === at(2).id);
    expect(changes.map(({ up }) => up)).toEqual([true, false, true]);
  });

  it('applies link conditions to what goes out and what comes in', async () => {
    const weather = new Map<string, LinkCondition>();
    const { lab, at } = await labOf({
      members: 3,
      links: (index) => ({
        seed: `lab ${index}`,
        condition: (remote, direction) => weather.get(`${index} ${direction} ${remote}`),
      }),
    });
    await lab.start();
    weather.set(`0 out ${at(1).id}`, { blocked: true });
    weather.set(`2 in ${at(0).id}`, { lossRatio: 1 });
    at(0).port.broadcast('bundles', bytesOf('gossip into the storm'));
    at(0).port.send(at(1).id, 'votes', bytesOf('vote into the storm'));
    at(0).port.send(at(2).id, 'votes', bytesOf('vote into the storm'));
    await eventually(() => at(0).inbox.dropped(at(1).id, 'TRANSPORT_LINK_LOSS')).toBeGreaterThanOrEqual(2);
    await eventually(() => at(2).inbox.dropped(at(0).id, 'TRANSPORT_LINK_LOSS')).toBeGreaterThanOrEqual(2);
    weather.clear();
    at(0).port.broadcast('bundles', bytesOf('after the storm'));
    await Promise.all([at(1).inbox.received('after the storm'), at(2).inbox.received('after the storm')]);
    expect(at(1).inbox.texts()).not.toContain('vote into the storm');
    expect(at(2).inbox.texts()).not.toContain('vote into the storm');
    expect(at(0).inbox.connectedTo(at(1).id)).toBe(true);
    // What was lost comes with a resend, as after any loss.
    at(0).port.broadcast('bundles', bytesOf('gossip into the storm'));
    await Promise.all([1, 2].map((index) => at(index).inbox.received('gossip into the storm')));
    expect([1, 2].map((index) => at(index).inbox.count('gossip into the storm'))).toEqual([1, 1]);
  });

  it('counts payload by peer and direction', async () => {
    const { lab, at } = await labOf({ members: 2 });
    await lab.start();
    at(0).port.broadcast('bundles', new Uint8Array(1_000));
    at(0).port.send(at(1).id, 'votes', new Uint8Array(500));
    await at(1).inbox.until('two messages', () => at(1).inbox.messages.length === 2);
    const only = (port: TransportPort) => port.peers()[0];
    expect(only(at(1).port)).toMatchObject({
      member: at(0).id,
      connected: true,
      bytesIn: 1_500,
      messagesIn: 2,
      bytesOut: 0,
      dropped: 0,
    });
    await eventually(() => only(at(0).port)).toMatchObject({ bytesOut: 1_500, messagesOut: 2, bytesIn: 0 });
    expect(only(at(0).port)?.sinceMs).toBeGreaterThan(0);
    expect(only(at(0).port)?.address).not.toBeNull();
  });

  it('rejects wrong use with codes, and is silent after stop', async () => {
    const { lab, at } = await labOf({ members: 2 });
    expect(codeOf(() => at(0).port.broadcast('bundles', bytesOf('x')))).toBe('TRANSPORT_NOT_STARTED');
    expect(codeOf(() => at(0).port.send(at(1).id, 'votes', bytesOf('x')))).toBe('TRANSPORT_NOT_STARTED');
    await lab.start();
    expect(codeOf(() => at(0).port.send(at(0).id, 'votes', bytesOf('x')))).toBe('TRANSPORT_UNKNOWN_MEMBER');
    expect(codeOf(() => at(0).port.send('nobody', 'votes', bytesOf('x')))).toBe('TRANSPORT_UNKNOWN_MEMBER');
    await at(0).port.stop();
    await at(0).port.stop();
    at(0).port.broadcast('bundles', bytesOf('x'));
    expect(at(0).port.send(at(1).id, 'votes', bytesOf('x'))).toBe(false);
    expect(at(0).inbox.connectedTo(at(1).id)).toBe(false);
    await at(1).inbox.down(at(0).id);
    expect(at(1).inbox.texts()).toEqual([]);
  });

  it('starts again after stop', async () => {
    const { lab, at } = await labOf({ members: 2 });
    await lab.start();
    await at(0).port.stop();
    await at(1).inbox.down(at(0).id);
    await lab.start();
    at(0).port.broadcast('bundles', bytesOf('back'));
    await at(1).inbox.received('back');
  });
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return 'did not throw';
}
