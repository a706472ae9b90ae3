import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDigestSigner, createSignatureScheme, encodeBatch, type Operation, signBatch } from '@wattmesh/consensus';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { BlockSummary } from '../../src/api/views.ts';
import type { RunningNode } from '../../src/node.ts';
import { StoreError } from '../../src/store/errors.ts';
import { eventually } from '../eventually.ts';
import { type ProvisionedRun, provisionedRun } from '../provisioned-run.ts';

/** What the routes say, read from a peer that makes its chain alone. */
let run: ProvisionedRun;
let node: RunningNode;

beforeAll(async () => {
  run = await provisionedRun('api', {}, mkdtempSync(join(tmpdir(), 'wattmesh-node-test-')));
  node = await run.start();
  await eventually('a few blocks', () => node.store.head >= 6);
});

afterAll(async () => {
  await node?.stop();
  rmSync(run.folder, { recursive: true, force: true });
});

async function ask(path: string, init: RequestInit = {}): Promise<{ status: number; body: never }> {
  const response = await fetch(`${node.apiUrl}${path}`, init);
  return { status: response.status, body: (await response.json()) as never };
}

async function get<T>(path: string): Promise<T> {
  const { status, body } = await ask(path);
  expect(status, path).toBe(200);
  return body;
}

const post = (body: unknown, type = 'application/json'): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': type },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

const refusal = (code: string, text: RegExp) => ({ error: { code, message: expect.stringMatching(text) } });

function signedBatch(firstNonce: number, operations: readonly Operation[]): string {
  const secret = run.network.members[0]?.secretKey as Uint8Array;
  const signer = createDigestSigner(createSignatureScheme(), secret);
  const batch = signBatch({ chainId: run.network.chainId, firstNonce, operations }, signer);
  return Buffer.from(encodeBatch(batch)).toString('hex');
}

const transfer = (amount: bigint): Operation => ({
  type: 'transfer',
  asset: 'upos',
  to: run.network.genesis.accounts[0]?.publicKey as string,
  amount,
});

describe('what a peer says of itself', () => {
  it('GET /health: alive and with a quorum in sight', async () => {
    expect(await get('/health')).toEqual({ ok: true, connected: 0, quorum: 1, height: expect.any(Number) });
  });

  it('GET /status: where it stands, as its disk has it', async () => {
    const status = await get<{ height: number; headHash: string; stateRoot: string }>('/status');
    expect(status).toMatchObject({
      name: 'p01',
      publicKey: node.publicKey,
      rank: 0,
      chainId: run.network.chainId,
      chainName: 'one prosumer',
      members: 1,
      quorum: 1,
      sittingOut: false,
      syncTarget: null,
      connected: 0,
    });
    const block = await get<BlockSummary>(`/blocks/${status.height}`);
    expect(block).toMatchObject({ hash: status.headHash, stateRoot: status.stateRoot });
  });

  it('GET /peers: everybody else', async () => {
    expect(await get('/peers')).toEqual([]);
  });

  it('GET /genesis: what all members agree on', async () => {
    const { genesis, chainId } = run.network;
    expect(await get('/genesis')).toEqual({
      chainId,
      chainName: genesis.chainName,
      genesisTimeMs: genesis.genesisTimeMs,
      quorum: 1,
      slot: genesis.slot,
      members: [{ rank: 0, publicKey: node.publicKey, role: 'prosumer' }],
    });
  });

  it('GET /accounts and /accounts/:key: what everybody holds', async () => {
    const accounts = await get<{ publicKey: string; role: string }[]>('/accounts');
    expect(accounts.map(({ role }) => role)).toEqual(['prosumer', 'edc']);
    expect(await get(`/accounts/${node.publicKey}`)).toMatchObject({
      role: 'prosumer',
      rank: 0,
      stakeMicro: '100000000',
      uposMicro: expect.stringMatching(/^\d+$/),
    });
    const { status, body } = await ask(`/accounts/02${'0'.repeat(64)}`);
    expect({ status, body }).toEqual({ status: 404, body: refusal('API_NOT_FOUND', /no account 020/) });
  });

  it('GET /market: sums over the settled slots', async () => {
    const market = await get<{ members: { slots: number }[] }>('/market');
    expect(market.members).toHaveLength(1);
  });

  it('GET /elections and /elections/:height: who may propose and why', async () => {
    const now = await get<{ list: { rank: number }[] }>('/elections');
    expect(now.list.map(({ rank }) => rank)).toContain(0);
    expect(await get('/elections/3')).toMatchObject({ height: 3, term: expect.any(Number) });
    expect((await ask('/elections/1000000')).status).toBe(404);
    expect((await ask('/elections/third')).body).toEqual(refusal('API_BAD_REQUEST', /neither a height/));
  });
});

