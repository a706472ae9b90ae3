import { expect, it } from 'vitest';
import { MUTATIONS } from './mutations.ts';
import { runTable } from './table.ts';

it('every mutation is caught by who is named for it', async () => {
  const rows = await runTable(MUTATIONS);
  expect(rows.filter(({ reason }) => reason === null).map(({ mutation }) => mutation.name)).toEqual([]);
  expect(rows.length).toBeGreaterThanOrEqual(15);
}, 3_600_000);
