import { genesisFromJson } from '@wattmesh/consensus';
import { getJson, type StatusView } from '../cluster/peer-client.ts';
import type { BlockTiming } from '../shell/commit-log.ts';
import type { ChainSource, StoredBlockBytes } from './chain-source.ts';
import { InspectError } from './errors.ts';

interface RawBlocks {
  readonly blocks: readonly { readonly height: number; readonly block: string; readonly certificate: string }[];
}

/** Blocks that are asked for at once: readers go through heights in their order. */
const PAGE_BLOCKS = 50;

/**
 * Reads a running peer's chain through its HTTP API, up to the head that it has now.
 * @throws ClusterError PEER_UNREACHABLE; InspectError INSPECT_NO_CHAIN when what answers is no peer of this version.
 */
export async function openApiChain(apiUrl: string, label?: string, pageBlocks = PAGE_BLOCKS): Promise<ChainSource> {
  const base = apiUrl.replace(/\/+$/, '');
  const status = await getJson<StatusView>(base, '/status');
  const genesis = await getJson<unknown>(base, '/genesis.json').then(genesisFromJson, (cause: Error) => {
    throw new InspectError('INSPECT_NO_CHAIN', `${base} gives no genesis: ${cause.message}`, { cause });
  });
  const page = new Map<number, StoredBlockBytes>();
  const fetchPage = async (height: number): Promise<void> => {
    const { blocks } = await getJson<RawBlocks>(base, `/raw/blocks?from=${height}&limit=${pageBlocks}`);
    page.clear();
    for (const { height: at, block, certificate } of blocks)
      page.set(at, { block: fromHex(block), certificate: fromHex(certificate) });
  };
  return {
    label: label ?? `${status.name} at ${base}`,
    genesis,
    head: status.height,
    block: async (height) => {
      if (height < 1 || height > status.height) return null;
      if (!page.has(height)) await fetchPage(height);
      return page.get(height) ?? null;
    },
    state: async (height) => {
      const { state } = await getJson<{ state: string | null }>(base, `/raw/states/${height}`);
      return state === null ? null : fromHex(state);
    },
    timing: async (height) => (await getJson<{ timing: BlockTiming | null }>(base, `/blocks/${height}`)).timing,
    journal: async () => null,
    close: async () => undefined,
  };
}

function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}