describe('blocks', () => {
  it('come in pages that join, from any height, at most a hundred at a time', async () => {
    const { blocks } = await get<{ blocks: BlockSummary[] }>('/blocks?from=1&limit=3');
    const next = await get<{ blocks: BlockSummary[] }>('/blocks?from=4&limit=2');
    const joined = [...blocks, ...next.blocks];
    expect(joined.map(({ height }) => height)).toEqual([1, 2, 3, 4, 5]);
    for (const [k, block] of joined.entries())
      expect(block.parentHash).toBe(joined[k - 1]?.hash ?? run.network.chainId);
  });

  it('without a page are the last ones; beyond the head there are none', async () => {
    const { head, blocks } = await get<{ head: number; blocks: BlockSummary[] }>('/blocks?limit=2');
    expect(blocks.map(({ height }) => height)).toEqual([head - 1, head]);
    expect(await get(`/blocks?from=${head + 1_000}`)).toMatchObject({ blocks: [] });
  });

  it.each(['limit=0', 'limit=101', 'limit=ten', 'limit=1.5', 'limit=-1', 'from=0', 'from=', 'from=1e3'])(
    'refuse the page %s with API_BAD_REQUEST, which names the option and its bounds',
    async (query) => {
      const { status, body } = await ask(`/blocks?${query}`);
      expect({ status, body }).toEqual({
        status: 400,
        body: refusal('API_BAD_REQUEST', new RegExp(`^${query.split('=')[0]} must be an integer from 1 to \\d+, got`)),
      });
    },
  );

  it('are found by height and by hash, with what a settlement did', async () => {
    const { blocks } = await get<{ blocks: BlockSummary[] }>('/blocks?from=1&limit=6');
    const settlement = blocks.find(({ kind }) => kind === 'settlement') as BlockSummary;
    const byHeight = await get<{ hash: string }>(`/blocks/${settlement.height}`);
    expect(byHeight).toMatchObject({
      settlement: { market: { slot: expect.any(Number) } },
      timing: { viaSync: false },
    });
    expect(await get(`/blocks/${byHeight.hash}`)).toEqual(byHeight);
  });

  it.each([
    ['0', 404, 'API_NOT_FOUND'],
    ['1000000', 404, 'API_NOT_FOUND'],
    ['ab'.repeat(32), 404, 'API_NOT_FOUND'],
    ['xyz', 400, 'API_BAD_REQUEST'],
    ['AB'.repeat(32), 400, 'API_BAD_REQUEST'],
    ['-1', 400, 'API_BAD_REQUEST'],
  ])('refuse %s with %i %s', async (which, status, code) => {
    expect(await ask(`/blocks/${which}`)).toEqual({ status, body: refusal(code, /./) });
  });
});

