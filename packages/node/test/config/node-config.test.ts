import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createSignatureScheme, createThresholdScheme } from '@wattmesh/consensus';
import { describe, expect, it } from 'vitest';
import { readGenesis, readMemberKeys } from '../../src/config/chain-files.ts';
import { type NodeConfigInput, readNodeConfig } from '../../src/config/node-config.ts';
import { readHousehold } from '../../src/household/household.ts';
import { peerFolder } from '../../src/provision/run-folder.ts';
import { provisionedRun } from '../provisioned-run.ts';
import { tempFolder } from '../temp-folder.ts';

const MINIMAL: NodeConfigInput = {
  name: 'p',
  genesis: 'genesis.json',
  secrets: 'keys/secrets.json',
  dataFolder: 'data',
};

function file(content: unknown, name = 'config.json'): string {
  const path = join(tempFolder(), name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

describe('a configuration', () => {
  it('fills in every default, and makes paths absolute from its own folder', async () => {
    const path = file(MINIMAL);
    const config = await readNodeConfig(path);
    const folder = dirname(path);
    expect(config).toMatchObject({
      genesis: join(folder, 'genesis.json'),
      secrets: join(folder, 'keys/secrets.json'),
      dataFolder: join(folder, 'data'),
      listen: { host: '127.0.0.1', port: 0 },
      api: { host: '127.0.0.1', port: 0 },
      addresses: {},
      log: { level: 'info' },
      maxPoolTransactions: 50_000,
    });
    expect(config.timing).toMatchObject({ proposeMs: 2_000, slotPaceMs: 0, resendMs: 1_000 });
    for (const name of ['meter', 'household', 'addressFolder'] as const) expect(config).not.toHaveProperty(name);
  });

  it('takes a misbehaviour with its parameters, and refuses what there is not', async () => {
    const asked = (choice: object) => readNodeConfig(file({ ...MINIMAL, misbehaviour: { choices: [choice] } }));
    const { misbehaviour } = await asked({ name: 'delay', parameters: { delayMs: 20 } });
    expect(misbehaviour).toEqual({ choices: [{ name: 'delay', parameters: { delayMs: 20 } }], accomplices: [] });
    await expect(asked({ name: 'bribe' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(asked({ name: 'delay', parameters: { delayMs: -1 } })).rejects.toThrow(/delay\.delayMs/);
  });

  it('resolves every optional path as well, and leaves absolute ones alone', async () => {
    const path = file({
      ...MINIMAL,
      genesis: '/g.json',
      meter: 'm',
      household: '../h',
      addressFolder: 'a',
      log: { file: 'l' },
    });
    const folder = dirname(path);
    expect(await readNodeConfig(path)).toMatchObject({
      genesis: '/g.json',
      meter: join(folder, 'm'),
      household: resolve(folder, '../h'),
      addressFolder: join(folder, 'a'),
      log: { file: join(folder, 'l'), level: 'info' },
    });
  });

  it.each<[string, object, RegExp]>([
    ['an unknown key', { colour: 'red' }, /"colour"/],
    ['an unknown key further down', { timing: { proposeS: 1 } }, /timing: .*"proposeS"/],
    ['a text where a number belongs', { timing: { proposeMs: '5' } }, /timing\.proposeMs: .*number/],
    ['a fraction', { timing: { proposeMs: 1.5 } }, /timing\.proposeMs: .*int/],
    ['a pause of nothing between repetitions', { timing: { statusMs: 0 } }, /timing\.statusMs/],
    ['a port that is none', { api: { port: 65_536 } }, /api\.port/],
    ['a host name to listen on', { listen: { host: 'localhost' } }, /listen\.host: .*IPv4/],
    ['a level that is none', { log: { level: 'loud' } }, /log\.level/],
    ['an address of nobody', { addresses: { abc: '/ip4/127.0.0.1/tcp/1' } }, /addresses\.abc/],
    ['an empty name', { name: '' }, /name/],
    ['an array', [], /top level/],
  ])('with %s is refused with CONFIG_INVALID, which names the file and the field', async (_, changes, text) => {
    const path = file(Array.isArray(changes) ? changes : { ...MINIMAL, ...changes });
    await expect(readNodeConfig(path)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(text),
    });
    await expect(readNodeConfig(path)).rejects.toThrow(path);
  });

  it('names every missing field at once', async () => {
    const failure = await readNodeConfig(file({})).catch((error: Error) => error.message);
    for (const name of ['name', 'genesis', 'secrets', 'dataFolder']) expect(failure).toContain(`\n  ${name}: `);
  });

  it('that is not JSON is refused with CONFIG_NOT_JSON, which says where', async () => {
    await expect(readNodeConfig(file('{"name": "p",\n  nonsense}'))).rejects.toMatchObject({
      code: 'CONFIG_NOT_JSON',
      message: expect.stringMatching(/position 16/),
    });
    await expect(readNodeConfig(file('{"name": "p"'))).rejects.toMatchObject({ code: 'CONFIG_NOT_JSON' });
    await expect(readNodeConfig(file(''))).rejects.toMatchObject({ code: 'CONFIG_NOT_JSON' });
  });

  it('that is missing or a folder is refused with CONFIG_UNREADABLE', async () => {
    const folder = tempFolder();
    await expect(readNodeConfig(join(folder, 'none.json'))).rejects.toMatchObject({
      code: 'CONFIG_UNREADABLE',
      message: expect.stringContaining('no such file'),
    });
    mkdirSync(join(folder, 'folder.json'));
    await expect(readNodeConfig(join(folder, 'folder.json'))).rejects.toMatchObject({ code: 'CONFIG_UNREADABLE' });
  });
});

describe('a household', () => {
  it.each<[string, unknown, RegExp]>([
    ['no interval', { intervals: [] }, /intervals/],
    ['negative energy', { intervals: [{ productionWh: -1, consumptionWh: 0 }] }, /intervals\.0\.productionWh/],
    ['half a watt-hour', { intervals: [{ productionWh: 0, consumptionWh: 0.5 }] }, /intervals\.0\.consumptionWh/],
    ['an unknown key', { intervals: [{ productionWh: 0, consumptionWh: 0, priceWh: 3 }] }, /"priceWh"/],
  ])('with %s is refused with CONFIG_INVALID', async (_, content, text) => {
    await expect(readHousehold(file(content))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(text),
    });
  });
});

describe("a member's files", () => {
  const signatures = createSignatureScheme();
  const threshold = createThresholdScheme();

  async function filesOf(seed?: string) {
    const { folder, network } = await provisionedRun(seed);
    const own = peerFolder(folder, 'p01');
    const files = {
      genesis: join(folder, 'genesis.json'),
      secrets: join(own, 'secrets.json'),
      meter: join(own, 'meter.json'),
    };
    const read = async () => readMemberKeys(files, await readGenesis(files.genesis), signatures, threshold);
    return { files, network, read };
  }

  const change = (path: string, use: (json: Record<string, unknown>) => object): void =>
    writeFileSync(path, JSON.stringify(use(JSON.parse(readFileSync(path, 'utf8')))));

  it('give its rank and its keys', async () => {
    const { network, read } = await filesOf();
    const [member] = network.members;
    expect(await read()).toMatchObject({ rank: 0, signer: { publicKey: member?.publicKey } });
  });

  it('of another network are refused: the member key, the beacon share and the meter key, each by name', async () => {
    const { files, read } = await filesOf('one');
    const other = (await filesOf('two')).files;
    const own = JSON.parse(readFileSync(files.secrets, 'utf8'));
    const foreign = JSON.parse(readFileSync(other.secrets, 'utf8'));
    const refusal = (file: string, text: RegExp) => ({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(new RegExp(`${file}.*${text.source}`)),
    });
    writeFileSync(files.secrets, JSON.stringify({ ...own, secretKey: foreign.secretKey }));
    await expect(read()).rejects.toMatchObject(refusal(files.secrets, /is no member of/));
    writeFileSync(files.secrets, JSON.stringify({ ...own, beaconShare: foreign.beaconShare }));
    await expect(read()).rejects.toMatchObject(refusal('beaconShare in .*secrets.json', /lists for member 0/));
    writeFileSync(files.secrets, JSON.stringify(own));
    writeFileSync(files.meter, readFileSync(other.meter));
    await expect(read()).rejects.toMatchObject(refusal(files.meter, /not the meter key/));
  });

  it('never show what stands in them when they are wrong', async () => {
    const { files, read } = await filesOf();
    const { secretKey } = JSON.parse(readFileSync(files.secrets, 'utf8')) as { secretKey: string };
    for (const content of [
      secretKey,
      `"${secretKey}`,
      `{"secretKey": ${secretKey}}`,
      JSON.stringify({ secretKey: `${secretKey}00`, beaconShare: secretKey }),
      JSON.stringify({ secretKey: 'f'.repeat(64), beaconShare: secretKey }),
      JSON.stringify({ secretKey, beaconShare: '0'.repeat(64) }),
    ]) {
      writeFileSync(files.secrets, content);
      const error = (await read().catch((one) => one)) as Error & { code: string };
      expect(error.code).toMatch(/^CONFIG_(NOT_JSON|INVALID)$/);
      for (let part = 0; part + 8 <= 64; part += 8)
        expect(`${error.stack} ${String(error.cause)}`).not.toContain(secretKey.slice(part, part + 8));
    }
  });

  it('with a genesis of the wrong shape or against its own rules are refused with CONFIG_INVALID and the field', async () => {
    const { files, read } = await filesOf();
    change(files.genesis, (genesis) => ({ ...genesis, quorum: 0 }));
    await expect(read()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/genesis\.json.*GENESIS_INVALID at quorum/),
    });
    change(files.genesis, (genesis) => ({ ...genesis, colour: 'red' }));
    await expect(read()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/GENESIS_JSON at colour/),
    });
    writeFileSync(files.genesis, '[');
    await expect(read()).rejects.toMatchObject({ code: 'CONFIG_NOT_JSON' });
  });
});
