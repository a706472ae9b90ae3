import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readLines } from '../../src/cli/line-reader.ts';
import { tempFolder } from '../temp-folder.ts';

it('feeds every line once and whole, however it is cut into pieces while it is written', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', '')),
        { maxLength: 8 },
      ),
      fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1 }),
      async (lines, sizes) => {
        const file = join(tempFolder(), 'log');
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        writeFileSync(file, '');
        const read: string[] = [];
        let seen = 0;
        for (let at = 0, k = 0; at < bytes.length; k += 1) {
          const size = sizes[k % sizes.length] as number;
          appendFileSync(file, bytes.subarray(at, at + size));
          at += size;
          seen = await readLines(file, seen, (line) => read.push(line));
        }
        expect(read).toEqual(lines);
        expect(seen).toBe(bytes.length);
      },
    ),
    { numRuns: 60, seed: 2 },
  ));

it('leaves a line that is still being written for the next time', async () => {
  const file = join(tempFolder(), 'log');
  writeFileSync(file, 'one\ntw');
  const read: string[] = [];
  const seen = await readLines(file, 0, (line) => read.push(line));
  expect({ read, seen }).toEqual({ read: ['one'], seen: 4 });
  appendFileSync(file, 'o\n');
  expect(await readLines(file, seen, (line) => read.push(line))).toBe(8);
  expect(read).toEqual(['one', 'two']);
});

it('reads a file that was started anew from its beginning, and one that is not there as empty', async () => {
  const file = join(tempFolder(), 'log');
  expect(await readLines(file, 0, () => undefined)).toBe(0);
  writeFileSync(file, 'new\n');
  const read: string[] = [];
  expect(await readLines(file, 1_000, (line) => read.push(line))).toBe(4);
  expect(read).toEqual(['new']);
});
