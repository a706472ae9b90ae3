import { decodeBatch, encodeMessage, stateRoot } from '@wattmesh/consensus';
import fastify, { type FastifyInstance } from 'fastify';
import type { RunningNode } from '../node.ts';
import { StoreError } from '../store/errors.ts';
import { ApiError, badRequest, notFound } from './errors.ts';
import { disciplineView } from './evidence-view.ts';
import { queryInteger } from './query.ts';
import { addRawRoutes } from './raw-routes.ts';
import {
  accountView,
  blockSummary,
  blockView,
  electionAt,
  electionView,
  heightOf,
  marketView,
  modelView,
  storedBlock,
  transactionViews,
} from './views.ts';

/** Largest body of a request: a batch of 256 transactions in hex is well below. */
const MAX_BODY_BYTES = 262_144;
const MAX_BLOCKS_PER_PAGE = 100;

type ApiNode = Omit<RunningNode, 'apiUrl'>;

/**
 * Serves a peer's HTTP API. It has no authentication: keep it on loopback. Everything that it shows is durable.
 * @throws ApiError API_ADDRESS_IN_USE, API_LISTEN_FAILED
 */
export async function startApi(
  node: ApiNode,
  listen: { readonly host: string; readonly port: number },
  failed: (error: Error) => void,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = fastify({ bodyLimit: MAX_BODY_BYTES, forceCloseConnections: true });
  server.setErrorHandler((error: Error & { statusCode?: number; code?: string }, _, reply) => {
    const { status, code } = refusalOf(error);
    if (status >= 500) failed(error);
    void reply.status(status).send({ error: { code, message: error.message } });
  });
  server.setNotFoundHandler((request, reply) => {
    void reply.status(404).send({
      error: { code: 'API_NOT_FOUND', message: `there is no ${request.method} ${request.url}; see docs/api.md` },
    });
  });
  addRoutes(server, node as RunningNode);
  try {
    const url = await server.listen({ host: listen.host, port: listen.port });
    return { url, close: () => server.close() };
  } catch (error) {
    await server.close();
    const cause = error as NodeJS.ErrnoException;
    if (cause.code === 'EADDRINUSE')
      throw new ApiError(
        'API_ADDRESS_IN_USE',
        500,
        `port ${listen.port} on ${listen.host} is in use; set api.port to another, or to 0 for a free one`,
        { cause },
      );
    throw new ApiError('API_LISTEN_FAILED', 500, `cannot listen on ${listen.host}:${listen.port}: ${cause.message}`, {
      cause,
    });
  }
}

