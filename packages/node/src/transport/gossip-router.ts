import {
  type GossipSub,
  type GossipSubComponents,
  gossipsub,
  StrictNoSign,
  TopicValidatorResult,
} from '@libp2p/gossipsub';
import type { Connection, PeerId } from '@libp2p/interface';
import { envelopeId } from './gossip-window.ts';
import { memberOfPeerId } from './member-id.ts';
import { TransportError } from './transport-error.ts';
import type { TransportLimits } from './transport-limits.ts';
import { TOPICS, type Topic, type Verdict } from './transport-port.ts';

/**
 * One frame of the gossip protocol: several messages when IWANT is answered, ids when IHAVE is sent. Above this the
 * stream breaks and the connection is made anew.
 */
const MAX_RPC_BYTES = 16_777_216;

/** The parts of a decoded gossip frame that this layer looks at. */
interface GossipRpc {
  readonly subscriptions: readonly unknown[];
  messages: { readonly topic: string; readonly data?: Uint8Array }[];
}

type RpcHandler = (from: PeerId, rpc: GossipRpc) => Promise<void>;

export interface GossipShell {
  /** Whether one message may be looked at; asked before the router remembers it, so a refused one can be repaired. */
  admit(from: string, topic: string, byteLength: number): boolean;
  judge(from: string, topic: Topic, envelope: Uint8Array, id: Uint8Array): Verdict | Promise<Verdict>;
  /** Brings a frame of `byteLength` payload bytes over the simulated link, if there is one. */
  arrive(from: string, byteLength: number, deliver: () => void): void;
  sent(to: string, byteLength: number): void;
}

/**
 * Gossip in one hop over `@libp2p/gossipsub`.
 *
 * With a mesh degree of 0 and flood publishing, a publisher sends to every subscriber itself and nobody forwards;
 * every heartbeat offers accepted messages (IHAVE) to a sample of peers, which fetch what they miss (IWANT). Messages
 * carry no signature of the library: what they contain is signed by its authors. Peer scores are neutral; rates and
 * patience are kept by `InboundGuard`, because the library's scores drop peers that share an address.
 */
export class GossipRouter {
  readonly #topicNames: readonly string[];
  readonly #limits: TransportLimits;
  readonly #shell: GossipShell;
  /** Ids that `msgIdFn` computed, for the validator that sees the same message object next. */
  readonly #ids = new WeakMap<object, Uint8Array>();
  #gossip: GossipSub | null = null;

  constructor(chainId: string, limits: TransportLimits, shell: GossipShell) {
    this.#topicNames = TOPICS.map((topic) => `/wattmesh/${chainId}/${topic}/1`);
    this.#limits = limits;
    this.#shell = shell;
  }

  /** Service factory for libp2p. @throws TransportError TRANSPORT_GOSSIP_INCOMPATIBLE */
  service(): (components: GossipSubComponents) => GossipSub {
    const create = gossipsub({
      D: 0,
      Dlo: 0,
      Dhi: 0,
      Dout: 0,
      Dscore: 0,
      floodPublish: true,
      batchPublish: true,
      fallbackToFloodsub: false,
      doPX: false,
      tagMeshPeers: false,
      globalSignaturePolicy: StrictNoSign,
      allowPublishToZeroTopicPeers: true,
      ignoreDuplicatePublishError: true,
      allowedTopics: [...this.#topicNames],
      msgIdFn: (message) => {
        const id = envelopeId(this.#topicNames.indexOf(message.topic), message.data);
        this.#ids.set(message, id);
        return id;
      },
      msgIdToStrFn: (id) => Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('base64'),
      maxInboundDataLength: MAX_RPC_BYTES,
      maxOutboundBufferSize: this.#limits.gossipBufferBytes,
      seenTTL: this.#limits.dedupeWindowMs,
      // Neutral: peers of one host share an address, and a lossy link breaks IWANT promises without anyone's fault.
      scoreParams: { IPColocationFactorWeight: 0, behaviourPenaltyWeight: 0 },
      scoreThresholds: { gossipThreshold: -1e9, publishThreshold: -1e9, graylistThreshold: -1e9 },
    });
    return (components) => {
      const gossip = create(components);
      interceptRpc(gossip, (peer, rpc, handle) => this.#onRpc(peer, rpc, handle));
      this.#gossip = gossip;
      return gossip;
    };
  }

  /** Subscribes to all topics; to be called before any connection exists, so that one frame announces them all. */
  subscribe(): void {
    this.#topicNames.forEach((name, index) => {
      const topic = TOPICS[index] as Topic;
      this.#router.topicValidators.set(name, async (peer, message) => {
        const from = memberOfPeerId(peer);
        if (from === null) return TopicValidatorResult.Ignore;
        const id = this.#ids.get(message) ?? envelopeId(index, message.data);
        return VALIDATOR_RESULT[await this.#shell.judge(from, topic, message.data, id)];
      });
      this.#router.subscribe(name);
    });
  }

