import { describe, expect, it } from 'vitest';
import type { Outgoing, PeerOutput, StoreWrite } from '../../src/peer/ports.ts';
import { WriteQueue } from './write-queue.ts';

const journal = (mark: number): StoreWrite => ({ type: 'journal', bytes: Uint8Array.of(mark) });
const commit = (height: number): StoreWrite => ({ type: 'commit', commit: { height } as never });
const send = (mark: number, afterWrites?: number): Outgoing => ({
  type: 'broadcast',
  topic: 'bundles',
  resend: false,
  bytes: Uint8Array.of(mark),
  ...(afterWrites === undefined ? {} : { afterWrites }),
});
const output = (writes: readonly StoreWrite[], sends: readonly Outgoing[]): PeerOutput => ({
  writes,
  sends,
  timers: [],
  notices: [],
  verdict: 'accept',
  code: null,
});

function queue() {
  const log: string[] = [];
  const disk: (() => void)[] = [];
  const nameOf = (write: StoreWrite): string =>
    write.type === 'commit' ? `c${write.commit.height}` : `j${write.bytes[0]}`;
  const writes = new WriteQueue({
    later: (run) => disk.push(run),
    sync: (synced) => log.push(`sync ${synced.map(nameOf).join(' ')}`),
    transmit: ({ bytes }) => log.push(`send ${bytes[0]}`),
  });
  const turn = (): void => disk.shift()?.();
  return { log, turn, push: (one: PeerOutput) => writes.push(one), crash: () => writes.crash().map(nameOf) };
}

describe('what a peer of the world has put out and its disk not yet taken', () => {
  it('sends what a commit does not hold up before the commit is durable, also when the commit comes first', () => {
    const { log, turn, push } = queue();
    push(output([commit(1)], [send(1, 0), send(2)]));
    expect(log).toEqual(['sync ', 'send 1']);
    turn();
    expect(log).toEqual(['sync ', 'send 1', 'sync c1', 'send 2']);
  });

  it('syncs first what comes before the commit, and what follows together with it', () => {
    const { log, turn, push } = queue();
    push(output([journal(1), commit(1), journal(2)], [send(1, 1), send(2)]));
    expect(log).toEqual([]);
    turn();
    expect(log).toEqual(['sync j1', 'send 1']);
    turn();
    expect(log).toEqual(['sync j1', 'send 1', 'sync c1 j2', 'send 2']);
  });

  it('loses nothing from the middle in a crash: the rest of a group stands before what waits behind it', () => {
    const { turn, push, crash } = queue();
    push(output([journal(1), commit(1), journal(2)], [send(1, 1)]));
    push(output([journal(3)], []));
    expect(crash()).toEqual(['j1', 'c1', 'j2', 'j3']);
    push(output([journal(1), commit(1), journal(2)], [send(1, 1)]));
    push(output([journal(3)], []));
    turn();
    turn();
    expect(crash()).toEqual(['c1', 'j2', 'j3']);
    expect(crash()).toEqual([]);
  });
});
