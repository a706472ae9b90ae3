import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
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

  it('are never written over in part: RUN_EXISTS names what is there and what is missing', async () => {
    const out = tempFolder();
    await writeSeparateFolders(network, options(out));
    const file = (n: number, name: string): string => join(out, `peer-${n}`, name);
    const secrets = [1, 2, 3, 4].map((n) => readFileSync(file(n, 'secrets.json')));
    const other = provisionSynthetic({ nodes: 4, seed: 'two', clock: 'wall', slotMs: 10_000, genesisTimeMs: 1 });
    const refused = (there: string, missing: string) =>
      expect(writeSeparateFolders(other, options(out))).rejects.toMatchObject({
        code: 'RUN_EXISTS',
        message: expect.stringMatching(new RegExp(`${there}.*\\), .*${missing}.* not;`)),
      });
    rmSync(file(3, 'node.json'));
    await refused(file(2, 'node.json'), file(3, 'node.json'));
    for (const n of [1, 2, 4]) rmSync(file(n, 'node.json'));
    await refused(file(4, 'secrets.json'), file(1, 'node.json'));
    expect([1, 2, 3, 4].map((n) => readFileSync(file(n, 'secrets.json')))).toEqual(secrets);
    for (const n of [1, 2, 3, 4]) rmSync(join(out, `peer-${n}`), { recursive: true });
    expect(await writeSeparateFolders(other, options(out))).toBe(true);
  });

  it.each([
    ['--folder', { folderPattern: 'peer' }],
    ['--address', { addressPattern: '/dns4/peer/tcp/4001' }],
    ['--data-out', { dataFolder: '/data', dataPattern: 'volume' }],
  ] as const)('are one for each peer: RUN_PEERS_SHARE when %s has no {n}', async (option, changes) => {
    const out = tempFolder();
    await expect(writeSeparateFolders(network, options(out, changes))).rejects.toMatchObject({
      code: 'RUN_PEERS_SHARE',
      message: expect.stringMatching(new RegExp(`^${option} .*\\{n\\}`)),
    });
    expect(readdirSync(out)).toEqual([]);
    const alone = provisionSynthetic({ nodes: 1, seed: 'one', clock: 'wall', slotMs: 10_000, genesisTimeMs: 1 });
    const dataPattern = join(out, 'volume');
    const inOut = 'dataPattern' in changes ? { ...changes, dataPattern } : changes;
    expect(await writeSeparateFolders(alone, options(out, inOut))).toBe(true);
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
