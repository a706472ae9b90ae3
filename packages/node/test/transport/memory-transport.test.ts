import { describe, expect, it } from 'vitest';
import { MemoryNetwork, type MemoryTransport } from '../../src/transport/memory-transport.ts';
import { transportCompliance } from './compliance.ts';
import { bytesOf, Inbox } from './inbox.ts';
import { memberOf, memoryLab } from './lab.ts';

transportCompliance('MemoryTransport', memoryLab);

async function networkOf(count: number) {
  const network = new MemoryNetwork();
  const members = Array.from({ length: count }, (_, index) => memberOf(index));
  const ports = members.map((self) => network.transport({ chainId: 'lab', members, self }));
  const inboxes = ports.map((port) => new Inbox(port));
  for (const port of ports) await port.start();
  const at = (index: number): { port: MemoryTransport; inbox: Inbox; id: string } => {
    const [port, inbox, id] = [ports[index], inboxes[index], members[index]];
    if (port === undefined || inbox === undefined || id === undefined) throw new RangeError(`no peer ${index}`);
    return { port, inbox, id };
  };
  return { network, at };
}

describe('MemoryNetwork', () => {
  it('delivers in the same order every time', async () => {
    const run = async (): Promise<string[]> => {
      const { network, at } = await networkOf(4);
      const order: string[] = [];
      for (const index of [0, 1, 2, 3]) {
        at(index).inbox.verdict = ({ from, topic }) => {
          order.push(`${index} <- ${from.slice(0, 6)} ${topic}`);
          return 'accept';
        };
      }
      for (const index of [2, 0, 3]) at(index).port.broadcast('bundles', bytesOf(`${index}`));
      at(1).port.send(at(2).id, 'votes', bytesOf('vote'));
      await network.idle();
      return order;
    };
    const [first, second] = [await run(), await run()];
    expect(first).toHaveLength(10);
    expect(second).toEqual(first);
  });

  it('cuts and restores wires', async () => {
    const { network, at } = await networkOf(2);
    network.setCut(at(0).id, at(1).id, true);
    expect(at(0).inbox.connectedTo(at(1).id)).toBe(false);
    expect(at(0).port.send(at(1).id, 'votes', bytesOf('x'))).toBe(false);
    network.setCut(at(1).id, at(0).id, false);
    expect(at(0).port.send(at(1).id, 'votes', bytesOf('y'))).toBe(true);
    await network.idle();
    expect(at(1).inbox.texts()).toEqual(['y']);
    expect(at(0).inbox.connections.map(({ up }) => up)).toEqual([true, false, true]);
  });

  it('bounds what waits for a paused peer, and drains to it in order', async () => {
    const { network, at } = await networkOf(2);
    const drained: string[] = [];
    at(0).port.onDrain((_, channel) => drained.push(channel));
    at(1).port.setPaused(true);
    let accepted = 0;
    while (at(0).port.send(at(1).id, 'sync', bytesOf(`${accepted}`.padEnd(1_048_576)))) accepted += 1;
    for (let index = 0; index < 100; index++) at(0).port.send(at(1).id, 'votes', bytesOf(`${index}`.padEnd(65_536)));
    for (let index = 0; index < 40; index++) at(0).port.broadcast('updates', new Uint8Array(1_048_576).fill(index));
    await network.idle();
    expect(at(1).inbox.messages).toEqual([]);
    expect(accepted).toBe(16);
    // 84 votes, the refused sync message, and gossip beyond 32 MiB.
    expect(at(0).inbox.dropped(at(1).id, 'TRANSPORT_QUEUE_FULL')).toBe(84 + 1 + 9);
    at(1).port.setPaused(false);
    await network.idle();
    const numbers = (topic: string): number[] =>
      at(1)
        .inbox.messages.filter((m) => m.topic === topic)
        .map((m) => Number(new TextDecoder().decode(m.bytes)));
    expect(numbers('sync')).toEqual(Array.from({ length: 16 }, (_, index) => index));
    expect(numbers('votes')).toEqual(Array.from({ length: 16 }, (_, index) => index + 84));
    expect(drained).toEqual(['sync']);
  });

  it('lets delayed messages arrive when their time has come', async () => {
    const network = new MemoryNetwork();
    const members = [memberOf(0), memberOf(1)];
    const links = { seed: 's', condition: () => ({ delayMs: 250 }) };
    const [a, b] = members.map((self) => network.transport({ chainId: 'lab', members, self, links }));
    const inbox = new Inbox(b as MemoryTransport);
    await a?.start();
    await b?.start();
    a?.broadcast('bundles', bytesOf('slow'));
    // 250 ms on the way out and 250 ms on the way in.
    await network.advance(499);
    expect(inbox.texts()).toEqual([]);
    await network.advance(1);
    expect(inbox.texts()).toEqual(['slow']);
  });
});
