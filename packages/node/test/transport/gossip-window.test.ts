import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentKeyOfId, contentOf, envelopeId, GossipWindow, TAG_BYTES } from '../../src/transport/gossip-window.ts';
import { bytesOf, textOf } from './inbox.ts';

const WINDOW_MS = 1_000;

function windowAt(maxEntries = 100): { window: GossipWindow; clock: { nowMs: number }; tags: number[] } {
  const clock = { nowMs: 5_000 };
  const tags: number[] = [];
  const tag = (): Uint8Array => {
    tags.push(tags.length + 1);
    return new Uint8Array(TAG_BYTES).fill(tags.length);
  };
  return { window: new GossipWindow(WINDOW_MS, maxEntries, () => clock.nowMs, tag), clock, tags };
}

/** Key of content, computed apart from the code under test. */
function keyOf(topicIndex: number, text: string): string {
  return `${topicIndex}:${createHash('sha256').update(text).digest('base64')}`;
}

describe('envelope', () => {
  it('is named by topic, tag and content, and by nothing else', () => {
    const envelope = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, ...bytesOf('content')]);
    const id = envelopeId(3, envelope);
    const expected = [3, 1, 2, 3, 4, 5, 6, 7, 8, ...createHash('sha256').update('content').digest()];
    expect([...id]).toEqual(expected);
    expect(contentKeyOfId(id)).toBe(keyOf(3, 'content'));
  });

  it('gives back its content; anything shorter than a tag is none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const content = contentOf(bytes);
        if (bytes.byteLength < TAG_BYTES) expect(content).toBeNull();
        else expect([...(content ?? [])]).toEqual([...bytes.slice(TAG_BYTES)]);
      }),
    );
  });
});

describe('GossipWindow', () => {
  it('tags the first publication with zeros, so that two publishers of one content agree on its id', () => {
    const ids = [windowAt(), windowAt()].map(({ window }) => window.publishing(0, bytesOf('x')));
    expect(ids[0]).toEqual(ids[1]);
    expect([...(ids[0] ?? [])]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 120]);
  });

  it('tags every repetition afresh', () => {
    const { window } = windowAt();
    const envelopes = [1, 2, 3].map(() => window.publishing(0, bytesOf('x')));
    const firstBytes = envelopes.map((envelope) => envelope?.[0]);
    expect(firstBytes).toEqual([0, 1, 2]);
    expect(envelopes.map((envelope) => textOf(contentOf(envelope ?? new Uint8Array()) ?? new Uint8Array()))).toEqual([
      'x',
      'x',
      'x',
    ]);
  });

  it('keeps topics apart', () => {
    const { window } = windowAt();
    window.publishing(0, bytesOf('x'));
    expect(window.publishing(1, bytesOf('x'))?.[0]).toBe(0);
    expect(window.arrived(keyOf(2, 'x'))).toBe('deliver');
  });

  it('does not deliver what it published', () => {
    const { window } = windowAt();
    window.publishing(0, bytesOf('x'));
    expect(window.arrived(keyOf(0, 'x'))).toBe('duplicate');
  });

  it.each([
    ['accept', 'duplicate'],
    ['ignore', 'deliver'],
    ['reject', 'rejected'],
  ] as const)('after %s, another copy is: %s', (verdict, next) => {
    const { window } = windowAt();
    const key = keyOf(0, 'x');
    expect(window.arrived(key)).toBe('deliver');
    expect(window.arrived(key)).toBe('duplicate');
    window.settle(key, verdict);
    expect(window.arrived(key)).toBe(next);
  });

  it.each([
    ['accept', [null, 1, 2]],
    ['ignore', [1, 2, 3]],
    ['reject', [1, 2, 3]],
  ] as const)('after %s, broadcasts publish with tags %j', (verdict, tags) => {
    const { window } = windowAt();
    window.arrived(keyOf(0, 'x'));
    window.settle(keyOf(0, 'x'), verdict);
    expect([1, 2, 3].map(() => window.publishing(0, bytesOf('x'))?.[0] ?? null)).toEqual(tags);
  });

  it('counts a broadcast from within the handler as one of what will be accepted', () => {
    const { window } = windowAt();
    window.arrived(keyOf(0, 'x'));
    expect(window.publishing(0, bytesOf('x'))).toBeNull();
    window.settle(keyOf(0, 'x'), 'accept');
    expect(window.publishing(0, bytesOf('x'))?.[0]).toBe(1);
  });

  it('publishes after all what a handler broadcast and then ignored', () => {
    const { window } = windowAt();
    window.arrived(keyOf(0, 'x'));
    window.publishing(0, bytesOf('x'));
    window.settle(keyOf(0, 'x'), 'ignore');
    expect(window.publishing(0, bytesOf('x'))).not.toBeNull();
  });

  it('forgets after the window, which every copy extends', () => {
    const { window, clock } = windowAt();
    const key = keyOf(0, 'x');
    window.arrived(key);
    window.settle(key, 'accept');
    clock.nowMs += WINDOW_MS - 1;
    expect(window.arrived(key)).toBe('duplicate');
    clock.nowMs += WINDOW_MS - 1;
    expect(window.arrived(key)).toBe('duplicate');
    clock.nowMs += WINDOW_MS;
    expect(window.arrived(key)).toBe('deliver');
  });

  it('holds no more than it may, forgetting the oldest first, and nothing that expired', () => {
    const { window, clock } = windowAt(10);
    for (let index = 0; index < 25; index++) window.publishing(0, bytesOf(`${index}`));
    expect(window.size).toBe(10);
    expect(window.arrived(keyOf(0, '15'))).toBe('duplicate');
    expect(window.arrived(keyOf(0, '14'))).toBe('deliver');
    clock.nowMs += WINDOW_MS;
    window.publishing(0, bytesOf('last'));
    expect(window.size).toBe(1);
  });
});
