import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createDigestSigner, createSignatureScheme, encodeBatch, signBatch } from '@wattmesh/consensus';
import fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type ApiRoute, openApiDocument, ROUTES } from '../../src/api/openapi.ts';
import { SCHEMAS } from '../../src/api/schemas.ts';
import { addRoutes } from '../../src/api/server.ts';
import type { RunningNode } from '../../src/node.ts';
import { type SmallNetwork, startSmallNetwork } from '../fixtures/small-network.ts';

const document = fileURLToPath(new URL('../../../../docs/openapi.json', import.meta.url));
let network: SmallNetwork;
let node: RunningNode;
let submitted: { status: number; body: unknown };
let ids: readonly string[];

/** Two peers that trade, with one transaction of each kind that an account can send without EPOS. */
beforeAll(async () => {
  network = await startSmallNetwork({ homes: 2, slotPaceMs: 100 });
  [node] = network.nodes as [RunningNode];
  await network.reached(2);
  const [secret] = network.network.extraSecretKeys;
  const signer = createDigestSigner(createSignatureScheme(), secret as Uint8Array);
  const to = network.network.members[1]?.publicKey ?? '';
  const operations = [{ type: 'transfer', asset: 'upos', to, amount: 5n }] as const;
  const batch = signBatch({ chainId: network.network.chainId, firstNonce: 0, operations }, signer);
  submitted = await ask('POST', '/transactions', { batch: Buffer.from(encodeBatch(batch)).toString('hex') });
  ({ ids } = submitted.body as { ids: readonly string[] });
  await new Promise<void>((resolve) => {
    const check = (): void => {
      if (node.store.transaction(ids[0] ?? '') === null) return;
      unlisten();
      resolve();
    };
    const unlisten = node.onCommit(check);
    check();
  });
  await network.reached(5);
}, 60_000);

afterAll(async () => {
  await network.stop();
  await network.remove();
});

async function ask(
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; type: string; body: unknown }> {
  const response = await fetch(`${node.apiUrl}${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const type = response.headers.get('content-type') ?? '';
  return {
    status: response.status,
    type,
    body: type.startsWith('application/json') ? await response.json() : await response.text(),
  };
}

function schemaOf({ answer }: ApiRoute): z.ZodType {
  if (answer === 'text' || answer === 'bytes') return z.string();
  return typeof answer === 'string' ? SCHEMAS[answer] : z.array(SCHEMAS[answer.arrayOf]);
}

/** Questions for every route: each kind of block, and what is refused. */
function questions(route: ApiRoute): { readonly good: readonly string[]; readonly bad: readonly [number, string][] } {
  const place = node.store.transaction(ids[0] ?? '');
  const whichBlocks = ['1', '2', '3', '4', '6', String(place?.height), String(node.store.head)];
  const nowhere = '0'.repeat(64);
  switch (route.path) {
    case '/blocks':
      return {
        good: ['/blocks', '/blocks?from=1&limit=3', '/blocks?from=1000000'],
        bad: [
          [400, '/blocks?limit=0'],
          [400, '/blocks?from=x'],
        ],
      };
    case '/blocks/{which}':
      return {
        good: whichBlocks.map((which) => `/blocks/${which}`),
        bad: [
          [404, '/blocks/1000000'],
          [404, `/blocks/${nowhere}`],
          [400, '/blocks/last'],
        ],
      };
    case '/transactions/{id}':
      return { good: [`/transactions/${ids[0]}`], bad: [[404, `/transactions/${nowhere}`]] };
    case '/accounts/{key}':
      return { good: [`/accounts/${node.publicKey}`], bad: [[404, '/accounts/nobody']] };
    case '/elections/{height}':
      return {
        good: whichBlocks.map((which) => `/elections/${which}`),
        bad: [
          [404, '/elections/1000000'],
          [400, '/elections/first'],
        ],
      };
    case '/model':
      // Prosumers learn nothing; ev-api.test.ts asks EVs.
      return { good: [], bad: [[404, '/model']] };
    case '/raw/blocks':
      return {
        good: ['/raw/blocks', '/raw/blocks?from=2&limit=2', '/raw/blocks?from=1000000'],
        bad: [[400, '/raw/blocks?limit=51']],
      };
    case '/raw/states/{height}':
      return { good: ['/raw/states/1', '/raw/states/1000000'], bad: [[400, '/raw/states/-1']] };
    default:
      return { good: [route.path], bad: [] };
  }
}

test('docs/openapi.json is what the schemas say (write it anew with: node scripts/docs/openapi.ts)', () => {
  expect(JSON.parse(readFileSync(document, 'utf8'))).toEqual(JSON.parse(JSON.stringify(openApiDocument())));
});

test('docs/api.md names every route', () => {
  const text = readFileSync(fileURLToPath(new URL('../../../../docs/api.md', import.meta.url)), 'utf8');
  const named = [...text.matchAll(/`(GET|POST) (\/[^`?]*)/g)].map(([, method, path]) => `${method} ${path}`);
  expect(named.sort()).toEqual(ROUTES.map(({ method, path }) => `${method.toUpperCase()} ${path}`).sort());
});

test('every route of the server is described, and no other', async () => {
  const served: string[] = [];
  const server = fastify();
  server.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) if (one !== 'HEAD') served.push(`${one} ${url.replace(/:(\w+)/g, '{$1}')}`);
  });
  addRoutes(server, node);
  await server.close();
  expect(served.sort()).toEqual(ROUTES.map(({ method, path }) => `${method.toUpperCase()} ${path}`).sort());
});

describe('a live peer answers as described', () => {
  test.each(ROUTES.filter(({ method }) => method === 'get'))('$method $path', async (route) => {
    const { good, bad } = questions(route);
    for (const path of good) {
      const { status, type, body } = await ask('GET', path);
      expect([path, status]).toEqual([path, route.status]);
      expect(type).toContain(route.answer === 'text' ? 'text/plain' : 'application/json');
      expect(schemaOf(route).safeParse(body).error?.issues ?? []).toEqual([]);
    }
    expect(route.refusals ?? []).toEqual(expect.arrayContaining(bad.map(([status]) => status)));
    for (const [status, path] of bad) {
      const refused = await ask('GET', path);
      expect([path, refused.status]).toEqual([path, status]);
      expect(SCHEMAS.Error.safeParse(refused.body).success).toBe(true);
    }
  });

  test('post /transactions', async () => {
    expect(submitted.status).toBe(202);
    expect(SCHEMAS.Submitted.parse(submitted.body).known).toBe(false);
    for (const body of [{ batch: 'xyz' }, { batch: 'ff' }, {}]) {
      const refused = await ask('POST', '/transactions', body);
      expect(refused.status).toBe(400);
      expect(SCHEMAS.Error.safeParse(refused.body).success).toBe(true);
    }
  });

  test('what it does not know, it refuses in the same form', async () => {
    for (const path of ['/nothing', '/blocks/1/2']) {
      const refused = await ask('GET', path);
      expect([refused.status, SCHEMAS.Error.parse(refused.body).error.code]).toEqual([404, 'API_NOT_FOUND']);
    }
  });
});

test('the schemas are strict: a field too many, one too few, or of another type is found', () => {
  const health = { ok: true, connected: 1, height: 2, quorum: 2 };
  expect(SCHEMAS.Health.safeParse(health).success).toBe(true);
  for (const wrong of [
    { ...health, more: 1 },
    { ok: true, connected: 1, height: 2 },
    { ...health, height: '2' },
  ])
    expect(SCHEMAS.Health.safeParse(wrong).success).toBe(false);
});
