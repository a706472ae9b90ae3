import { expect, it } from 'vitest';
import { MAX_GOSSIP_BYTES } from '../../src/transport/transport-port.ts';
import { bytesOf, textOf } from './inbox.ts';
import type { LabKeeper } from './lab-keeper.ts';

/** Who hears of a broadcast, and how often. */
export function gossipCompliance({ labOf, barrier }: LabKeeper): void {
  it('delivers a broadcast once to everyone else, with its sender, and not to its publisher', async () => {
    const { lab, at } = await labOf({ members: 4 });
    await lab.start();
    at(0).port.broadcast('bundles', bytesOf('hello'));
    await barrier(lab.peers);
    expect(lab.peers.map((peer) => peer.inbox.count('hello'))).toEqual([0, 1, 1, 1]);
    const heard = at(3).inbox.messages.find((message) => textOf(message.bytes) === 'hello');
    expect(heard).toMatchObject({ from: at(0).id, via: 'gossip', topic: 'bundles' });
  });

  it('carries every topic, empty messages and the largest message', async () => {
    const { lab, at } = await labOf({ members: 2 });
    await lab.start();
    const largest = new Uint8Array(MAX_GOSSIP_BYTES).map((_, index) => index % 251);
    at(0).port.broadcast('proposals', largest);
    for (const topic of ['transactions', 'announcements', 'bundles', 'evidence', 'updates'] as const) {
      at(0).port.broadcast(topic, new Uint8Array(0));
    }
    const { inbox } = at(1);
    await inbox.until('six messages', () => inbox.messages.length === 6);
    const proposal = inbox.messages.find((message) => message.topic === 'proposals');
    expect(Buffer.from(proposal?.bytes ?? []).equals(largest)).toBe(true);
    expect(inbox.messages.map((message) => message.topic).sort()).toEqual(
      ['announcements', 'bundles', 'evidence', 'proposals', 'transactions', 'updates'].sort(),
    );
  });

  it('delivers equal content once, whoever publishes it and however often', async () => {
    const { lab, at } = await labOf({ members: 3 });
    await lab.start();
    at(0).port.broadcast('bundles', bytesOf('same'));
    at(0).port.broadcast('bundles', bytesOf('same'));
    at(1).port.broadcast('bundles', bytesOf('same'));
    await barrier(lab.peers);
    at(2).port.broadcast('bundles', bytesOf('same'));
    at(2).port.broadcast('bundles', bytesOf('same'));
    at(1).port.broadcast('bundles', bytesOf('same'));
    await barrier(lab.peers);
    expect(lab.peers.map((peer) => peer.inbox.count('same'))).toEqual([0, expect.any(Number), 1]);
    // Peer 1 published it before or after hearing it; never did it hear it twice.
    expect(at(1).inbox.count('same')).toBeLessThanOrEqual(1);
  });

  it('sends nothing when a peer broadcasts what it accepted over gossip, and sends when it insists', async () => {
    const { lab, at } = await labOf({ members: 2 });
    await lab.start();
    at(0).port.broadcast('bundles', bytesOf('certificate'));
    await at(1).inbox.received('certificate');
    await barrier(lab.peers);
    const sent = (): number => at(1).port.peers()[0]?.messagesOut ?? -1;
    const before = sent();
    at(1).port.broadcast('bundles', bytesOf('certificate'));
    await barrier(lab.peers);
    expect(sent()).toBe(before + 1);
    at(1).port.broadcast('bundles', bytesOf('certificate'));
    await barrier(lab.peers);
    expect(sent()).toBe(before + 3);
  });

  it('really publishes what it received directly', async () => {
    const { lab, at } = await labOf({ members: 3 });
    await lab.start();
    at(1).inbox.verdict = (message) => {
      if (message.via === 'direct') at(1).port.broadcast('bundles', message.bytes);
      return 'accept';
    };
    at(0).port.send(at(1).id, 'votes', bytesOf('vote'));
    await at(2).inbox.received('vote');
    expect(at(2).inbox.messages.find((message) => textOf(message.bytes) === 'vote')?.from).toBe(at(1).id);
  });

  it('repairs: what one peer accepts reaches a peer that its publisher cannot reach', async () => {
    const { lab, at } = await labOf({
      members: 3,
      edges: [
        [0, 1],
        [1, 2],
      ],
    });
    await lab.start();
    at(0).port.broadcast('bundles', bytesOf('through the middle'));
    await at(2).inbox.received('through the middle');
    expect(at(2).inbox.messages[0]?.from).toBe(at(1).id);
    expect(at(2).inbox.connectedTo(at(0).id)).toBe(false);
  });

  it('does not pass on what was ignored, and delivers its resend again', async () => {
    const { lab, at } = await labOf({ members: 2 });
    await lab.start();
    at(1).inbox.verdict = (message) => (at(1).inbox.count(textOf(message.bytes)) < 2 ? 'ignore' : 'accept');
    at(0).port.broadcast('proposals', bytesOf('too early'));
    await at(1).inbox.received('too early');
    at(0).port.broadcast('proposals', bytesOf('too early'));
    await at(1).inbox.until('a second delivery', () => at(1).inbox.count('too early') === 2);
    at(0).port.broadcast('proposals', bytesOf('too early'));
    at(0).port.broadcast('proposals', bytesOf('end'));
    await at(1).inbox.received('end');
    expect(at(1).inbox.count('too early')).toBe(2);
  });

  it('waits for an asynchronous verdict and does not deliver copies meanwhile', async () => {
    const { lab, at } = await labOf({ members: 2 });
    await lab.start();
    const { promise, resolve } = Promise.withResolvers<'accept'>();
    at(1).inbox.verdict = (message) => (textOf(message.bytes) === 'slow' ? promise : 'accept');
    at(0).port.broadcast('bundles', bytesOf('slow'));
    at(0).port.broadcast('bundles', bytesOf('slow'));
    await barrier(lab.peers);
    resolve('accept');
    at(0).port.broadcast('bundles', bytesOf('slow'));
    await barrier(lab.peers);
    expect(at(1).inbox.count('slow')).toBe(1);
  });

  it('publishes a resend that reaches who was away, once, and nobody else again', async () => {
    const { lab, at } = await labOf({ members: 3 });
    await lab.start(0, 1);
    at(0).port.broadcast('bundles', bytesOf('while away'));
    await at(1).inbox.received('while away');
    await lab.start(0, 1, 2);
    at(0).port.broadcast('bundles', bytesOf('while away'));
    await at(2).inbox.received('while away');
    await barrier(lab.peers);
    expect(lab.peers.map((peer) => peer.inbox.count('while away'))).toEqual([0, 1, 1]);
  });
}