/** Every route; `openapi.ts` describes each. */
export function addRoutes(server: FastifyInstance, node: RunningNode): void {
  const { rules, store } = node;
  addRawRoutes(server, node);
  // Hashing the whole state is too much for something that is polled.
  const roots = new WeakMap<object, string>();
  server.get('/health', async () => {
    const connected = node.peers().filter((peer) => peer.connected).length;
    return { ok: connected + 1 >= rules.genesis.quorum, connected, height: store.head, quorum: rules.genesis.quorum };
  });
  server.get('/status', async () => {
    const { state, certificate, round, poolTransactions, sittingOut, syncTarget, list } = node.view();
    const root = roots.get(state) ?? stateRoot(rules, state);
    roots.set(state, root);
    return {
      name: node.name,
      publicKey: node.publicKey,
      rank: node.rank,
      chainId: rules.chainId,
      chainName: rules.genesis.chainName,
      members: rules.genesis.members.length,
      quorum: rules.genesis.quorum,
      height: state.height,
      headHash: state.blockHash,
      stateRoot: root,
      chainTimeMs: state.chainTimeMs,
      term: state.term,
      slot: state.slot,
      phase: state.phase,
      round,
      nextProposer: list[round % list.length]?.rank ?? null,
      decidedInRound: certificate?.round ?? null,
      poolTransactions,
      sittingOut,
      syncTarget,
      connected: node.peers().filter((peer) => peer.connected).length,
      startedMs: node.startedMs,
    };
  });
  server.get('/metrics', async (_, reply) => {
    void reply.type(node.metrics.contentType);
    return node.metrics.text();
  });
  server.get('/peers', async () => {
    const rankOf = new Map(rules.genesis.members.map(({ publicKey }, rank) => [publicKey, rank]));
    return node.peers().map((peer) => ({ rank: rankOf.get(peer.member) ?? null, ...peer }));
  });
  server.get('/genesis', async () => ({
    chainId: rules.chainId,
    chainName: rules.genesis.chainName,
    genesisTimeMs: rules.genesis.genesisTimeMs,
    quorum: rules.genesis.quorum,
    slot: rules.genesis.slot,
    members: rules.genesis.members.map(({ publicKey, role }, rank) => ({ rank, publicKey, role })),
  }));
  server.get<{ Querystring: { from?: string; limit?: string } }>('/blocks', async (request) => {
    const limit = queryInteger('limit', request.query.limit, 20, 1, MAX_BLOCKS_PER_PAGE);
    const from = queryInteger(
      'from',
      request.query.from,
      Math.max(1, store.head - limit + 1),
      1,
      Number.MAX_SAFE_INTEGER,
    );
    const heights = Array.from({ length: Math.max(0, Math.min(limit, store.head - from + 1)) }, (_, k) => from + k);
    return {
      head: store.head,
      blocks: heights.map((height) => {
        const { block, bytes, certificate } = storedBlock(node, height);
        return blockSummary(block, bytes, certificate);
      }),
    };
  });
  server.get<{ Params: { which: string } }>('/blocks/:which', async (request) =>
    blockView(node, heightOf(node, request.params.which)),
  );
  server.get<{ Params: { id: string } }>('/transactions/:id', async (request) => {
    const { id } = request.params;
    const place = store.transaction(id);
    if (place === null) throw notFound(`no committed transaction has id ${id}`);
    const { block } = storedBlock(node, place.height);
    return { height: place.height, index: place.index, ...block.batches.flatMap(transactionViews)[place.index] };
  });
  server.get('/accounts', async () =>
    node.view().state.ledger.accounts.map((account, index) => accountView(rules, account, index)),
  );
  server.get<{ Params: { key: string } }>('/accounts/:key', async (request) => {
    const { accounts } = node.view().state.ledger;
    const index = accounts.findIndex(({ publicKey }) => publicKey === request.params.key);
    const account = accounts[index];
    if (account === undefined)
      throw notFound(`there is no account ${request.params.key}; accounts are fixed at genesis`);
    return accountView(rules, account, index);
  });
  server.get('/market', async () => marketView(node));
  server.get('/discipline', async () => {
    const { state } = node.view();
    return disciplineView(rules, state.height, state.discipline);
  });
  server.get('/performance', async () => node.performance());
  server.get('/model', async (_, reply) => {
    const { bytes, hash } = modelView(node);
    return reply
      .header('content-type', 'application/octet-stream')
      .header('x-model-hash', hash)
      .send(Buffer.from(bytes));
  });
  server.get('/elections', async () => electionView(node));
  server.get<{ Params: { height: string } }>('/elections/:height', async (request) => {
    const height = heightOf(node, request.params.height);
    const election = electionAt(node, height);
    if (election === null)
      throw notFound(`the state before height ${height} is no longer kept; re-verify the chain to see its election`);
    return { height, ...election };
  });
  server.post('/transactions', async (request, reply) => {
    const { batch: hex } = (request.body ?? {}) as { batch?: unknown };
    if (typeof hex !== 'string' || !/^([0-9a-f]{2})+$/.test(hex))
      throw badRequest('send {"batch": "<signed batch in lowercase hex>"}');
    let batch: ReturnType<typeof decodeBatch>;
    try {
      batch = decodeBatch(Buffer.from(hex, 'hex'));
    } catch (error) {
      throw badRequest(`not a transaction batch: ${(error as Error).message}`);
    }
    const { verdict, code } = node.submit(encodeMessage({ type: 'batch', batch }));
    const known = code === 'TRANSACTION_KNOWN';
    if (verdict !== 'accept' && !known) throw new ApiError('API_BAD_REQUEST', 400, `the batch was refused: ${code}`);
    void reply.status(202);
    return { ids: transactionViews(batch).map(({ id }) => id), known };
  });
}

function refusalOf(error: Error & { statusCode?: number }): { status: number; code: string } {
  if (error instanceof ApiError) return { status: error.status, code: error.code };
  if (error instanceof StoreError) return { status: 500, code: error.code };
  const status = error.statusCode ?? 500;
  if (status === 413) return { status, code: 'API_TOO_LARGE' };
  return status < 500 ? { status, code: 'API_BAD_REQUEST' } : { status: 500, code: 'API_FAILED' };
}
