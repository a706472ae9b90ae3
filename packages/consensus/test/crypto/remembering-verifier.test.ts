import { expect, test } from 'vitest';
import { rememberingVerifier } from '../../src/crypto/remembering-verifier.ts';

const key = Uint8Array.of(1);
const bytes = (value: number) => Uint8Array.of(value);

test('asks once about what verified, every time about what did not, and forgets the oldest', () => {
  const asked: number[] = [];
  // Even signatures verify.
  const verify = rememberingVerifier((signature) => {
    asked.push(signature[0] as number);
    return (signature[0] as number) % 2 === 0;
  }, 2);
  const ask = (value: number) => verify(bytes(value), bytes(0), key);

  expect([ask(2), ask(2), ask(3), ask(3), ask(4), ask(4)]).toEqual([true, true, false, false, true, true]);
  expect(asked).toEqual([2, 3, 3, 4]);
  // 6 pushes out 2, which is then asked about again and pushes out 4.
  expect([ask(6), ask(4), ask(2), ask(4)]).toEqual([true, true, true, true]);
  expect(asked).toEqual([2, 3, 3, 4, 6, 2, 4]);
});

test('a changed message or key is another question', () => {
  let asked = 0;
  const verify = rememberingVerifier(() => {
    asked += 1;
    return true;
  }, 9);
  for (const [message, publicKey] of [
    [bytes(0), bytes(1)],
    [bytes(1), bytes(1)],
    [bytes(0), bytes(2)],
  ] as const) {
    verify(bytes(7), message, publicKey);
  }
  expect(asked).toBe(3);
});
