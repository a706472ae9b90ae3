import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PEER_NODE_ARGUMENTS, peerEnvironment } from '../../src/cluster/peer-runtime.ts';

const dockerfile = readFileSync(join(import.meta.dirname, '../../../../docker/Dockerfile'), 'utf8');

test('a peer in a container runs with the memory settings of one in a process', () => {
  const [, entrypoint = '[]'] = /^ENTRYPOINT (.*)$/m.exec(dockerfile) ?? [];
  expect(JSON.parse(entrypoint)).toEqual(['node', ...PEER_NODE_ARGUMENTS, 'packages/node/src/cli/main.ts']);
  expect(dockerfile).toContain(`MALLOC_ARENA_MAX=${peerEnvironment().MALLOC_ARENA_MAX}`);
});
