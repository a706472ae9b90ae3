import { expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/transport/transport-limits.ts';
import { eventually } from './eventually.ts';
import { bytesOf, textOf } from './inbox.ts';
import type { LabKeeper } from './lab-keeper.ts';

/** What a peer does about others that misbehave, and about its own handler when that fails. */
export function conductCompliance({ labOf, barrier }: LabKeeper): void {
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
}
