import { afterEach, describe, expect, it } from 'vitest';
import type { LinkCondition } from '../../src/transport/link-conditions.ts';
import { DEFAULT_LIMITS } from '../../src/transport/transport-limits.ts';
import { MAX_FRAME_BYTES, MAX_GOSSIP_BYTES, type TransportPort } from '../../src/transport/transport-port.ts';
import { eventually } from './eventually.ts';
import { bytesOf, textOf } from './inbox.ts';
import type { Lab, LabFactory, LabOptions, LabPeer } from './lab.ts';

/**
 * What every `TransportPort` must do.
 *
 * "Nothing more arrives" is shown without waiting: what a peer gossips later on the same topic arrives later, so once
 * a marker from every peer is there, so is everything before it.
 */
export function transportCompliance(name: string, createLab: LabFactory): void {
  describe(`${name} as a TransportPort`, () => {
    let lab: Lab | null = null;
    afterEach(async () => {
      await lab?.close();
      lab = null;
    });

    async function labOf(options: LabOptions): Promise<{ lab: Lab; at: (index: number) => LabPeer }> {
      const created = createLab(options);
      lab = created;
      return {
        lab: created,
        at: (index) => {
          const peer = created.peers[index];
          if (peer === undefined) throw new RangeError(`no peer ${index}`);
          return peer;
        },
      };
    }

    let markers = 0;
    /** Every given peer hears a fresh message of every other one. */
    async function barrier(peers: readonly LabPeer[]): Promise<void> {
      markers += 1;
      for (const peer of peers) peer.port.broadcast('bundles', bytesOf(`marker ${markers} of ${peer.id}`));
      for (const hearer of peers) {
        for (const peer of peers) if (peer !== hearer) await hearer.inbox.received(`marker ${markers} of ${peer.id}`);
      }
    }

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

    it('disconnects a peer whose messages are rejected, refuses it for a while, and takes it back', async () => {
      const limits = { patiencePoints: 25, patiencePerSecond: 0.001, backOffMs: 400 };
      const { lab, at } = await labOf({ members: 3, limits });
      await lab.start();
      at(0).inbox.verdict = (message) => (textOf(message.bytes).startsWith('bad') ? 'reject' : 'accept');
      for (const text of ['bad 1', 'bad 2']) at(1).port.broadcast('evidence', bytesOf(text));
      await at(0).inbox.received('bad 2');
      expect(at(0).inbox.connectedTo(at(1).id)).toBe(true);
      const parted = Promise.all([at(0).inbox.down(at(1).id), at(1).inbox.down(at(0).id)]);
      at(1).port.broadcast('evidence', bytesOf('bad 3'));
      await parted;
      expect(at(0).log).toContainEqual(expect.objectContaining({ code: 'TRANSPORT_PENALISED', member: at(1).id }));
      expect(at(0).inbox.dropped(at(1).id, 'TRANSPORT_REJECTED')).toBe(3);
      expect(at(0).inbox.connectedTo(at(2).id)).toBe(true);
      await lab.elapse(limits.backOffMs);
      await Promise.all([at(0).inbox.up(at(1).id), at(1).inbox.up(at(0).id)]);
      at(1).port.broadcast('evidence', bytesOf('good'));
      await at(0).inbox.received('good');
    });

    it('holds resends of rejected content against whoever sends them, without delivering them again', async () => {
      const limits = { patiencePoints: 25, patiencePerSecond: 0.001, backOffMs: 60_000 };
      const { lab, at } = await labOf({ members: 2, limits });
      await lab.start();
      at(0).inbox.verdict = () => 'reject';
      for (let attempt = 0; attempt < 3; attempt++) at(1).port.broadcast('evidence', bytesOf('bad'));
      await at(0).inbox.down(at(1).id);
      expect(at(0).inbox.count('bad')).toBe(1);
      expect(at(0).inbox.dropped(at(1).id, 'TRANSPORT_REJECTED')).toBe(3);
    });

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

    it('refuses strangers and says so; followers are welcome', async () => {
      const { lab, at } = await labOf({ members: 2, followers: 1, outsiders: 1 });
      await lab.start(0, 1, 2);
      await lab.launch(3);
      await eventually(() => at(0).log.map((event) => event.code)).toContain('TRANSPORT_NOT_A_MEMBER');
      expect(at(0).log.find((event) => event.code === 'TRANSPORT_NOT_A_MEMBER')?.member).toBe(at(3).id);
      at(3).port.broadcast('bundles', bytesOf('from a stranger'));
      at(0).port.broadcast('bundles', bytesOf('among friends'));
      await barrier([at(0), at(1), at(2)]);
      expect(at(2).inbox.count('among friends')).toBe(1);
      expect(lab.peers.flatMap((peer) => peer.inbox.texts())).not.toContain('from a stranger');
      expect(at(3).inbox.texts()).toEqual([]);
      expect(
        at(0)
          .port.peers()
          .map(({ member, role }) => ({ member, role })),
      ).toEqual(
        [
          { member: at(1).id, role: 'member' },
          { member: at(2).id, role: 'follower' },
        ].sort((a, b) => (a.member < b.member ? -1 : 1)),
      );
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

    it('drops and counts what exceeds the inbound rate, then closes the connection', async () => {
      const lane = { messagesPerSecond: 0.001, burstMessages: 10, bytesPerSecond: 1e6, burstBytes: 1e6 };
      const limits = {
        lanes: { ...DEFAULT_LIMITS.lanes, transactions: lane, votes: lane },
        patiencePoints: 60,
        patiencePerSecond: 0.001,
        backOffMs: 60_000,
      };
      const { lab, at } = await labOf({ members: 3, limits });
      await lab.start();
      const { inbox } = at(1);
      for (let index = 0; index < 20; index++) at(0).port.broadcast('transactions', bytesOf(`tx ${index}`));
      await inbox.until('ten transactions', () => inbox.messages.length === 10);
      await barrier(lab.peers);
      // At least: gossip may ask again for what it dropped, and drop it again.
      expect(inbox.dropped(at(0).id, 'TRANSPORT_RATE_LIMITED')).toBeGreaterThanOrEqual(10);
      expect(inbox.connectedTo(at(0).id)).toBe(true);
      for (let index = 0; index < 80; index++) at(0).port.send(at(1).id, 'votes', bytesOf(`vote ${index}`));
      await inbox.down(at(0).id);
      expect(inbox.texts().filter((text) => text.startsWith('vote'))).toHaveLength(10);
      expect(inbox.dropped(at(0).id, 'TRANSPORT_RATE_LIMITED')).toBeGreaterThan(60);
      expect(at(2).inbox.connectedTo(at(0).id)).toBe(true);
    });

    it('treats a throwing handler as ignoring, and goes on', async () => {
      const { lab, at } = await labOf({ members: 2 });
      await lab.start();
      at(1).inbox.verdict = (message) => {
        if (textOf(message.bytes) === 'poison') throw new Error('handler bug');
        if (textOf(message.bytes) === 'slow poison') return Promise.reject(new Error('handler bug'));
        return 'accept';
      };
      for (const text of ['poison', 'slow poison', 'fine']) at(0).port.broadcast('bundles', bytesOf(text));
      at(0).port.send(at(1).id, 'votes', bytesOf('poison'));
      at(0).port.send(at(1).id, 'votes', bytesOf('fine vote'));
      await Promise.all([at(1).inbox.received('fine'), at(1).inbox.received('fine vote')]);
      expect(at(1).log.filter((event) => event.code === 'TRANSPORT_HANDLER_FAILED')).toHaveLength(3);
      expect(at(1).inbox.connectedTo(at(0).id)).toBe(true);
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
