import { watch } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  backends,
  blockHash,
  type ChainRules,
  chainIdOf,
  createApplication,
  createDigestSigner,
  createMemberSigner,
  createSignatureScheme,
  createThresholdScheme,
  decodeBlock,
  decodeCertificate,
  decodeState,
  genesisFromJson,
  type Notice,
  Peer,
  type PeerView,
  rememberCombinations,
  rememberSignatures,
  stateRoot,
} from '@wattmesh/consensus';
import pino, { type Logger } from 'pino';
import { z } from 'zod';
import { startApi } from './api/server.ts';
import { ConfigError, type NodeConfig, readJson } from './config/node-config.ts';
import { HouseholdSource, readHousehold } from './household/household.ts';
import { readEndpoint, writeEndpoint } from './provision/run-folder.ts';
import { meterSchema, secretsSchema } from './provision/secrets.ts';
import { PeerShell } from './shell/peer-shell.ts';
import { ChainStore } from './store/chain-store.ts';
import { Libp2pTransport } from './transport/libp2p-transport.ts';
import type { Channel, PeerStatus, Topic } from './transport/transport-port.ts';

/** Votes and transactions of a few hundred full blocks, some 20 MB; and the seeds of the newest terms. */
const REMEMBERED_SIGNATURES = 50_000;
const REMEMBERED_COMBINATIONS = 16;

/** Block timings that a peer remembers. */
const REMEMBERED_TIMINGS = 10_000;

export interface BlockTiming {
  /** Null unless this peer composed the block that was committed. */
  composedMs: number | null;
  /** When the block was durable. */
  committedMs: number;
  viaSync: boolean;
}

/** A running peer, as the API and the command line see it. */
export interface RunningNode {
  readonly name: string;
  readonly publicKey: string;
  readonly rank: number;
  readonly rules: ChainRules;
  readonly store: ChainStore;
  readonly startedMs: number;
  /** What is durable: never ahead of the disk. */
  view(): PeerView;
  peers(): readonly PeerStatus[];
  /** Hands in an encoded `batch` message; the answer says whether the mempool took it. */
  submit(bytes: Uint8Array): { readonly verdict: 'accept' | 'ignore' | 'reject'; readonly code: string | null };
  /** When this peer composed and committed a block of this run, by its clock; null for what it does not remember. */
  timing(height: number): BlockTiming | null;
  /** Calls back after each durable block. Returns how to stop. */
  onCommit(listener: (height: number) => void): () => void;
  readonly peerAddress: string;
  readonly apiUrl: string;
  /** Finishes what is queued, closes everything, and leaves nothing running. Safe to call twice. */
  stop(): Promise<void>;
  /** Rejects when the peer had to stop by itself (its disk failed); resolves when it was stopped. */
  readonly ended: Promise<void>;
}

