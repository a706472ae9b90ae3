import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { PEER_NODE_ARGUMENTS } from '../../packages/node/src/cluster/peer-runtime.ts';
import { composeProgram, runOrThrow, testImage, whyNoEngine } from './engine.ts';

const reason = whyNoEngine();
let image = '';

describe('the image', () => {
  beforeAll(async () => {
    if (reason === undefined) image = await testImage();
  }, 240_000);
  beforeEach(({ skip }) => skip(reason !== undefined, reason));

  const inContainer = (program: string) =>
    runOrThrow('docker', [
      'run',
      '--rm',
      '--pull=never',
      '--network=none',
      '--entrypoint=node',
      image,
      '--input-type=module',
      '-e',
      program,
    ]);

  test('runs Node 24 as a user who cannot change the program, but can write the data folder', async () => {
    const report = await inContainer(`
      import fs from 'node:fs';
      const attempt = (path) => { try { fs.writeFileSync(path, ''); return 'written'; } catch (error) { return error.code; } };
      console.log(JSON.stringify({ node: process.versions.node.split('.')[0], uid: process.getuid(),
        app: attempt('/app/x'), source: attempt('/app/packages/node/src/index.ts'), data: attempt('/data/x') }));`);
    expect(JSON.parse(report)).toEqual({ node: '24', uid: 1000, app: 'EACCES', source: 'EACCES', data: 'written' });
  });

  test('the native addons of store and signatures load, and a chain store keeps what it is given', async () => {
    const report = await inContainer(`
      import { createRequire } from 'node:module';
      const node = createRequire('/app/packages/node/src/index.ts');
      const consensus = createRequire('/app/packages/consensus/src/index.ts');
      const { ClassicLevel } = node('classic-level');
      const db = new ClassicLevel('/data/store');
      await db.put('height', '7', { sync: true });
      const { status } = await db.get('height').then((value) => ({ status: value }));
      await db.close();
      console.log(JSON.stringify([status, typeof consensus('secp256k1/bindings'), typeof consensus('@chainsafe/blst').SecretKey]));`);
    expect(JSON.parse(report)).toEqual(['7', 'object', 'function']);
  });

  test('brings no development dependencies, tests or secrets', async () => {
    const report = await inContainer(`
      import fs from 'node:fs';
      const packages = fs.readdirSync('/app/packages');
      console.log(JSON.stringify({
        vitest: fs.readdirSync('/app/node_modules/.pnpm').filter((name) => /^(vitest|typescript|@biomejs)/.test(name)),
        tests: packages.filter((name) => fs.existsSync('/app/packages/' + name + '/test')),
        git: fs.existsSync('/app/.git'), tools: fs.existsSync('/app/.tools') }));`);
    expect(JSON.parse(report)).toEqual({ vitest: [], tests: [], git: false, tools: false });
  });

  test('asks for its health with the configured port and runs as a named user', async () => {
    const format = '[{{json .Config.Healthcheck.Test}},{{json .Config.User}},{{json .Config.Entrypoint}}]';
    expect(JSON.parse(await runOrThrow('docker', ['inspect', '--format', format, image]))).toEqual([
      ['CMD', 'node', 'docker/health.mjs', '/config/node.json'],
      'node',
      ['node', ...PEER_NODE_ARGUMENTS, 'packages/node/src/cli/main.ts'],
    ]);
  });
});

test('the compose file loads: four peers, each with a volume, a health check and only its own keys', async ({
  skip,
}) => {
  const compose = composeProgram();
  if (compose === undefined) return skip('no compose program');
  const [program, ...first] = compose;
  const load = (...args: string[]) =>
    runOrThrow(program, [...first, '--file', 'docker/compose.yaml', 'config', ...args]);
  const peers = ['peer-1', 'peer-2', 'peer-3', 'peer-4'];
  expect((await load('--services')).trim().split('\n').sort()).toEqual([...peers, 'provision']);
  const { services } = parse(await load());
  for (const [index, peer] of peers.entries()) {
    expect(services[peer].healthcheck.test).toEqual(['CMD', 'node', 'docker/health.mjs', '/config/node.json']);
    // Short form in the older program, long form in the newer one.
    const mounts = services[peer].volumes.map(
      (volume: string | { source: string; target: string; read_only?: boolean }) =>
        typeof volume === 'string' ? volume : `${volume.source}:${volume.target}:${volume.read_only ? 'ro' : 'rw'}`,
    );
    expect(mounts).toEqual([`config-${index + 1}:/config:ro`, `data-${index + 1}:/data:rw`]);
  }
});
