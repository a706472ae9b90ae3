import {
  backends,
  type ChainReader,
  type ChainRules,
  type ContributionSource,
  chainIdOf,
  createApplication,
  createSignatureScheme,
  createThresholdScheme,
  misbehavingPeer,
  type Notice,
  Peer,
  type PeerView,
  rememberCombinations,
  rememberSignatures,
} from '@wattmesh/consensus';
import type { Logger } from 'pino';
import { startApi } from './api/server.ts';
import { type MemberKeys, readGenesis, readMemberKeys } from './config/chain-files.ts';
import type { NodeConfig } from './config/node-config.ts';
import { serveControl } from './control/control-server.ts';
import { PeerControl } from './control/peer-control.ts';
import type { ControlSettings } from './control/settings.ts';
import { EvLife } from './ev/ev-life.ts';
import { HouseholdSource, readHousehold } from './household/household.ts';
import { openLog } from './log/peer-log.ts';
import { startMetricsServer } from './metrics/metrics-server.ts';
import { PeerMetrics } from './metrics/peer-metrics.ts';
import { followEndpoints } from './provision/endpoint-book.ts';
import { OwnEndpoint } from './provision/own-endpoint.ts';
import { Closing } from './shell/closing.ts';
import { type BlockTiming, CommitLog } from './shell/commit-log.ts';
import { type Instruments, NO_INSTRUMENTS } from './shell/instruments.ts';
import { PatientLane } from './shell/patient-lane.ts';
import { PeerShell } from './shell/peer-shell.ts';
import { type PerformanceReport, PerformanceWatch } from './shell/performance.ts';
import { collectStartGarbage } from './shell/start-garbage.ts';
import { storeCodec } from './store/chain-codec.ts';
import { ChainStore } from './store/chain-store.ts';
import { Libp2pTransport } from './transport/libp2p-transport.ts';
import type { Channel, InboundMessage, PeerStatus, Topic, Verdict } from './transport/transport-port.ts';

/** Votes and transactions of a few hundred full blocks, some 20 MB; and the seeds of the newest terms. */
const REMEMBERED_SIGNATURES = 50_000;
const REMEMBERED_COMBINATIONS = 16;

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
  /** What this peer counts, in the Prometheus text format. */
  readonly metrics: Pick<PeerMetrics, 'contentType' | 'text'>;
  /** Where they are served by themselves; null when the configuration does not ask for it. */
  readonly metricsUrl: string | null;
  /** How well this peer keeps up: how late its timers fire, and what learning takes. */
  performance(): PerformanceReport;
  /** Bytes that blocks name by hash (models, updates), as far as this peer has them. */
  blob(hash: string): Uint8Array | null;
  /** Calls back after each durable block. Returns how to stop. */
  onCommit(listener: (height: number) => void): () => void;
  readonly peerAddress: string;
  readonly apiUrl: string;
  /** Finishes what is queued, closes everything, and leaves nothing running. Safe to call twice. */
  stop(): Promise<void>;
  /** Rejects when the peer had to stop by itself (its disk failed); resolves when it was stopped. */
  readonly ended: Promise<void>;
}

/**
 * Wires one peer from its configuration: keys, store, network, consensus, API. The only place where they meet. When it
 * rejects, nothing is left open. `instruments` stand around its parts.
 */
export async function startNode(config: NodeConfig, instruments: Instruments = NO_INSTRUMENTS): Promise<RunningNode> {
  const closing = new Closing();
  const fate: Fate = { failure: null };
  try {
    const control =
      config.control === undefined ? null : new PeerControl(config.name, Date.now, config.control.settings);
    return await wire(config, control?.around(instruments, config.dataFolder) ?? instruments, control, closing, fate);
  } catch (error) {
    await closing.run().catch(() => undefined);
    // What was closed under its hands makes the rest of the start fail in all sorts of ways; this is why.
    throw fate.failure?.error ?? error;
  }
}

/** Why the peer had to stop by itself; null as long as it has not. */
interface Fate {
  failure: { readonly error: unknown } | null;
}