/** Wires one peer from its configuration: keys, store, network, consensus, API. The only place where they meet. */
export async function startNode(config: NodeConfig): Promise<RunningNode> {
  const log = createLog(config);
  const nowMs = (): number => Date.now();
  const genesis = genesisFromJson(await readJson(config.genesis, 'genesis', z.unknown()));
  const secrets = await readJson(config.secrets, 'secrets file', secretsSchema);
  const signatures = rememberSignatures(createSignatureScheme(), REMEMBERED_SIGNATURES);
  const threshold = rememberCombinations(createThresholdScheme(), REMEMBERED_COMBINATIONS);
  const rules: ChainRules = {
    genesis,
    chainId: chainIdOf(genesis),
    application: createApplication(genesis, signatures),
    signatures,
    threshold,
  };
  const secretKey = Buffer.from(secrets.secretKey, 'hex');
  const signer = createMemberSigner(signatures, threshold, secretKey, Buffer.from(secrets.beaconShare, 'hex'));
  const rank = genesis.members.findIndex(({ publicKey }) => publicKey === signer.publicKey);
  if (rank < 0)
    throw new ConfigError(
      'CONFIG_INVALID',
      `the key in ${config.secrets} (${signer.publicKey.slice(0, 12)}) is no member of ${config.genesis}`,
    );
  log.info({ name: config.name, rank, chainId: rules.chainId, backends: backends() }, 'starting');

  const { store, report } = await ChainStore.open(config.dataFolder, storeCodec(rules));
  for (const repair of report.repairs) log.warn({ repair }, 'store repaired');
  try {
    const household = config.household === undefined ? null : await readHousehold(config.household);
    const meter = config.meter === undefined ? null : await readJson(config.meter, 'meter key', meterSchema);
    const signAsMeter =
      meter === null ? null : createDigestSigner(signatures, Buffer.from(meter.secretKey, 'hex')).sign;
    const source =
      household === null
        ? null
        : new HouseholdSource({
            household,
            genesis,
            chainId: rules.chainId,
            rank,
            signAsMember: signer.sign,
            signAsMeter,
          });
    const peer = new Peer(
      rules,
      { ...config.timing, timeouts: config.timing, maxPoolTransactions: config.maxPoolTransactions },
      { signer, source, reader: store },
      report.stored,
    );
    const transport = new Libp2pTransport({
      chainId: rules.chainId,
      secretKey,
      members: genesis.members.map(({ publicKey }) => publicKey),
      listen: `/ip4/${config.listen.host}/tcp/${config.listen.port}`,
      addresses: config.addresses,
      log: (event) => log[event.code === 'TRANSPORT_DIAL_FAILED' ? 'debug' : 'info'](event, event.code),
    });
    return await run({ config, log, nowMs, rules, rank, peer, store, transport, publicKey: signer.publicKey });
  } catch (error) {
    await store.close();
    throw error;
  }
}

interface Parts {
  readonly config: NodeConfig;
  readonly log: Logger;
  readonly nowMs: () => number;
  readonly rules: ChainRules;
  readonly rank: number;
  readonly publicKey: string;
  readonly peer: Peer;
  readonly store: ChainStore;
  readonly transport: Libp2pTransport;
}

async function run({
  config,
  log,
  nowMs,
  rules,
  rank,
  publicKey,
  peer,
  store,
  transport,
}: Parts): Promise<RunningNode> {
  const rankOf = new Map(rules.genesis.members.map(({ publicKey: key }, index) => [key, index]));
  const listeners = new Set<(height: number) => void>();
  const timings = new Map<number, BlockTiming>();
  const composed = new Map<string, number>();
  const ended = Promise.withResolvers<void>();
  ended.promise.catch(() => undefined);
  await transport.start();
  const shell = new PeerShell(peer, {
    nowMs,
    write: (writes) => store.write(writes),
    broadcast: (topic, bytes) => transport.broadcast(topic as Topic, bytes),
    send: (to, channel, bytes) => void transport.send(to, channel as Channel, bytes),
    notice: (notice) => {
      log[levelOf(notice.type)](notice, notice.type);
      if (notice.type === 'composed') composed.set(notice.blockHash, notice.atMs);
      if (notice.type !== 'committed') return;
      const { height, blockHash: hash, viaSync } = notice;
      timings.set(height, { composedMs: composed.get(hash) ?? null, committedMs: nowMs(), viaSync });
      timings.delete(height - REMEMBERED_TIMINGS);
      composed.clear();
      for (const listener of listeners) listener(height);
    },
    fatal: (error) => {
      log.fatal({ err: error }, 'the peer cannot go on');
      void stop().then(() => ended.reject(error));
    },
  });
  transport.onMessage(({ from, bytes }) => {
    const { verdict, code } = shell.handle({ type: 'message', from: rankOf.get(from) ?? null, sender: from, bytes });
    if (code !== null) log.trace({ from: from.slice(0, 12), code }, 'message not used');
    return verdict;
  });
  transport.onConnection((member, up) => {
    const other = rankOf.get(member);
    log.info({ member: member.slice(0, 12), rank: other, up }, up ? 'connected' : 'disconnected');
    if (other !== undefined) shell.handle({ type: 'connection', member: other, up });
  });
  const discovery = await followEndpoints(config, rules, transport, publicKey);

  const node: Omit<RunningNode, 'apiUrl'> = {
    name: config.name,
    publicKey,
    rank,
    rules,
    store,
    startedMs: nowMs(),
    view: () => shell.view,
    peers: () => transport.peers(),
    submit: (bytes) => shell.handle({ type: 'submit', bytes }),
    timing: (height) => timings.get(height) ?? null,
    onCommit: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    peerAddress: transport.listenAddresses[0] ?? '',
    stop: () => stop(),
    ended: ended.promise,
  };
  const api = await startApi(node, config.api).catch(async (error) => {
    discovery.close();
    await transport.stop();
    await shell.stop();
    throw error;
  });

  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      discovery.close();
      await api.close();
      await transport.stop();
      await shell.stop();
      await store.close();
      if (config.addressFolder !== undefined)
        await rm(join(config.addressFolder, `${publicKey}.json`), { force: true });
      log.info('stopped');
      ended.resolve();
    })();
    return stopping;
  };
  if (config.addressFolder !== undefined)
    await writeEndpoint(config.addressFolder, {
      pid: process.pid,
      publicKey,
      peerAddress: node.peerAddress,
      apiUrl: api.url,
    });
  log.info({ peerAddress: node.peerAddress, apiUrl: api.url }, 'running');
  return { ...node, apiUrl: api.url };
}

