import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, it } from 'vitest';
import { Libp2pTransport, type ProbeOptions } from '../../src/transport/libp2p-transport.ts';
import type { TransportEvent } from '../../src/transport/transport-error.ts';
import { eventually } from './eventually.ts';
import { bytesOf, Inbox } from './inbox.ts';
import { memberOf, secretOf } from './lab.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

interface Report {
  readonly topic?: string;
  readonly text?: string;
  readonly byteLength?: number;
  readonly address?: string;
}

let transport: Libp2pTransport | null = null;
let child: ChildProcess | null = null;
afterEach(async () => {
  await transport?.stop();
  child?.kill('SIGKILL');
});

/** A peer here and one in another process, connected. */
async function couple(
  probe: Partial<ProbeOptions> = {},
): Promise<{ port: Libp2pTransport; inbox: Inbox; log: TransportEvent[]; reports: Report[] }> {
  const log: TransportEvent[] = [];
  const port = new Libp2pTransport({
    chainId: 'lab',
    secretKey: secretOf(0),
    members: [memberOf(0), memberOf(1)],
    redial: { maxDelayMs: 500, dialTimeoutMs: 1_000 },
    probe,
    log: (event) => log.push(event),
  });
  transport = port;
  const inbox = new Inbox(port);
  await port.start();
  const script = new URL('./child-peer.ts', import.meta.url).pathname;
  const place = JSON.stringify({ index: 1, members: 2, address: port.listenAddresses[0] });
  child = fork(script, [place], { execArgv: [] });
  const reports: Report[] = [];
  child.on('message', (message: Report) => {
    reports.push(message);
    if (message.address !== undefined) port.setAddress(memberOf(1), message.address);
  });
  await inbox.up(memberOf(1));
  return { port, inbox, log, reports };
}

it('bounds what waits for a stopped peer, notices that it is gone, and finds it again', async () => {
  const { port, inbox, reports } = await couple({ intervalMs: 200, timeoutMs: 1_500 });
  const to = memberOf(1);
  const textsOn = (topic: string): (string | undefined)[] =>
    reports.filter((report) => report.topic === topic).map(({ text }) => text);
  port.send(to, 'votes', bytesOf('before'));
  await eventually(() => textsOn('votes')).toEqual(['before']);

  child?.kill('SIGSTOP');
  // 32 MiB of votes and as much sync as is taken: far more than a socket and the windows hold.
  collectGarbage();
  const before = process.memoryUsage().arrayBuffers;
  for (let index = 0; index < 512; index++) port.send(to, 'votes', new Uint8Array(65_536));
  let accepted = 0;
  while (port.send(to, 'sync', new Uint8Array(1_048_576))) accepted += 1;
  expect(accepted).toBeGreaterThanOrEqual(15);
  expect(accepted).toBeLessThanOrEqual(16);
  expect(inbox.dropped(to, 'TRANSPORT_QUEUE_FULL')).toBeGreaterThan(400);
  collectGarbage(); // what was refused is garbage: only what the transport holds may count
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1_048_576);
  await inbox.down(to);
  expect(port.send(to, 'votes', bytesOf('into the void'))).toBe(false);

  child?.kill('SIGCONT');
  await inbox.up(to);
  // Resent until it is there, as the layers above do: a starved machine may lose the connection once more.
  const resend = (): void => {
    port.broadcast('bundles', bytesOf('after the pause'));
    port.send(to, 'votes', bytesOf('after the pause'));
  };
  await eventually(() => {
    resend();
    return textsOn('bundles');
  }).toEqual(['after the pause']);
  await eventually(() => textsOn('votes')).toContain('after the pause');
});

it('drains to a slow peer in order once it reads again, keeping the newest votes', async () => {
  const { port, inbox, reports } = await couple();
  const to = memberOf(1);
  let drained = 0;
  port.onDrain((member, channel) => {
    if (member === to && channel === 'sync') drained += 1;
  });
  child?.kill('SIGSTOP');
  const numbered = (index: number, byteLength: number): Uint8Array => {
    const bytes = new Uint8Array(byteLength).fill(0x2e);
    bytes.set(bytesOf(`${index}`.padStart(6, '0')));
    return bytes;
  };
  let accepted = 0;
  while (port.send(to, 'sync', numbered(accepted, 1_048_576))) accepted += 1;
  for (let index = 0; index < 100; index++) port.send(to, 'votes', numbered(index, 65_000));
  child?.kill('SIGCONT');
  const sync = (): number[] => numbersOn(reports, 'sync');
  const votes = (): number[] => numbersOn(reports, 'votes');
  await eventually(() => drained).toBe(1);
  await eventually(() => sync().length).toBe(accepted);
  await eventually(() => votes().at(-1)).toBe(99);
  expect(sync()).toEqual(Array.from({ length: accepted }, (_, index) => index));
  expect(votes()).toEqual([...votes()].sort((a, b) => a - b));
  expect(votes().length).toBeLessThan(100);
  expect(inbox.dropped(to, 'TRANSPORT_QUEUE_FULL')).toBe(100 - votes().length + 1);
  expect(inbox.connectedTo(to)).toBe(true);
});

it('leaves nothing behind: after stop the process ends by itself', async () => {
  const { port, reports } = await couple();
  port.broadcast('bundles', bytesOf('hello'));
  await eventually(() => reports.length).toBeGreaterThanOrEqual(2);
  child?.send('stop');
  const [code, signal] = await once(child as ChildProcess, 'exit');
  expect([code, signal]).toEqual([0, null]);
});

function numbersOn(reports: readonly Report[], topic: string): number[] {
  return reports.filter((report) => report.topic === topic).map(({ text }) => Number(text?.slice(0, 6)));
}
