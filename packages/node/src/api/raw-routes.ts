import { genesisToJson } from '@wattmesh/consensus';
import type { FastifyInstance } from 'fastify';
import type { RunningNode } from '../node.ts';
import { queryInteger } from './query.ts';

const MAX_BLOCKS_PER_PAGE = 50;
/** A page ends after the block that reaches this size, so that no answer grows without limit. */
const PAGE_BYTES = 4 * 1024 * 1024;

/** The bytes that a reader needs to verify the chain by itself, in lowercase hex. */
export function addRawRoutes(server: FastifyInstance, node: RunningNode): void {
  const { rules, store } = node;
  server.get('/genesis.json', async () => genesisToJson(rules.genesis));
  server.get<{ Querystring: { from?: string; limit?: string } }>('/raw/blocks', async (request) => {
    const from = queryInteger('from', request.query.from, 1, 1, Number.MAX_SAFE_INTEGER);
    const limit = queryInteger('limit', request.query.limit, MAX_BLOCKS_PER_PAGE, 1, MAX_BLOCKS_PER_PAGE);
    const blocks: { height: number; block: string; certificate: string }[] = [];
    let bytes = 0;
    for (let height = from; height < from + limit && bytes < PAGE_BYTES; height += 1) {
      const stored = store.block(height);
      if (stored === null) break;
      bytes += stored.block.length + stored.certificate.length;
      blocks.push({ height, block: hex(stored.block), certificate: hex(stored.certificate) });
    }
    return { head: store.head, blocks };
  });
  server.get<{ Params: { height: string } }>('/raw/states/:height', async (request) => {
    const height = queryInteger('height', request.params.height, 0, 0, Number.MAX_SAFE_INTEGER);
    const state = store.state(height);
    return { height, state: state === null ? null : hex(state) };
  });
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