/** Keeps the address book up to date with the endpoints that other peers of this machine leave in a shared folder. */
async function followEndpoints(
  config: NodeConfig,
  rules: ChainRules,
  transport: Libp2pTransport,
  self: string,
): Promise<{ close(): void }> {
  const folder = config.addressFolder;
  if (folder === undefined) return { close: () => undefined };
  await mkdir(folder, { recursive: true });
  const members = new Set(rules.genesis.members.map(({ publicKey }) => publicKey));
  const learn = async (publicKey: string): Promise<void> => {
    if (publicKey === self || !members.has(publicKey)) return;
    const endpoint = await readEndpoint(folder, publicKey);
    if (endpoint !== null) transport.setAddress(publicKey, endpoint.peerAddress);
  };
  const watcher = watch(folder, (_, file) => {
    if (file?.endsWith('.json')) void learn(file.slice(0, -5));
  });
  await Promise.all([...members].map(learn));
  return watcher;
}

function storeCodec(rules: ChainRules): Parameters<typeof ChainStore.open>[1] {
  return {
    chainId: rules.chainId,
    evidenceBlocks: rules.genesis.penalties.evidenceBlocks,
    describeBlock: (bytes) => {
      const { header } = decodeBlock(bytes);
      return {
        hash: blockHash(header),
        parentHash: header.parentHash,
        height: header.height,
        stateRoot: header.stateRoot,
      };
    },
    describeCertificate: (bytes) => decodeCertificate(bytes),
    stateRoot: (bytes) => stateRoot(rules, decodeState(rules, bytes)),
  };
}

function createLog({ name, log }: NodeConfig): Logger {
  const options = { name, level: log.level, redact: ['secretKey', 'beaconShare', '*.secretKey', '*.beaconShare'] };
  return log.file === undefined
    ? pino(options)
    : pino(options, pino.destination({ dest: log.file, mkdir: true, sync: false }));
}

/** Misbehaviour that has come to light is what an operator must not miss; refusals are everyday business. */
function levelOf(type: Notice['type']): 'warn' | 'debug' | 'info' {
  if (type === 'conflict' || type === 'evidence' || type === 'punished') return 'warn';
  return type === 'refused' || type === 'lacking' ? 'debug' : 'info';
}
