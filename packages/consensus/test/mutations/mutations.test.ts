import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { editsOf } from './mutation.ts';
import { MUTATIONS } from './mutations.ts';
import { runTable } from './table.ts';
import { applyEdit } from './workspace.ts';

const PACKAGES = join(import.meta.dirname, '../../..');
/** Two that the first worlds catch; the others are run by mutations.full.test.ts. */
const QUICK = ['accept a short quorum', 'mint out of nowhere'];

describe('the list of mutations', () => {
  it('fits the sources: every place is there exactly once', () => {
    for (const mutation of MUTATIONS) {
      for (const edit of editsOf(mutation)) {
        const source = readFileSync(join(PACKAGES, edit.file), 'utf8');
        expect(applyEdit(source, mutation.name, edit)).not.toBe(source);
      }
    }
    expect(new Set(MUTATIONS.map(({ name }) => name)).size).toBe(MUTATIONS.length);
  });

  it('refuses a place that is gone or ambiguous', () => {
    const [mutation] = MUTATIONS;
    if (mutation === undefined) throw new Error('the list is empty');
    expect(() => applyEdit('', mutation.name, mutation)).toThrow('0 times');
    expect(() => applyEdit(`${mutation.find}\n${mutation.find}`, mutation.name, mutation)).toThrow('2 times');
  });
});

it('mutations are caught by seeds of the world', async () => {
  const rows = await runTable(MUTATIONS.filter(({ name }) => QUICK.includes(name)));
  expect(rows.map(({ mutation, reason }) => [mutation.name, reason?.replace(/^world \d+: (\d+):.*/, '$1')])).toEqual([
    ['accept a short quorum', '4'],
    ['mint out of nowhere', '15'],
  ]);
});
