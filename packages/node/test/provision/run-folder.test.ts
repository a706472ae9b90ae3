import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { provisionSynthetic } from '../../src/cluster/create-run.ts';
import { readNodeConfig } from '../../src/config/node-config.ts';
import { followEndpoints } from '../../src/provision/endpoint-book.ts';
import {
  type Endpoint,
  isRun,
  peerFolder,
  peerOf,
  readEndpoint,
  readRun,
  writeEndpoint,
  writeRunFolder,
} from '../../src/provision/run-folder.ts';
import { readJournal } from '../../src/store/journal-file.ts';
import { eventually } from '../eventually.ts';
import { provisionedRun } from '../provisioned-run.ts';
import { tempFolder } from '../temp-folder.ts';
import { filesWith, networkOf } from './dealt-network.ts';

const KEY = `02${'ab'.repeat(32)}`;
const endpoint: Endpoint = { pid: 12, publicKey: KEY, peerAddress: '/ip4/127.0.0.1/tcp/9', apiUrl: 'http://x' };

describe('a run folder', () => {
  it('describes the run and its peers', async () => {
    const { folder, network } = await provisionedRun();
    const run = await readRun(folder);
    expect(run).toMatchObject({ format: 1, chainId: network.chainId, seed: 'one' });
    expect(peerOf(run, 'p01')).toEqual({ name: 'p01', publicKey: network.members[0]?.publicKey });
  });

  it('keeps every file with a secret to its owner, and secrets out of every other file', async () => {
    const { folder, network } = await provisionedRun();
    const [member] = network.members;
    const secrets = [member?.secretKey, member?.beaconShare, member?.meterSecretKey, network.edcSecretKey].map((key) =>
      Buffer.from(key as Uint8Array).toString('hex'),
    );
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    let guarded = 0;
    for (const { parentPath, name } of files) {
      const path = join(parentPath, name);
      const text = readFileSync(path, 'utf8');
      if (!secrets.some((secret) => text.includes(secret))) continue;
      expect(statSync(path).mode & 0o777, path).toBe(0o600);
      guarded += 1;
    }
    expect(guarded).toBe(3);
  });

  it.each(['poeg', 'posoc'] as const)(
    'of %s keeps the seed, from which every key follows, to its owner, and out of the folders of the peers',
    async (protocol) => {
      const folder = tempFolder();
      const seed = 'a seed that nobody else may read';
      await writeRunFolder(folder, networkOf(protocol, seed), { seed, createdMs: 0 });
      const holding = filesWith(folder, seed);
      expect(holding).toEqual([join(folder, 'run.json')]);
      for (const path of holding) expect(statSync(path).mode & 0o777).toBe(0o600);
    },
  );

  it('is never written over: RUN_EXISTS', async () => {
    const { folder, network } = await provisionedRun();
    const before = readFileSync(join(folder, 'run.json'));
    await expect(writeRunFolder(folder, network, { seed: 'x', createdMs: 1 })).rejects.toMatchObject({
      code: 'RUN_EXISTS',
      message: expect.stringContaining(folder),
    });
    expect(readFileSync(join(folder, 'run.json'))).toEqual(before);
  });

  it('is laid out anew where an attempt was interrupted, for a chain that differs by its time of genesis', async () => {
    const { folder, network, configFile } = await provisionedRun();
    const { dataFolder } = await readNodeConfig(configFile);
    rmSync(join(folder, 'run.json'));
    const plan = { nodes: 1, seed: 'one', clock: 'ready', slotMs: 60_000 } as const;
    const later = provisionSynthetic({ ...plan, genesisTimeMs: 2_000 });
    expect(later.chainId).not.toBe(network.chainId);
    await writeRunFolder(folder, later, { seed: 'one', createdMs: 1 });
    const journal = await readJournal(dataFolder);
    expect(journal).toMatchObject({ chainId: Buffer.from(later.chainId, 'hex'), records: [], blindHeight: 0 });

    // Now a peer has been there.
    mkdirSync(join(dataFolder, 'chain'));
    rmSync(join(folder, 'run.json'));
    const latest = provisionSynthetic({ ...plan, genesisTimeMs: 3_000 });
    await expect(writeRunFolder(folder, latest, { seed: 'one', createdMs: 1 })).rejects.toMatchObject({
      code: 'STORE_OTHER_CHAIN',
    });
  });

  it('that is none is refused with RUN_NOT_FOUND, a broken one with the code of its file', async () => {
    const folder = tempFolder();
    expect(isRun(folder)).toBe(false);
    await expect(readRun(folder)).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
    writeFileSync(join(folder, 'run.json'), '{');
    await expect(readRun(folder)).rejects.toMatchObject({ code: 'CONFIG_NOT_JSON' });
    writeFileSync(join(folder, 'run.json'), '{"format": 2}');
    await expect(readRun(folder)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('has no other peers than its own: RUN_UNKNOWN_PEER names them', async () => {
    const run = await readRun((await provisionedRun()).folder);
    expect(() => peerOf(run, 'p02')).toThrow(
      expect.objectContaining({ code: 'RUN_UNKNOWN_PEER', message: expect.stringContaining('p01') }),
    );
    expect(peerFolder('run', 'p01')).toBe(join('run', 'peers', 'p01'));
  });
});

describe('endpoints', () => {
  it('are read as they were written; what is no endpoint is none', async () => {
    const folder = tempFolder();
    await writeEndpoint(folder, endpoint);
    expect(await readEndpoint(folder, KEY)).toEqual(endpoint);
    expect(await readEndpoint(folder, 'nobody')).toBeNull();
    for (const text of ['', '{', '[]', '{"pid": "12"}']) {
      writeFileSync(join(folder, `${KEY}.json`), text);
      expect(await readEndpoint(folder, KEY)).toBeNull();
    }
  });

  it('are followed: who is there already, who comes later, who moves; nobody else', async () => {
    const folder = join(tempFolder(), 'endpoints');
    const later = `03${'cd'.repeat(32)}`;
    await writeEndpoint(folder, endpoint);
    const learned: string[] = [];
    const book = await followEndpoints(
      folder,
      [KEY, later],
      ({ publicKey, peerAddress }) => learned.push(`${publicKey.slice(0, 2)} ${peerAddress}`),
      (error) => learned.push(String(error)),
    );
    onTestFinished(() => book.close());
    expect(learned).toEqual(['02 /ip4/127.0.0.1/tcp/9']);
    await writeEndpoint(folder, { ...endpoint, publicKey: `02${'ee'.repeat(32)}` });
    await writeEndpoint(folder, { ...endpoint, publicKey: later, peerAddress: '/b' });
    await eventually('the one that came later', () => learned.includes('03 /b'));
    await writeEndpoint(folder, { ...endpoint, peerAddress: '/moved' });
    await eventually('the one that moved', () => learned.includes('02 /moved'));
    expect(new Set(learned)).toEqual(new Set(['02 /ip4/127.0.0.1/tcp/9', '03 /b', '02 /moved']));
  });
});