  /** Publishes an envelope to every subscriber. */
  publish(topicIndex: number, envelope: Uint8Array, contentBytes: number): void {
    const name = this.#topicNames[topicIndex];
    if (name === undefined) throw new RangeError(`no topic ${topicIndex}`);
    this.#router.publish(name, envelope).then(
      ({ recipients }) => {
        for (const peer of recipients) this.#shell.sent(memberOfPeerId(peer) ?? '', contentBytes);
      },
      // Only a router that is being stopped refuses: duplicates and missing peers are allowed above.
      () => {},
    );
  }

  /** PeerIds (as text) that subscribe to every topic: a message published now is meant for them. */
  subscribers(): ReadonlySet<string> {
    const known = this.#topicNames.map((name) => this.#router.getSubscribers(name).map((peer) => peer.toString()));
    const [first = [], ...rest] = known.map((peers) => new Set(peers));
    return new Set([...first].filter((peer) => rest.every((peers) => peers.has(peer))));
  }

  get #router(): GossipSub {
    if (this.#gossip === null) throw new Error('the gossip service was not created');
    return this.#gossip;
  }

  async #onRpc(peer: PeerId, rpc: GossipRpc, handle: () => Promise<void>): Promise<void> {
    const from = memberOfPeerId(peer);
    if (from === null) return;
    const process = (): Promise<void> => {
      rpc.messages = rpc.messages.filter((message) =>
        this.#shell.admit(from, this.#topicOf(message.topic), message.data?.byteLength ?? 0),
      );
      return handle();
    };
    // A lost subscription would silence the peer for good, which no real network does to a TCP stream.
    if (rpc.subscriptions.length > 0) return process();
    const byteLength = rpc.messages.reduce((sum, message) => sum + (message.data?.byteLength ?? 0), 0);
    this.#shell.arrive(from, byteLength, () => void process());
  }

  #topicOf(name: string): string {
    return TOPICS[this.#topicNames.indexOf(name)] ?? name;
  }
}

/**
 * Puts `intercept` before the router's own handling of received frames.
 *
 * Size, rate and simulated links belong there: the router's validators come too late, because by then a message counts
 * as seen, and one that was refused for its rate could never be repaired. `handleReceivedRpc` is a public method of the
 * router that its exported interface leaves out.
 *
 * @throws TransportError TRANSPORT_GOSSIP_INCOMPATIBLE
 */
export function interceptRpc(
  gossip: object,
  intercept: (from: PeerId, rpc: GossipRpc, handle: () => Promise<void>) => Promise<void>,
): void {
  const entry = gossip as { handleReceivedRpc?: RpcHandler };
  const inner = entry.handleReceivedRpc?.bind(gossip);
  if (inner === undefined) {
    throw new TransportError(
      'TRANSPORT_GOSSIP_INCOMPATIBLE',
      'the installed @libp2p/gossipsub has no handleReceivedRpc; use version 17',
    );
  }
  entry.handleReceivedRpc = (from, rpc) => intercept(from, rpc, () => inner(from, rpc));
}

const VALIDATOR_RESULT: Readonly<Record<Verdict, TopicValidatorResult>> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
};

/** @returns whether a gossip stream of ours is open on the connection. */
export function hasGossipStream(connection: Connection): boolean {
  return connection.streams.some(
    (stream) => stream.direction === 'outbound' && stream.status === 'open' && stream.protocol.startsWith('/meshsub/'),
  );
}

/**
 * Brings what gossip writes to a connection over a simulated link, frame by frame.
 *
 * The first frame of a stream announces subscriptions and always passes.
 */
export function interceptGossipWrites(
  connection: Connection,
  pass: (byteLength: number, write: () => void) => void,
): void {
  const open = connection.newStream.bind(connection);
  connection.newStream = async (protocols, options) => {
    const stream = await open(protocols, options);
    if (!stream.protocol.startsWith('/meshsub/')) return stream;
    const send = stream.send.bind(stream);
    let isFirst = true;
    stream.send = (data) => {
      if (isFirst) {
        isFirst = false;
        return send(data);
      }
      // Sent later, the bytes may belong to a buffer that the caller reuses by then.
      const copy = data.slice();
      pass(data.byteLength, () => {
        if (stream.writeStatus === 'writable') send(copy);
      });
      return true;
    };
    return stream;
  };
}
