import { rmSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { readNodeConfig } from '../../src/config/node-config.ts';
import type { RunningNode } from '../../src/node.ts';
import { declareUnsigned } from '../../src/provision/first-journal.ts';
import { readJournal } from '../../src/store/journal-file.ts';
import { eventually } from '../eventually.ts';
import { provisionedRun } from '../provisioned-run.ts';

it('a peer signs nothing in a data folder that was not dealt with its keys, unless it is said that it never has', async () => {
  const run = await provisionedRun();
  const config = await readNodeConfig(run.configFile);
  const start = async (): Promise<RunningNode> => {
    const node = await run.start();
    onTestFinished(() => node.stop());
    return node;
  };

  rmSync(config.dataFolder, { recursive: true });
  const silent = await start();
  expect(silent.view().sittingOut).toBe(true);
  await silent.stop();

  expect((await readJournal(config.dataFolder)).blindHeight).toBeNull();

  // That start has left a chain without blocks and a journal: neither stands in the way.
  await declareUnsigned(config);
  expect(await readJournal(config.dataFolder)).toMatchObject({ records: [], blindHeight: 0 });
  const node = await start();
  expect(node.view().sittingOut).toBe(false);
  await eventually('blocks', () => node.view().state.height > 1);
  await node.stop();
  await expect(declareUnsigned(config)).rejects.toMatchObject({
    code: 'STORE_HAS_SIGNED',
    message: expect.stringMatching(/a chain of \d+ blocks; start without --never-signed/),
  });

  // The very first start can say so, and a second one before anything was signed.
  rmSync(config.dataFolder, { recursive: true });
  await declareUnsigned(config);
  await declareUnsigned(config);
  expect(await readJournal(config.dataFolder)).toMatchObject({ records: [], blindHeight: 0 });
});