async function wire(
  config: NodeConfig,
  instruments: Instruments,
  control: PeerControl | null,
  closing: Closing,
  fate: Fate,
): Promise<RunningNode> {
  /** To be called after each wait once the peer runs: it can fail in any of them, and then there is nothing to go on with. */
  const stillWell = (): void => {
    if (fate.failure !== null) throw fate.failure.error;
  };
  const nowMs = (): number => Date.now();
  const genesis = await readGenesis(config.genesis);
  const signatures = rememberSignatures(instruments.signatures(createSignatureScheme()), REMEMBERED_SIGNATURES);
  const threshold = rememberCombinations(createThresholdScheme(), REMEMBERED_COMBINATIONS);
  const application = createApplication(genesis, signatures);
  const rules: ChainRules = { genesis, chainId: chainIdOf(genesis), application, signatures, threshold };
  const keys = await readMemberKeys(config, genesis, signatures, threshold);
  const { publicKey } = keys.signer;
  const ev = await evLife(config, rules, keys);
  const source: ContributionSource | null = ev?.source ?? (await householdSource(config, rules, keys));

  const { log, close: closeLog } = await openLog(config);
  closing.add(closeLog);
  log.info({ rank: keys.rank, chainId: rules.chainId, backends: backends() }, 'starting');
  const endpoint = new OwnEndpoint(config.addressFolder, publicKey);
  // After the store is closed: who finds no endpoint may start this peer again.
  closing.add(() => endpoint.withdraw());
  const store = await ChainStore.open(config.dataFolder, storeCodec(rules));
  closing.add(() => store.close());
  for (const repair of store.repairs) log.warn({ repair }, 'store repaired');

  const options = { ...config.timing, timeouts: config.timing, maxPoolTransactions: config.maxPoolTransactions };
  const { choices = [], accomplices = [] } = config.misbehaviour ?? {};
  if (choices.length > 0) log.warn({ choices, accomplices }, 'this member misbehaves, as its configuration asks');
  const together = genesis.members.flatMap((member, rank) => (accomplices.includes(member.publicKey) ? [rank] : []));
  const peer = misbehavingPeer(
    choices,
    { rules, rank: keys.rank, signer: keys.signer, accomplices: [...new Set([keys.rank, ...together])] },
    { signer: keys.signer, source, reader: readerOf(store, log) },
    (modules) => new Peer(rules, options, modules, store.load()),
  );
  const transport = new Libp2pTransport({
    chainId: rules.chainId,
    secretKey: keys.secretKey,
    members: genesis.members.map((member) => member.publicKey),
    listen: `/ip4/${config.listen.host}/tcp/${config.listen.port}`,
    addresses: config.addresses,
    ...(control === null ? {} : { links: control.links }),
    log: (event) => log[event.code === 'TRANSPORT_DIAL_FAILED' ? 'debug' : 'info'](event, event.code),
  });
  const commits = new CommitLog(nowMs);
  const ended = Promise.withResolvers<void>();
  ended.promise.catch(() => undefined);
  const metrics = new PeerMetrics(nowMs);
  closing.add(() => metrics.stop());
  const performance = new PerformanceWatch();
  const shell = new PeerShell(
    instruments.peer(peer),
    metrics.ports(
      instruments.ports({
        nowMs,
        write: (writes) => store.write(writes),
        broadcast: (topic, bytes) => transport.broadcast(topic as Topic, bytes),
        send: (to, channel, bytes) => void transport.send(to, channel as Channel, bytes),
        notice: (notice) => {
          log[levelOf(notice.type)](notice, notice.type);
          commits.take(notice);
          performance.take(notice);
          if (notice.type === 'committed' || notice.type === 'blob') ev?.consider(shell.view.state);
        },
        fatal: (error) => {
          log.fatal({ err: error }, 'the peer cannot go on');
          fate.failure = { error };
          void closing
            .run()
            .catch(() => undefined)
            .then(() => ended.reject(error));
        },
      }),
    ),
  );
  const rankOf = new Map(genesis.members.map((member, rank) => [member.publicKey, rank]));
  const judge = ({ from, topic, bytes }: InboundMessage): Verdict => {
    const { verdict, code } = shell.handle({ type: 'message', from: rankOf.get(from) ?? null, sender: from, bytes });
    metrics.received(topic, bytes.length, verdict, code);
    if (code !== null) log.trace({ from: from.slice(0, 12), code }, 'message not used');
    return verdict;
  };
  const transactions = new PatientLane<{ readonly message: InboundMessage; settle(verdict: Verdict): void }>(
    ({ message, settle }) => settle(judge(message)),
    ({ message }) => message.bytes.length,
  );
  transport.onMessage((message) => {
    if (message.topic !== 'transactions' && message.topic !== 'batches') return judge(message);
    return new Promise((settle) => {
      if (!transactions.push({ message, settle })) settle('ignore');
    });
  });
  transport.onConnection((member, up) => {
    const other = rankOf.get(member);
    log.info({ member: member.slice(0, 12), rank: other, up }, up ? 'connected' : 'disconnected');
    if (other !== undefined) shell.handle({ type: 'connection', member: other, up });
  });
  closing.add(() => transport.stop());
  await transport.start();
  // Stopped before the transport, so that what it still has to say is said.
  closing.add(() => shell.stop());
  await shell.start();
  stillWell();
  if (ev !== null) {
    closing.add(() => ev.stop());
    ev.startLearning({
      dataFolder: config.dataFolder,
      blobs: peer.blobs,
      contribute: (bytes) => shell.handle({ type: 'contribute', bytes }).verdict === 'accept',
      onError: (error) => log.error({ err: error }, 'a learning round failed'),
    });
    ev.consider(shell.view.state);
  }

  const { addressFolder } = config;
  if (addressFolder !== undefined) {
    const others = genesis.members.map((member) => member.publicKey).filter((key) => key !== publicKey);
    const book = await followEndpoints(
      addressFolder,
      others,
      ({ publicKey: key, peerAddress }) => transport.setAddress(key, peerAddress),
      (error) => log.error({ err: error }, 'addresses of other peers are no longer followed'),
    );
    closing.add(() => book.close());
    stillWell();
  }
  let metricsUrl: string | null = null;
  if (config.metrics !== undefined) {
    const server = await startMetricsServer(metrics, config.metrics);
    closing.add(() => server.close());
    stillWell();
    metricsUrl = `${server.url}/metrics`;
    log.info({ metricsUrl }, 'metrics');
  }
  const node: Omit<RunningNode, 'apiUrl'> = {
    name: config.name,
    publicKey,
    rank: keys.rank,
    rules,
    store,
    startedMs: nowMs(),
    view: () => shell.view,
    peers: () => transport.peers(),
    submit: (bytes) => shell.handle({ type: 'submit', bytes }),
    timing: (height) => commits.timing(height),
    performance: () => performance.report(ev?.report() ?? null),
    blob: (hash) => peer.blobs.get(hash),
    metrics,
    metricsUrl,
    onCommit: (listener) => commits.listen(listener),
    peerAddress: transport.listenAddresses[0] ?? '',
    stop: async () => {
      await closing.run();
      if (fate.failure === null) ended.resolve();
    },
    ended: ended.promise,
  };
  const { chainId } = rules;
  metrics.follow({ ...node, chainId, members: genesis.members.length, quorum: genesis.quorum });
  const api = await startApi(node, config.api, (error) => log.error({ err: error }, 'request failed'));
  closing.add(() => api.close());
  stillWell();
  if (control !== null && config.control !== undefined) {
    const { socket, mode } = config.control;
    const controlled = {
      apply: (settings: ControlSettings): void => {
        control.apply(settings);
        transport.enforceLinks();
      },
      report: (fromHeight: number) =>
        control.report(fromHeight, transport.peers().filter((one) => one.connected).length),
    };
    const server = await serveControl(socket, mode, controlled);
    closing.add(() => server.close());
    stillWell();
    log.warn({ socket }, 'this peer is under the control of an experiment');
  }
  collectStartGarbage();
  await endpoint.publish(node.peerAddress, api.url);
  if (fate.failure !== null) {
    // The closing may have come to the endpoint before it was there.
    await closing.run().catch(() => undefined);
    await endpoint.withdraw();
  }
  stillWell();
  closing.add(() => performance.stop());
  performance.start();
  log.info({ peerAddress: node.peerAddress, apiUrl: api.url }, 'running');
  closing.add(() => log.info('stopping'));
  return { ...node, apiUrl: api.url };
}

