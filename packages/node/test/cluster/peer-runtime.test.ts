import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { compileCacheFolder, PEER_NODE_ARGUMENTS, peerEnvironment } from '../../src/cluster/peer-runtime.ts';
import { tempFolder } from '../temp-folder.ts';

const dockerfile = readFileSync(join(import.meta.dirname, '../../../../docker/Dockerfile'), 'utf8');

test('a peer in a container runs with the memory settings of one in a process', () => {
  const [, entrypoint = '[]'] = /^ENTRYPOINT (.*)$/m.exec(dockerfile) ?? [];
  expect(JSON.parse(entrypoint)).toEqual(['node', ...PEER_NODE_ARGUMENTS, 'packages/node/src/cli/main.ts']);
  expect(dockerfile).toContain(`MALLOC_ARENA_MAX=${peerEnvironment().MALLOC_ARENA_MAX}`);
});

describe('compiled sources are kept', () => {
  const NAME = 'wattmesh-compile-cache';
  const user = process.getuid?.() ?? 0;
  afterEach(() => vi.unstubAllEnvs());

  test('in a folder that this user alone can look into, below the home or where XDG_CACHE_HOME says', () => {
    const home = tempFolder();
    const folder = compileCacheFolder({ HOME: home });
    expect(folder).toBe(join(home, '.cache', NAME));
    expect(statSync(folder as string).mode & 0o777).toBe(0o700);
    expect(compileCacheFolder({ HOME: home })).toBe(folder);
    expect(compileCacheFolder({ HOME: home, XDG_CACHE_HOME: 'relative' })).toBe(folder);
    const elsewhere = tempFolder();
    expect(compileCacheFolder({ HOME: home, XDG_CACHE_HOME: elsewhere })).toBe(join(elsewhere, NAME));
  });

  test('nowhere when the folder is another user’s, a link, or open to others, or could be exchanged by them', () => {
    const home = tempFolder();
    const env = { XDG_CACHE_HOME: home };
    const folder = compileCacheFolder(env) as string;
    expect(folder).not.toBeNull();
    expect(compileCacheFolder(env, user + 1)).toBeNull();
    for (const mode of [0o770, 0o702]) {
      chmodSync(folder, mode);
      expect(compileCacheFolder(env)).toBeNull();
    }
    chmodSync(folder, 0o755);
    expect(compileCacheFolder(env)).toBe(folder);
    chmodSync(home, 0o777);
    expect(compileCacheFolder(env)).toBeNull();
    chmodSync(home, 0o1777);
    expect(compileCacheFolder(env)).toBe(folder);

    const linked = tempFolder();
    symlinkSync(folder, join(linked, NAME));
    expect(compileCacheFolder({ XDG_CACHE_HOME: linked })).toBeNull();
  });

  test('nowhere when there is no home to write to', () => {
    const file = join(tempFolder(), 'file');
    writeFileSync(file, '');
    expect(compileCacheFolder({ HOME: file })).toBeNull();
    vi.stubEnv('NODE_COMPILE_CACHE', undefined);
    vi.stubEnv('XDG_CACHE_HOME', file);
    expect(peerEnvironment()).not.toHaveProperty('NODE_COMPILE_CACHE');
  });

  test('where peers look for them, unless the environment names another folder', () => {
    const home = tempFolder();
    vi.stubEnv('NODE_COMPILE_CACHE', undefined);
    vi.stubEnv('XDG_CACHE_HOME', home);
    expect(peerEnvironment().NODE_COMPILE_CACHE).toBe(join(home, NAME));
    const given = join(home, 'given');
    mkdirSync(given);
    vi.stubEnv('NODE_COMPILE_CACHE', given);
    expect(peerEnvironment().NODE_COMPILE_CACHE).toBe(given);
  });
});
