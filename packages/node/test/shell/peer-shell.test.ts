import type { PeerEvent, PeerOutput, PeerView } from '@wattmesh/consensus';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { PeerShell, type ShellPorts } from '../../src/shell/peer-shell.ts';

const NOTHING: PeerOutput = { writes: [], sends: [], timers: [], notices: [], verdict: 'accept', code: null };

/** A peer that answers each event with what the test has prepared for it; its height counts the events. */
class ScriptedPeer {
  readonly events: PeerEvent[] = [];
  answer: (event: PeerEvent, index: number) => Partial<PeerOutput> = () => ({});

  handle(event: PeerEvent): PeerOutput {
    this.events.push(event);
    return { ...NOTHING, ...this.answer(event, this.events.length - 1) };
  }

  get view(): PeerView {
    return { state: { height: this.events.length } } as PeerView;
  }
}

const bytes = (index: number): Uint8Array => new Uint8Array([index]);
const journal = (index: number): PeerOutput['writes'][number] => ({ type: 'journal', bytes: bytes(index) });
const broadcast = (index: number): PeerOutput['sends'][number] => ({
  type: 'broadcast',
  topic: 'bundles',
  bytes: bytes(index),
  resend: false,
});

interface Recording {
  readonly ports: ShellPorts;
  readonly log: string[];
}

function recording(changes: Partial<ShellPorts> = {}): Recording {
  const log: string[] = [];
  const ports: ShellPorts = {
    nowMs: Date.now,
    write: async (writes) => {
      for (const write of writes) log.push(`write ${write.type === 'journal' ? write.bytes[0] : ''}`);
    },
    broadcast: (_, sent) => log.push(`send ${sent[0]}`),
    send: (to, channel, sent) => log.push(`send ${sent[0]} to ${to} on ${channel}`),
    notice: (notice) => log.push(`notice ${notice.type}`),
    fatal: (error) => log.push(`fatal ${(error as Error).message}`),
    ...changes,
  };
  return { ports, log };
}

const submit = { type: 'submit', bytes: new Uint8Array() } as const;