async function evLife(
  { ev }: NodeConfig,
  { genesis, chainId }: ChainRules,
  { rank, signer }: MemberKeys,
): Promise<EvLife | null> {
  return ev === undefined ? null : EvLife.read(ev, { genesis, chainId, rank, sign: signer.sign });
}

async function householdSource(
  config: NodeConfig,
  { genesis, chainId }: ChainRules,
  { rank, signer, meter }: MemberKeys,
): Promise<HouseholdSource | null> {
  if (config.household === undefined) return null;
  const household = await readHousehold(config.household);
  const signAsMeter = meter?.sign ?? null;
  return new HouseholdSource({ household, genesis, chainId, rank, signAsMember: signer.sign, signAsMeter });
}

/** For peers that are behind, and for evidence: what this disk can no longer read is what this peer does not have. */
function readerOf(store: ChainStore, log: Logger): ChainReader {
  const orNull = <T>(height: number, what: string, read: () => T | null): T | null => {
    try {
      return read();
    } catch (error) {
      log.error({ err: error, height }, `a ${what} cannot be read`);
      return null;
    }
  };
  return {
    block: (height) => orNull(height, 'block', () => store.block(height)),
    state: (height) => orNull(height, 'state', () => store.state(height)),
    blob: (hash) => store.blob(hash),
  };
}

/** Misbehaviour that has come to light is what an operator must not miss; refusals are everyday business. */
function levelOf(type: Notice['type']): 'warn' | 'debug' | 'info' {
  if (type === 'conflict' || type === 'evidence' || type === 'punished') return 'warn';
  return type === 'refused' || type === 'lacking' ? 'debug' : 'info';
}
