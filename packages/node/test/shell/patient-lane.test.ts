import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { PatientLane } from '../../src/shell/patient-lane.ts';

test('one message is handled in each turn, in order, and what is urgent passes the rest', async () => {
  const handled: string[] = [];
  const lane = new PatientLane<string>(
    (message) => handled.push(message),
    () => 1,
  );
  for (const message of ['a', 'b', 'c']) expect(lane.push(message)).toBe(true);
  expect(handled).toEqual([]);
  await turn();
  handled.push('vote');
  expect(lane.push('d')).toBe(true);
  for (let k = 0; k < 5; k += 1) await turn();
  expect(handled).toEqual(['a', 'vote', 'b', 'c', 'd']);
  expect(lane.push('e')).toBe(true);
  await turn();
  expect(handled.at(-1)).toBe('e');
});

test('so many wait at most', async () => {
  const handled: number[] = [];
  const lane = new PatientLane<number>(
    (message) => handled.push(message),
    () => 1,
  );
  for (let k = 0; k < 2_000; k += 1) expect(lane.push(k)).toBe(true);
  expect(lane.push(2_000)).toBe(false);
  await turn();
  expect(lane.push(2_001)).toBe(true);
  expect(lane.push(2_002)).toBe(false);
});

test('bytes are bounded as well', async () => {
  const lane = new PatientLane<Uint8Array>(
    () => undefined,
    ({ length }) => length,
  );
  const large = new Uint8Array(9 * 1024 * 1024);
  expect(lane.push(large)).toBe(true);
  expect(lane.push(large)).toBe(false);
  await turn();
  expect(lane.push(large)).toBe(true);
});