describe('the order of things', () => {
  it('sends in order, each only after every write before it is durable, however slow the disk is', () =>
    fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.record({ writes: fc.boolean(), sends: fc.boolean(), waits: fc.boolean() }), {
          minLength: 1,
          maxLength: 12,
        }),
        async (scheduler, script) => {
          const peer = new ScriptedPeer();
          peer.answer = (_, index) => ({
            writes: script[index]?.writes ? [journal(index)] : [],
            sends: script[index]?.sends ? [broadcast(index)] : [],
          });
          const durable = new Set<number>();
          const sent: number[] = [];
          const problems: unknown[] = [];
          const { ports } = recording({
            fatal: (error) => problems.push(error),
            write: async (writes) => {
              for (const write of writes) {
                await scheduler.schedule(Promise.resolve(), 'disk');
                if (write.type === 'journal') durable.add(write.bytes[0] as number);
              }
            },
            broadcast: (_, payload) => {
              const index = payload[0] as number;
              sent.push(index);
              script.forEach(({ writes }, k) => {
                if (writes && k <= index && !durable.has(k)) problems.push(`sent ${index} before ${k} was durable`);
              });
              // What is shown is never ahead of the disk either.
              const shown = shell.view.state.height;
              script.forEach(({ writes }, k) => {
                if (writes && k < shown && !durable.has(k)) problems.push(`showed ${shown} before ${k} was durable`);
              });
            },
          });
          const shell = new PeerShell(peer, ports);
          const started = shell.start();
          for (const { waits } of script.slice(1)) {
            if (waits && scheduler.count() > 0) await scheduler.waitOne();
            shell.handle(submit);
          }
          await scheduler.waitFor(Promise.all([started, shell.stop()]));
          expect(problems).toEqual([]);
          expect(sent).toEqual(script.flatMap(({ sends }, index) => (sends ? [index] : [])));
          expect(shell.view.state.height).toBe(script.length);
        },
      ),
      { numRuns: 200, seed: 5 },
    ));

  it('does not let what precedes a commit wait for it, and keeps the order of all the rest', async () => {
    const peer = new ScriptedPeer();
    const commit = { type: 'commit', commit: {} } as PeerOutput['writes'][number];
    const after = (index: number, afterWrites?: number) => ({
      ...broadcast(index),
      ...(afterWrites === undefined ? {} : { afterWrites }),
    });
    peer.answer = (_, index) =>
      index === 0
        ? { notices: [{ type: 'blob', hash: '' }] }
        : {
            writes: [journal(1), commit, journal(2), commit],
            sends: [after(3, 0), after(4, 1), after(5, 3), after(6, 2), after(7, 4), after(8), after(9, 99)],
            notices: [{ type: 'blob', hash: '' }],
          };
    const { ports, log } = recording();
    const shell = new PeerShell(peer, ports);
    await shell.start();
    const shownAt: number[] = [];
    const { write } = ports;
    Object.assign(ports, {
      write: (writes: PeerOutput['writes']) => shownAt.push(shell.view.state.height) && write(writes),
    });
    shell.handle(submit);
    await shell.stop();
    expect(log).toEqual([
      'notice blob',
      ...[
        'write 1',
        'send 3',
        'send 4',
        'write ',
        'write 2',
        'send 5',
        'send 6',
        'write ',
        'send 7',
        'send 8',
        'send 9',
      ],
      'notice blob',
    ]);
    expect(shownAt).toEqual([1, 1, 1]);
  });

  it('sends nothing more when the write before it fails, although something was sent before', async () => {
    const peer = new ScriptedPeer();
    const commit = { type: 'commit', commit: {} } as PeerOutput['writes'][number];
    peer.answer = (_, index) =>
      index === 0 ? {} : { writes: [journal(1), commit], sends: [{ ...broadcast(3), afterWrites: 1 }, broadcast(4)] };
    const { ports, log } = recording({
      write: async ([write]) => {
        if (write?.type === 'commit') throw new Error('disk full');
      },
    });
    const shell = new PeerShell(peer, ports);
    await shell.start();
    shell.handle(submit);
    await shell.stop();
    expect(log).toEqual(['send 3', 'fatal disk full']);
  });

  it('lets writes that queue up while the disk is busy share one sync', async () => {
    const peer = new ScriptedPeer();
    peer.answer = (_, index) => ({ writes: [journal(index)] });
    const gate = Promise.withResolvers<void>();
    const groups: number[] = [];
    const { ports } = recording({
      write: async (writes) => {
        groups.push(writes.length);
        await gate.promise;
      },
    });
    const shell = new PeerShell(peer, ports);
    const started = shell.start();
    await vi.waitFor(() => expect(groups).toEqual([1]));
    for (let k = 0; k < 5; k += 1) shell.handle(submit);
    gate.resolve();
    await started;
    await shell.stop();
    expect(groups).toEqual([1, 5]);
  });

  it('finishes what is queued when it is stopped, and takes nothing more', async () => {
    const peer = new ScriptedPeer();
    peer.answer = (_, index) => ({ writes: [journal(index)], sends: [broadcast(index)] });
    const { ports, log } = recording();
    const shell = new PeerShell(peer, ports);
    expect(shell.handle(submit)).toEqual({ verdict: 'ignore', code: 'PEER_STOPPED' });
    expect(() => shell.view).toThrow(/not started/);
    await shell.start();
    shell.handle(submit);
    await shell.stop();
    expect(log).toEqual(['write 0', 'send 0', 'write 1', 'send 1']);
    expect(shell.handle(submit)).toEqual({ verdict: 'ignore', code: 'PEER_STOPPED' });
    expect(peer.events).toHaveLength(2);
  });

  it('hands direct messages and notices on, and gives back what the peer thinks of a message', async () => {
    const peer = new ScriptedPeer();
    peer.answer = (event) =>
      event.type === 'start'
        ? {}
        : {
            sends: [{ type: 'send', to: 'someone', channel: 'votes', bytes: bytes(7) }],
            notices: [{ type: 'sitting-out', height: 3 }],
            verdict: 'reject',
            code: 'CODEC_TRAILING',
          };
    const { ports, log } = recording();
    const shell = new PeerShell(peer, ports);
    await shell.start();
    const message = { type: 'message', from: 1, sender: 'x', bytes: bytes(0) } as const;
    expect(shell.handle(message)).toEqual({ verdict: 'reject', code: 'CODEC_TRAILING' });
    await shell.stop();
    expect(log).toEqual(['send 7 to someone on votes', 'notice sitting-out']);
  });
});

