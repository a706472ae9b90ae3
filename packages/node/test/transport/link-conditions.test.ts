import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConditionedLinks, type LinkCondition } from '../../src/transport/link-conditions.ts';

/** Links under a clock that only moves when told to. */
function lab(condition: () => LinkCondition | undefined, seed = 'seed') {
  const clock = { nowMs: 0 };
  const alarms: { atMs: number; action: () => void }[] = [];
  const schedule = (delayMs: number, action: () => void) => {
    const alarm = { atMs: clock.nowMs + delayMs, action };
    alarms.push(alarm);
    return { cancel: () => void (alarms.includes(alarm) && alarms.splice(alarms.indexOf(alarm), 1)) };
  };
  const links = new ConditionedLinks({ seed, condition }, schedule, () => clock.nowMs);
  const arrivals: { id: number; atMs: number }[] = [];
  const lost: number[] = [];
  const send = (id: number, byteLength = 1, remote = 'peer', direction: 'in' | 'out' = 'out'): void =>
    links.pass(
      remote,
      direction,
      byteLength,
      () => arrivals.push({ id, atMs: clock.nowMs }),
      () => lost.push(id),
    );
  const run = (untilMs: number): void => {
    for (;;) {
      const next = alarms.sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > untilMs) break;
      alarms.shift();
      clock.nowMs = Math.max(clock.nowMs, next.atMs);
      next.action();
    }
    clock.nowMs = untilMs;
  };
  return { links, send, run, arrivals, lost, alarms };
}

describe('ConditionedLinks', () => {
  it('passes at once without conditions', () => {
    const { send, arrivals } = lab(() => undefined);
    send(1);
    expect(arrivals).toEqual([{ id: 1, atMs: 0 }]);
  });

  it('delays by the configured time', () => {
    const { send, run, arrivals } = lab(() => ({ delayMs: 40 }));
    send(1);
    run(10);
    send(2);
    run(1_000);
    expect(arrivals).toEqual([
      { id: 1, atMs: 40 },
      { id: 2, atMs: 50 },
    ]);
  });

  it('sends over a narrow link one after the other: 1,000 bytes a second take a second for 1,000 bytes', () => {
    const { send, run, arrivals } = lab(() => ({ bytesPerSecond: 1_000, delayMs: 5 }));
    send(1, 1_000);
    send(2, 500);
    run(10_000);
    send(3, 100);
    run(20_000);
    expect(arrivals).toEqual([
      { id: 1, atMs: 1_005 },
      { id: 2, atMs: 1_505 },
      { id: 3, atMs: 10_105 },
    ]);
  });

  it('loses everything when blocked, in the blocked direction only', () => {
    const { send, run, arrivals, lost } = lab(() => ({ blocked: true }));
    send(1);
    run(1_000);
    expect([arrivals, lost]).toEqual([[], [1]]);
  });

  it('loses about the configured share, the same messages for the same seed', () => {
    const lossesOf = (seed: string): number[] => {
      const { send, lost } = lab(() => ({ lossRatio: 0.3 }), seed);
      for (let id = 0; id < 2_000; id++) send(id);
      return lost;
    };
    // 2,000 draws at 0.3: mean 600, standard deviation 20.5; five of them either way.
    expect(lossesOf('a').length).toBeGreaterThan(497);
    expect(lossesOf('a').length).toBeLessThan(703);
    expect(lossesOf('a')).toEqual(lossesOf('a'));
    expect(lossesOf('a')).not.toEqual(lossesOf('b'));
  });

  it('draws for each link apart: what one peer sends does not change what another one loses', () => {
    const alone = lab(() => ({ lossRatio: 0.5 }));
    const together = lab(() => ({ lossRatio: 0.5 }));
    for (let id = 0; id < 200; id++) {
      alone.send(id);
      together.send(id);
      together.send(1_000 + id, 1, 'another');
    }
    expect(together.lost.filter((id) => id < 1_000)).toEqual(alone.lost);
    expect(together.lost.filter((id) => id >= 1_000).map((id) => id - 1_000)).not.toEqual(alone.lost);
  });

  it('keeps the order of a link and stays within delay and jitter', () => {
    const waits = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(waits, fc.string(), (gaps, seed) => {
        const { send, run, arrivals } = lab(() => ({ delayMs: 10, jitterMs: 50 }), seed);
        let nowMs = 0;
        const sentMs = gaps.map((gap, id) => {
          nowMs += gap;
          run(nowMs);
          send(id);
          return nowMs;
        });
        run(nowMs + 1_000);
        expect(arrivals.map(({ id }) => id)).toEqual(gaps.map((_, id) => id));
        arrivals.forEach(({ atMs }, id) => {
          expect(atMs).toBeGreaterThanOrEqual((sentMs[id] ?? 0) + 10);
          expect(atMs).toBeLessThanOrEqual((sentMs[id] ?? 0) + 60);
        });
      }),
    );
  });

  it('keeps the order when conditions improve while messages are on their way', () => {
    let condition: LinkCondition | undefined = { delayMs: 100 };
    const { send, run, arrivals } = lab(() => condition);
    send(1);
    condition = undefined;
    send(2);
    run(1_000);
    send(3);
    expect(arrivals.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(arrivals.map(({ atMs }) => atMs)).toEqual([100, 100, 1_000]);
  });

  it('drops what a slow link cannot hold', () => {
    const { send, lost } = lab(() => ({ bytesPerSecond: 1 }));
    for (let id = 0; id < 20; id++) send(id, 1_048_576);
    expect(lost).toEqual([16, 17, 18, 19]);
  });

  it('forgets what is on its way when stopped', () => {
    const { links, send, run, arrivals, alarms } = lab(() => ({ delayMs: 10 }));
    send(1);
    links.stop();
    expect(alarms).toEqual([]);
    run(1_000);
    expect(arrivals).toEqual([]);
  });
});

describe('an observer of links', () => {
  it('hears of every message how long it waited, or that it was lost', () => {
    let condition: LinkCondition | undefined;
    const heard: (number | null)[] = [];
    const clock = { nowMs: 0 };
    const alarms: (() => void)[] = [];
    const links = new ConditionedLinks(
      { seed: 's', condition: () => condition, observe: (_, __, waitedMs) => heard.push(waitedMs) },
      (delayMs, action) => {
        alarms.push(() => {
          clock.nowMs += delayMs;
          action();
        });
        return { cancel: () => undefined };
      },
      () => clock.nowMs,
    );
    const send = (): void =>
      links.pass(
        'peer',
        'out',
        10,
        () => undefined,
        () => undefined,
      );
    send();
    condition = { blocked: true };
    send();
    condition = { delayMs: 30 };
    send();
    alarms.shift()?.();
    expect(heard).toEqual([0, null, 30]);
  });
});