describe('transactions', () => {
  it('are taken, committed, and found by their id; the same batch again is known, not an error', async () => {
    const { nonce } = await get<{ nonce: number }>(`/accounts/${node.publicKey}`);
    const to = run.network.genesis.accounts[0]?.publicKey;
    const before = await get<{ uposMicro: string }>(`/accounts/${to}`);
    const batch = signedBatch(nonce, [transfer(3n), transfer(4n)]);
    const { status, body } = await ask('/transactions', post({ batch }));
    expect({ status, body }).toEqual({
      status: 202,
      body: { ids: [expect.stringMatching(/^[0-9a-f]{64}$/), expect.stringMatching(/^[0-9a-f]{64}$/)], known: false },
    });
    const [, second] = (body as { ids: string[] }).ids;
    const found = await eventually('the transfer', async () => {
      const answer = await ask(`/transactions/${second}`);
      return answer.status === 200 ? (answer.body as { height: number }) : null;
    });
    expect(found).toMatchObject({
      id: second,
      sender: node.publicKey,
      nonce: nonce + 1,
      operation: { type: 'transfer', asset: 'upos', to, amount: '4' },
    });
    const block = await get<{ transactions: { id: string }[] }>(`/blocks/${found.height}`);
    expect(block.transactions.map(({ id }) => id)).toContain(second);
    const after = await get<{ uposMicro: string }>(`/accounts/${to}`);
    expect(BigInt(after.uposMicro) - BigInt(before.uposMicro)).toBeGreaterThanOrEqual(7n);
    // It has been executed by now, so that it is no longer in the pool.
    expect((await ask('/transactions', post({ batch }))).body).toEqual(refusal('API_BAD_REQUEST', /STALE/));
  });

  it('that the pool refuses are refused with its code', async () => {
    const far = signedBatch(1_000_000, [transfer(1n)]);
    expect(await ask('/transactions', post({ batch: far }))).toEqual({
      status: 400,
      body: refusal('API_BAD_REQUEST', /TRANSACTION_TOO_FAR_AHEAD/),
    });
    const broken = `${far.slice(0, -2)}${far.endsWith('00') ? '01' : '00'}`;
    expect((await ask('/transactions', post({ batch: broken }))).status).toBe(400);
  });

  it.each<[string, RequestInit, RegExp]>([
    ['no batch', post({}), /send \{"batch"/],
    ['a number', post({ batch: 7 }), /send \{"batch"/],
    ['no hex', post({ batch: 'xyz' }), /send \{"batch"/],
    ['half a byte', post({ batch: 'abc' }), /send \{"batch"/],
    ['bytes that are no batch', post({ batch: 'abcd' }), /not a transaction batch: CODEC_/],
    ['no JSON', post('{'), /JSON/i],
    ['null', post('null'), /send \{"batch"/],
    ['text', post('{"batch": "ab"}', 'text/plain'), /send \{"batch"/],
    ['another type', post('ab', 'application/octet-stream'), /media type/i],
  ])('sent as %s are refused with API_BAD_REQUEST', async (_, init, text) => {
    const { status, body } = await ask('/transactions', init);
    expect(body).toEqual(refusal('API_BAD_REQUEST', text));
    expect(status).toBeLessThan(500);
  });

  it('larger than any batch are refused with API_TOO_LARGE', async () => {
    const { status, body } = await ask('/transactions', post({ batch: 'ab'.repeat(150_000) }));
    expect({ status, body }).toEqual({ status: 413, body: refusal('API_TOO_LARGE', /./) });
  });

  it('that nobody has committed are not found', async () => {
    for (const id of ['0'.repeat(64), 'nonsense'])
      expect(await ask(`/transactions/${id}`)).toEqual({ status: 404, body: refusal('API_NOT_FOUND', /no committed/) });
  });
});

describe('everything else', () => {
  it.each([
    ['GET', '/nowhere'],
    ['GET', '/../secrets.json'],
    ['DELETE', '/blocks/1'],
    ['POST', '/status'],
  ])('%s %s is not found', async (method, path) => {
    expect(await ask(path, { method })).toEqual({ status: 404, body: refusal('API_NOT_FOUND', /there is no/) });
  });

  it('that breaks inside is told with a code and logged, and the peer goes on', async () => {
    const block = vi.spyOn(node.store, 'block').mockImplementation(() => {
      throw new StoreError('STORE_CORRUPT', 'the bytes of b/1 are not those that were written');
    });
    onTestFinished(() => block.mockRestore());
    expect(await ask('/blocks/1')).toEqual({ status: 500, body: refusal('STORE_CORRUPT', /b\/1/) });
    block.mockImplementation(() => {
      throw new TypeError('unexpected');
    });
    expect(await ask('/blocks/1')).toEqual({ status: 500, body: refusal('API_FAILED', /unexpected/) });
    block.mockRestore();
    expect((await ask('/blocks/1')).status).toBe(200);
  });
});

describe('a port in use', () => {
  async function taken(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    onTestFinished(() => void server.close());
    return (server.address() as { port: number }).port;
  }

  it('for the API is refused with API_ADDRESS_IN_USE, for peers with TRANSPORT_ADDRESS_IN_USE; nothing is left open', async () => {
    const port = await taken();
    const other = await provisionedRun('ports');
    other.configure({ api: { port } });
    await expect(other.start()).rejects.toMatchObject({
      code: 'API_ADDRESS_IN_USE',
      message: expect.stringContaining(String(port)),
    });
    other.configure({ api: {}, listen: { port } });
    await expect(other.start()).rejects.toMatchObject({ code: 'TRANSPORT_ADDRESS_IN_USE' });
    // The failed starts gave the store back and left no endpoint.
    other.configure({ api: { host: '203.0.113.1' }, listen: {} });
    await expect(other.start()).rejects.toMatchObject({ code: 'API_LISTEN_FAILED' });
    other.configure({ api: {} });
    await (await other.start()).stop();
  });
});
