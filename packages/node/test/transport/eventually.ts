import { expect } from 'vitest';

/** `expect.poll` with the patience that a loaded machine needs. */
export function eventually<T>(read: () => T): ReturnType<typeof expect.poll<T>> {
  return expect.poll(read, { timeout: 15_000, interval: 10 });
}
