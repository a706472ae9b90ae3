/**
 * The shell of a peer: network, disk, clock, HTTP, processes and the command line around `@wattmesh/consensus`.
 *
 * Guarantees. What a peer sends follows what it has written: outputs leave in order, after their writes are durable. What
 * the API shows is durable. A peer that cannot write stops, with an error that says why.
 *
 * Persists, in its data folder: the committed chain (LevelDB, one synced batch a height) and a journal of what must not be
 * signed twice. In a run folder: configuration, keys and endpoints of peers on one machine.
 *
 * Fails with coded errors: `CONFIG_*`, `STORE_*`, `TRANSPORT_*`, `API_*`, `RUN_*`, `PEER_*`.
 */

export {
  ConfigError,
  type NodeConfig,
  type NodeConfigInput,
  nodeConfigSchema,
  readNodeConfig,
} from './config/node-config.ts';
export { type BlockTiming, type RunningNode, startNode } from './node.ts';