describe('a failure', () => {
  const broken = new Error('the disk is gone');

  it('of a write is fatal once, and nothing is sent from then on', async () => {
    const peer = new ScriptedPeer();
    let isBroken = false;
    const gate = Promise.withResolvers<void>();
    const { ports, log } = recording({
      write: async () => {
        if (!isBroken) return;
        await gate.promise;
        throw broken;
      },
    });
    peer.answer = (_, index) => ({
      writes: [journal(index)],
      sends: [broadcast(index)],
      timers: [{ id: 'a', delayMs: 1 }],
    });
    const shell = new PeerShell(peer, ports);
    await shell.start();
    isBroken = true;
    shell.handle(submit);
    const height = peer.events.length;
    shell.handle(submit);
    gate.resolve();
    await vi.waitFor(() => expect(log).toContain('fatal the disk is gone'));
    await shell.stop();
    expect(log.filter((line) => line.startsWith('fatal'))).toHaveLength(1);
    expect(log.filter((line) => line.startsWith('send'))).toEqual(['send 0']);
    expect(shell.view.state.height).toBeLessThan(height);
    expect(shell.handle(submit).code).toBe('PEER_STOPPED');
  });

  it('of the first write makes the start reject, and is not reported twice', async () => {
    const peer = new ScriptedPeer();
    peer.answer = (_, index) => ({ writes: [journal(index)], sends: [broadcast(index)] });
    const { ports, log } = recording({ write: () => Promise.reject(broken) });
    await expect(new PeerShell(peer, ports).start()).rejects.toBe(broken);
    expect(log).toEqual([]);
  });

  it('of the peer itself is fatal, and drops what it had not yet said', async () => {
    const peer = new ScriptedPeer();
    peer.answer = (_, index) => {
      if (index === 2) throw new Error('a certified block is invalid');
      return { writes: [journal(index)], sends: [broadcast(index)] };
    };
    const { ports, log } = recording();
    const shell = new PeerShell(peer, ports);
    await shell.start();
    shell.handle(submit);
    expect(shell.handle(submit)).toEqual({ verdict: 'ignore', code: 'PEER_STOPPED' });
    await shell.stop();
    expect(log).toEqual(['write 0', 'send 0', 'fatal a certified block is invalid']);
  });
});

describe('timers', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  /** A started shell under a clock of the test's own, whose peer asks for timers as events arrive. */
  async function underFakeTime(answers: PeerOutput['timers'][]) {
    vi.useFakeTimers();
    const peer = new ScriptedPeer();
    peer.answer = (_, index) => ({ timers: answers[index] ?? [] });
    const { ports } = recording();
    const shell = new PeerShell(peer, ports);
    await shell.start();
    const rung = (): string[] => peer.events.flatMap((event) => (event.type === 'timer' ? [event.id] : []));
    return { shell, rung };
  }

  it('ring once, after their delay', async () => {
    const { rung } = await underFakeTime([[{ id: 'a', delayMs: 100 }]]);
    await vi.advanceTimersByTimeAsync(99);
    expect(rung()).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(rung()).toEqual(['a']);
  });

  it('are replaced by a later one of the same id', async () => {
    const { shell, rung } = await underFakeTime([
      [
        { id: 'a', delayMs: 100 },
        { id: 'b', delayMs: 100 },
      ],
      [{ id: 'a', delayMs: 500 }],
    ]);
    shell.handle(submit);
    await vi.advanceTimersByTimeAsync(499);
    expect(rung()).toEqual(['b']);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(rung()).toEqual(['b', 'a']);
  });

  it('are cleared when the shell stops', async () => {
    const { shell, rung } = await underFakeTime([[{ id: 'a', delayMs: 100 }]]);
    await shell.stop();
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(rung()).toEqual([]);
  });

  it('wait for the wall clock when the machine rings early, so that a peer never looks too soon', async () => {
    const { shell, rung } = await underFakeTime([[{ id: 'a', delayMs: 100 }]]);
    vi.setSystemTime(Date.now() - 2);
    await vi.advanceTimersByTimeAsync(100);
    expect(rung()).toEqual([]);
    await vi.advanceTimersByTimeAsync(2);
    expect(rung()).toEqual(['a']);
    await shell.stop();
  });

  it('do not wait for a wall clock that was turned back', async () => {
    const { rung } = await underFakeTime([[{ id: 'a', delayMs: 100 }]]);
    vi.setSystemTime(Date.now() - 3_600_000);
    await vi.advanceTimersByTimeAsync(100);
    expect(rung()).toEqual(['a']);
  });

  it('may be further away than the machine can count', async () => {
    const days = 60 * 86_400_000;
    const { rung } = await underFakeTime([[{ id: 'a', delayMs: days }]]);
    await vi.advanceTimersByTimeAsync(days - 1);
    expect(rung()).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(rung()).toEqual(['a']);
  });
});
