import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { provisionSynthetic } from '../../src/cluster/create-run.ts';
import { type SeparateFoldersOptions, writeSeparateFolders } from '../../src/provision/separate-folders.ts';
import { readJournal } from '../../src/store/journal-file.ts';
import { tempFolder } from '../temp-folder.ts';
import { filesWith, networkOf } from './dealt-network.ts';

const network = provisionSynthetic({ nodes: 4, seed: 'one', clock: 'wall', slotMs: 10_000, genesisTimeMs: 1 });

function options(out: string, changes: Partial<SeparateFoldersOptions> = {}): SeparateFoldersOptions {
  return {
    out,
    folderPattern: 'peer-{n}',
    listen: { host: '0.0.0.0', port: 4001 },
    addressPattern: '/dns4/peer-{n}/tcp/4001',
    apiPort: 7001,
    dataFolder: 'data',
    ...changes,
  };
}

describe('folders for peers on machines of their own', () => {
  it('hold what their peer needs, with a first journal that says that it has signed nothing', async () => {
    const out = tempFolder();
    expect(await writeSeparateFolders(network, options(out))).toBe(true);
    for (const n of [1, 2, 3, 4]) {
      const folder = join(out, `peer-${n}`);
      for (const file of ['node.json', 'genesis.json', 'secrets.json', 'meter.json', 'household.json'])
        expect(existsSync(join(folder, file))).toBe(true);
      expect(await readJournal(join(folder, 'data'))).toEqual({
        records: [],
        damage: null,
        chainId: expect.anything(),
        blindHeight: 0,
        end: 52,
      });
    }
  });

  it.each(['poeg', 'posoc'] as const)(
    'of %s do not tell a peer the seed, from which it could derive the keys of the others',
    async (protocol) => {
      const out = tempFolder();
      const seed = 'a seed that no peer may know';
      const dealt = networkOf(protocol, seed);
      expect(await writeSeparateFolders(dealt, options(out))).toBe(true);
      expect(filesWith(out, seed)).toEqual([]);
      for (const { rank, secretKey, beaconShare, meterSecretKey } of dealt.members)
        for (const secret of [secretKey, beaconShare, meterSecretKey])
          for (const path of filesWith(out, Buffer.from(secret).toString('hex')))
            expect(path.startsWith(join(out, `peer-${rank + 1}`, '/'))).toBe(true);
      // The same look finds what is there.
      expect(filesWith(out, dealt.genesis.chainName)).toHaveLength(4);
    },
  );

  it('are left as they are when they hold a network', async () => {
    const out = tempFolder();
    await writeSeparateFolders(network, options(out));
    const before = readFileSync(join(out, 'peer-1', 'secrets.json'));
    const other = provisionSynthetic({ nodes: 4, seed: 'two', clock: 'wall', slotMs: 10_000, genesisTimeMs: 1 });
    expect(await writeSeparateFolders(other, options(out))).toBe(false);
    expect(readFileSync(join(out, 'peer-1', 'secrets.json'))).toEqual(before);
  });

  it('need to be told where an absolute data folder is now: RUN_DATA_ELSEWHERE', async () => {
    const out = tempFolder();
    await expect(writeSeparateFolders(network, options(out, { dataFolder: '/data' }))).rejects.toMatchObject({
      code: 'RUN_DATA_ELSEWHERE',
      message: expect.stringContaining('--data-out'),
    });
    expect(existsSync(join(out, 'peer-1'))).toBe(false);
    const dataPattern = join(out, 'volumes', '{n}');
    expect(await writeSeparateFolders(network, options(out, { dataFolder: '/data', dataPattern }))).toBe(true);
    for (const n of [1, 2, 3, 4]) expect((await readJournal(join(out, 'volumes', `${n}`))).damage).toBeNull();
  });
});
