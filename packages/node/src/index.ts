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
 * No message, log line or answer carries a key, a beacon share or what stands in a secrets file.
 */

export { defaultRule, provisionSyntheticEvs, type SyntheticEvPlan } from './cluster/create-ev-run.ts';
export { provisionSynthetic, type SyntheticPlan } from './cluster/create-run.ts';
export { ClusterError } from './cluster/errors.ts';
export { type ModelGain, ModelGains } from './cluster/model-gains.ts';
export { getBytes, getJson, postJson, type StatusView } from './cluster/peer-client.ts';
export { isAlive, type PeerProcess, startPeer, stopProcess } from './cluster/peer-process.ts';
export {
  ConfigError,
  type NodeConfig,
  type NodeConfigInput,
  nodeConfigSchema,
  readNodeConfig,
} from './config/node-config.ts';
export { getControlReport, putControl } from './control/control-client.ts';
export type {
  CommitTime,
  ControlReport,
  ControlSettings,
  ControlSettingsInput,
  LinkCount,
  TracedMessage,
} from './control/settings.ts';
export type { EvProfileInput } from './ev/ev-profile.ts';
export { type Household, householdSchema, intervalOfSlot } from './household/household.ts';
export { openStoredChain } from './inspect/stored-source.ts';
export { type RunningNode, startNode } from './node.ts';
export type { ProvisionedEv } from './provision/ev-network.ts';
export {
  DEFAULT_MARKET,
  type MarketSettings,
  type PositionKm,
  type ProvisionedNetwork,
  provisionNetwork,
} from './provision/network.ts';
export {
  type AnyMember,
  endpointSchema,
  peerFolder,
  type Run,
  writeMember,
  writeRunFolder,
} from './provision/run-folder.ts';
export type { BlockTiming } from './shell/commit-log.ts';
export { readJournal, writeFirstJournal } from './store/journal-file.ts';
