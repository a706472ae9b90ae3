import { join } from 'node:path';
import { livingEndpoint } from '../cluster/peer-process.ts';
import { readGenesis } from '../config/chain-files.ts';
import { peerFolder, peerOf, readRun } from '../provision/run-folder.ts';
import { openApiChain } from './api-source.ts';
import { InspectError } from './errors.ts';
import { InspectedChain } from './inspected-chain.ts';
import { openStoredChain } from './stored-source.ts';

/** Where to look: a peer of a run, a data folder with its genesis, or an API. */
export interface ChainLocation {
  readonly run: string;
  /** Name of the peer in the run; the first one when left out. */
  readonly peer?: string;
  readonly data?: string;
  readonly genesis?: string;
  readonly api?: string;
}

/**
 * Opens a chain for inspection. Of a run's peer that is running the API is asked, since its store is locked; of one that is
 * down the store is read.
 * @throws InspectError, ClusterError PEER_UNREACHABLE; RunError RUN_NOT_FOUND, RUN_UNKNOWN_PEER; ConfigError
 */
export async function openChain({ run, peer, data, genesis, api }: ChainLocation): Promise<InspectedChain> {
  if (api !== undefined) return new InspectedChain(await openApiChain(api));
  if (data !== undefined) {
    if (genesis === undefined)
      throw new InspectError(
        'INSPECT_BAD_OPTION',
        '--data needs --genesis: the genesis file of the chain in that folder',
      );
    return new InspectedChain(await openStoredChain(data, await readGenesis(genesis)));
  }
  const found = await readRun(run);
  const names = new Map(found.peers.map(({ name, publicKey }) => [publicKey, name]));
  const chosen = peerOf(found, peer ?? found.peers[0]?.name ?? '');
  const endpoint = await livingEndpoint(run, chosen);
  const source =
    endpoint === null
      ? await openStoredChain(
          join(peerFolder(run, chosen.name), 'data'),
          await readGenesis(join(run, 'genesis.json')),
          chosen.name,
        )
      : await openApiChain(endpoint.apiUrl, chosen.name);
  return new InspectedChain(source, names);
}
