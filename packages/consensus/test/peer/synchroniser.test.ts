import { describe, expect, it } from 'vitest';
import { Outbox } from '../../src/peer/outbox.ts';
import { Synchroniser } from '../../src/peer/synchroniser.ts';
import { decodeMessage } from '../../src/wire/messages.ts';

const TIMEOUT_MS = 100;
/** No wait is longer than this many timeouts. */
const LONGEST_WAIT_MS = 16 * TIMEOUT_MS;

/** A synchroniser at height 5 among members a to d, with a clock in the test's hand. */
function lab() {
  const outbox = new Outbox();
  const self = { nowMs: 1_000_000, head: 5 };
  const sync = new Synchroniser({
    outbox,
    reader: { block: () => null, state: () => null },
    timeoutMs: TIMEOUT_MS,
    nowMs: () => self.nowMs,
    mayClaim: () => true,
    head: () => self.head,
    liveMembers: () => ['a', 'b', 'c', 'd'],
    adopt: () => {
      self.head += 1;
      return true;
    },
  });
  return {
    self,
    sync,
    /** Tells the synchroniser of a height; who was asked for blocks in consequence, and under which timer. */
    claims(sender: string, height: number): { asked: string; timer: number } | null {
      sync.onStatus(sender, height);
      const { sends, timers } = outbox.take('accept', null);
      const [send] = sends;
      if (send?.type !== 'send' || decodeMessage(send.bytes).type !== 'get-blocks') return null;
      return { asked: send.to, timer: Number(timers[0]?.id.split('/')[1]) };
    },
  };
}

describe('a member that did not answer', () => {
  it('is asked again after a while, although others say nothing of being ahead', () => {
    const { self, sync, claims } = lab();
    for (const source of ['a', 'b']) {
      const request = claims(source, 9);
      expect(request?.asked).toBe(source);
      self.nowMs += TIMEOUT_MS;
      sync.onTimeout(request?.timer as number);
    }
    expect(claims('b', 9)).toBeNull();
    self.nowMs += LONGEST_WAIT_MS;
    expect(claims('a', 9)?.asked).toBe('a');
  });

  it('is waited for longer each time, up to a bound, so that a liar takes little of the time', () => {
    const { self, sync, claims } = lab();
    const waitsMs: number[] = [];
    for (let attempt = 0; attempt < 7; attempt += 1) {
      let waitedMs = 0;
      let request = claims('a', 1_000);
      for (; request === null && waitedMs <= LONGEST_WAIT_MS; request = claims('a', 1_000)) {
        waitedMs += TIMEOUT_MS / 10;
        self.nowMs += TIMEOUT_MS / 10;
      }
      waitsMs.push(waitedMs);
      sync.onTimeout(request?.timer ?? Number.NaN);
    }
    expect(waitsMs).toEqual([0, 2, 4, 8, 16, 16, 16].map((times) => times * TIMEOUT_MS));
  });

  it('does not keep others from being asked meanwhile', () => {
    const { sync, claims } = lab();
    sync.onTimeout(claims('a', 9)?.timer as number);
    expect(claims('b', 9)?.asked).toBe('b');
  });

  it('is believed at once when it has delivered something', () => {
    const { self, sync, claims } = lab();
    sync.onTimeout(claims('a', 7)?.timer as number);
    expect(sync.onBlocks('a', [{ block: new Uint8Array(1), certificate: new Uint8Array(1) }])).toBe('accept');
    sync.onHead();
    expect(self.head).toBe(6);
    expect(claims('a', 7)?.asked).toBe('a');
  });

  it('is not kept out by a clock that was set back', () => {
    const { self, sync, claims } = lab();
    sync.onTimeout(claims('a', 9)?.timer as number);
    self.nowMs -= 10 * LONGEST_WAIT_MS;
    expect(claims('a', 9)?.asked).toBe('a');
  });
});
