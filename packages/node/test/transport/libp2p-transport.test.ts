import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { type GossipSub, gossipsub } from '@libp2p/gossipsub';
import { identify } from '@libp2p/identify';
import type { Libp2p } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { afterEach, describe, expect, it } from 'vitest';
import { interceptRpc } from '../../src/transport/gossip-router.ts';
import {
  Libp2pTransport,
  type Libp2pTransportOptions,
  type ProbeOptions,
} from '../../src/transport/libp2p-transport.ts';
import { identityOfSecret, peerIdOfMember } from '../../src/transport/member-id.ts';
import { interceptStreams } from '../../src/transport/thrifty-yamux.ts';
import type { TransportEvent } from '../../src/transport/transport-error.ts';
import { DEFAULT_LIMITS, type TransportLimits } from '../../src/transport/transport-limits.ts';
import { CHANNELS, TOPICS } from '../../src/transport/transport-port.ts';
import { eventually } from './eventually.ts';
import { bytesOf, Inbox } from './inbox.ts';
import { memberOf, secretOf } from './lab.ts';

const chainId = 'lab';
const members = [memberOf(0), memberOf(1)];

const open: { stop(): void | Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((node) => node.stop()));
});

type Peer = { port: Libp2pTransport; inbox: Inbox; log: TransportEvent[]; address: string };

async function honest(index: number, options: Partial<Libp2pTransportOptions> = {}): Promise<Peer> {
  const log: TransportEvent[] = [];
  const port = new Libp2pTransport({
    chainId,
    members,
    secretKey: secretOf(index),
    log: (event) => log.push(event),
    ...options,
  });
  open.push(port);
  const inbox = new Inbox(port);
  await port.start();
  return { port, inbox, log, address: port.listenAddresses[0] ?? '' };
}

/** A member that speaks libp2p without our layer, and so can say what our layer never would. */
async function hostile(speaks: { gossip: boolean; channels: boolean }): Promise<Libp2p<{ gossip?: GossipSub }>> {
  const gossip = gossipsub({ globalSignaturePolicy: 'StrictNoSign', allowPublishToZeroTopicPeers: true });
  const node = (await createLibp2p({
    privateKey: identityOfSecret(secretOf(1)).privateKey,
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify(), ...(speaks.gossip ? { gossip } : {}) },
  })) as Libp2p<{ gossip?: GossipSub }>;
  open.push(node);
  if (speaks.channels) for (const channel of CHANNELS) await node.handle(`/wattmesh/${chainId}/${channel}/1`, () => {});
  for (const topic of TOPICS) node.services.gossip?.subscribe(wireTopic(topic));
  return node;
}

function wireTopic(topic: string): string {
  return `/wattmesh/${chainId}/${topic}/1`;
}

function dialAddress(peer: Peer, index: number) {
  return multiaddr(`${peer.address}/p2p/${peerIdOfMember(memberOf(index))}`);
}

/** Connects a hostile member and waits until its gossip would arrive. */
async function befriend(node: Libp2p<{ gossip?: GossipSub }>, peer: Peer): Promise<void> {
  await node.dial(dialAddress(peer, 0));
  await peer.inbox.up(memberOf(1));
  const knowsUs = (): boolean => (node.services.gossip?.getSubscribers(wireTopic('bundles')).length ?? 0) > 0;
  await eventually(knowsUs).toBe(true);
}

describe('configuration', () => {
  const secretKey = secretOf(0);
  it.each<[string, Partial<Libp2pTransportOptions>]>([
    ['a secret of the wrong length', { secretKey: new Uint8Array(64).fill(1) }],
    ['a secret that is no scalar', { secretKey: new Uint8Array(32).fill(0xff) }],
    ['a key outside the chain', { members: [memberOf(5)] }],
    ['a member id of the wrong form', { members: [...members, 'ABC'] }],
    ['a member id that is no point', { members: [...members, `02${'f'.repeat(64)}`] }],
    ['an empty chain id', { chainId: '' }],
    ['a chain id with a slash', { chainId: 'a/b' }],
    ['an address that is no multiaddr', { addresses: { [memberOf(1)]: 'localhost:4001' } }],
    ['a rate of zero', { limits: { patiencePerSecond: 0 } }],
    ['a queue smaller than a message', { limits: { queueBytes: { ...DEFAULT_LIMITS.queueBytes, sync: 1_000 } } }],
    ['a gossip buffer smaller than two messages', { limits: { gossipBufferBytes: 1_000_000 } }],
  ])('refuses %s', (_, wrong) => {
    expect(() => new Libp2pTransport({ chainId, members, secretKey, ...wrong })).toThrow(
      expect.objectContaining({ code: 'TRANSPORT_INVALID_CONFIG' }),
    );
  });

  it('never quotes the secret', () => {
    const secret = new Uint8Array(32).fill(0xff);
    try {
      identityOfSecret(secret);
      expect.unreachable();
    } catch (error) {
      expect(`${error} ${JSON.stringify(error)}`).not.toContain('ff');
      expect((error as Error).cause).toBeUndefined();
    }
  });

  it('refuses an address for an unknown member', async () => {
    const peer = await honest(0);
    expect(() => peer.port.setAddress(memberOf(7), '/ip4/127.0.0.1/tcp/1')).toThrow(
      expect.objectContaining({ code: 'TRANSPORT_UNKNOWN_MEMBER' }),
    );
  });

  it('says that a port is in use, and can be started elsewhere', async () => {
    const first = await honest(0);
    await expect(honest(1, { listen: first.address })).rejects.toMatchObject({
      code: 'TRANSPORT_ADDRESS_IN_USE',
      details: { listen: first.address },
    });
    expect((await honest(1)).address).not.toBe(first.address);
  });

  it('says that an address cannot be listened on', async () => {
    // 203.0.113.0/24 is reserved for documentation: no machine has it.
    await expect(honest(0, { listen: '/ip4/203.0.113.1/tcp/0' })).rejects.toMatchObject({
      code: 'TRANSPORT_LISTEN_FAILED',
    });
    await expect(honest(0, { listen: 'nonsense' })).rejects.toMatchObject({ code: 'TRANSPORT_LISTEN_FAILED' });
  });

  it('notices a gossip library without the seam that it needs', () => {
    expect(() => interceptRpc({}, async () => {})).toThrow(
      expect.objectContaining({ code: 'TRANSPORT_GOSSIP_INCOMPATIBLE' }),
    );
  });
});

describe('the windows of streams', () => {
  /** A stream of the multiplexer's kind: 3 is established, 1 is not yet. */
  const windowed = (state: number, recvWindowCapacity: number): number => {
    const updates: number[] = [];
    const sendWindowUpdate = (): void => void updates.push(1);
    const stream = { state, recvWindow: 1_000, recvWindowCapacity, sendWindowUpdate };
    const muxer = { _newStream: () => stream };
    interceptStreams(muxer);
    muxer._newStream().sendWindowUpdate();
    return updates.length;
  };

  it('are opened again when half is used up, and at once while a stream is being set up', () => {
    expect([windowed(3, 1_000), windowed(3, 501), windowed(3, 500), windowed(3, 0), windowed(1, 1_000)]).toEqual([
      0, 0, 1, 1, 1,
    ]);
  });

  it('need a multiplexer with the seam for that', () => {
    expect(() => interceptStreams({})).toThrow(expect.objectContaining({ code: 'TRANSPORT_MUXER_INCOMPATIBLE' }));
  });

  it('let more through than a window holds, in both directions', async () => {
    const [a, b] = [await honest(0), await honest(1)];
    a.port.setAddress(memberOf(1), b.address);
    await eventually(() => a.port.peers()[0]?.connected).toBe(true);
    await eventually(() => b.port.peers()[0]?.connected).toBe(true);
    const large = new Uint8Array(600_000).fill(7);
    for (let k = 0; k < 4; k += 1) {
      expect(a.port.send(memberOf(1), 'sync', large)).toBe(true);
      expect(b.port.send(memberOf(0), 'sync', large)).toBe(true);
    }
    for (const { inbox } of [a, b]) await eventually(() => inbox.messages.length).toBe(4);
  });
});

describe('dialling', () => {
  it('keeps trying a peer that is not there, and finds it when its address is corrected', async () => {
    const closed = await honest(1);
    await closed.port.stop();
    const peer = await honest(0, { addresses: { [memberOf(1)]: closed.address }, redial: { maxDelayMs: 200 } });
    await eventually(() => peer.log.map(({ code }) => code)).toContain('TRANSPORT_DIAL_FAILED');
    expect(peer.port.peers()[0]).toMatchObject({ connected: false, address: closed.address });
    // The other one knows no address, so that only a corrected one can connect them.
    const moved = await honest(1);
    peer.port.setAddress(memberOf(1), moved.address);
    await peer.inbox.up(memberOf(1));
    expect(peer.port.peers()[0]?.address).toContain(moved.address);
  });

  it('survives both sides dialling at once', async () => {
    const redial = { courtesyMs: 0 };
    const [a, b] = [await honest(0, { redial }), await honest(1, { redial })];
    a.port.setAddress(memberOf(1), b.address);
    b.port.setAddress(memberOf(0), a.address);
    await Promise.all([a.inbox.up(memberOf(1)), b.inbox.up(memberOf(0))]);
    for (let index = 0; index < 20; index++) {
      a.port.send(memberOf(1), 'votes', bytesOf(`a ${index}`));
      b.port.send(memberOf(0), 'votes', bytesOf(`b ${index}`));
    }
    await Promise.all([a.inbox.received('b 19'), b.inbox.received('a 19')]);
    expect(a.inbox.connections).toEqual([{ member: memberOf(1), up: true }]);
    expect(b.inbox.connections).toEqual([{ member: memberOf(0), up: true }]);
  });

  it('refuses a second connection of a connected peer while it may be a crossing', async () => {
    const peer = await honest(0, { probe: { crossingMs: 3_600_000 } });
    const node = await hostile({ gossip: true, channels: true });
    await befriend(node, peer);
    // The refusal comes after the handshake: the dial may succeed for a moment, the connection does not last.
    const second = await node.dial(dialAddress(peer, 0), { force: true }).catch(() => null);
    await eventually(() => second === null || second.status !== 'open').toBe(true);
    expect(peer.inbox.connections).toEqual([{ member: memberOf(1), up: true }]);
  });

  it('lets a later connection of the same peer replace the old one, which its other end has lost', async () => {
    const peer = await honest(0, { probe: { crossingMs: 0 } });
    const node = await hostile({ gossip: true, channels: true });
    await befriend(node, peer);
    const [first] = node.getConnections();
    await node.dial(dialAddress(peer, 0), { force: true });
    await eventually(() => first?.status).not.toBe('open');
    await eventually(() => peer.inbox.connections.map(({ up }) => up)).toEqual([true, false, true]);
  });
});

describe('hostile members', () => {
  const strict: Partial<TransportLimits> = { patiencePerSecond: 0.001, backOffMs: 60_000 };

  it.each([
    ['an envelope that is too short', 'bundles', new Uint8Array(7), 'TRANSPORT_MALFORMED'],
    ['a message on an unknown topic', 'gossip', new Uint8Array(100), 'TRANSPORT_MALFORMED'],
    ['a message that is too large', 'updates', new Uint8Array(1_572_864 + 9), 'TRANSPORT_OVERSIZE'],
  ])('counts %s and delivers nothing', async (_, topic, bytes, code) => {
    const peer = await honest(0);
    const node = await hostile({ gossip: true, channels: true });
    await befriend(node, peer);
    // Publishing goes to subscribers only; for a topic that we do not have, the mesh of another one is used.
    if (!(TOPICS as readonly string[]).includes(topic)) {
      const router = node.services.gossip as unknown as { topics: Map<string, Set<string>> };
      router.topics.set(wireTopic(topic), new Set([peerIdOfMember(memberOf(0)).toString()]));
    }
    await node.services.gossip?.publish(wireTopic(topic), bytes);
    await eventually(() => peer.inbox.dropped(memberOf(1), code)).toBe(1);
    expect(peer.inbox.messages).toEqual([]);
    expect(peer.inbox.connectedTo(memberOf(1))).toBe(true);
  });

  it('resets a stream whose frame announces too much, and disconnects a peer that insists', async () => {
    const peer = await honest(0, { limits: strict });
    const node = await hostile({ gossip: true, channels: true });
    await befriend(node, peer);
    const [connection] = node.getConnections();
    for (let attempt = 1; attempt <= 3; attempt++) {
      const stream = await connection?.newStream(`/wattmesh/${chainId}/votes/1`);
      stream?.send(Uint8Array.from([0, 1, 0, 1]));
      await eventually(() => stream?.status).not.toBe('open');
      expect(peer.inbox.dropped(memberOf(1), 'TRANSPORT_OVERSIZE')).toBe(attempt);
    }
    await peer.inbox.down(memberOf(1));
    expect(peer.log).toContainEqual(expect.objectContaining({ code: 'TRANSPORT_PENALISED', member: memberOf(1) }));
    // In back-off even a fresh, well-behaved connection is refused. A dial before this end knows would find the old one.
    await eventually(() => node.getConnections()).toEqual([]);
    await node.dial(dialAddress(peer, 0)).catch(() => null);
    await eventually(() => peer.log.map(({ code }) => code)).toContain('TRANSPORT_BACKED_OFF');
    expect(peer.inbox.messages).toEqual([]);
  });

  it('gives up a connection on which gossip does not come up', async () => {
    const probe: Partial<ProbeOptions> = { setupMs: 100, watchMs: 50 };
    const peer = await honest(0, { probe });
    const node = await hostile({ gossip: false, channels: true });
    const connection = await node.dial(dialAddress(peer, 0));
    await eventually(() => connection.status).not.toBe('open');
    expect(peer.log).toContainEqual({
      code: 'TRANSPORT_GOSSIP_STALLED',
      member: memberOf(1),
      detail: 'never came up',
    });
    expect(peer.inbox.connections).toEqual([]);
  });

  it('makes a connection anew when its gossip dies while it is up', async () => {
    const peer = await honest(0, { probe: { watchMs: 50 } });
    const node = await hostile({ gossip: true, channels: true });
    await befriend(node, peer);
    const [connection] = node.getConnections();
    for (const stream of connection?.streams ?? []) {
      if (stream.protocol.startsWith('/meshsub/')) stream.abort(new Error('lost'));
    }
    await peer.inbox.down(memberOf(1));
    expect(peer.log).toContainEqual({ code: 'TRANSPORT_GOSSIP_STALLED', member: memberOf(1), detail: 'died' });
  });

  it('reports a peer that refuses a channel, keeps the message and tries again', async () => {
    const peer = await honest(0);
    const node = await hostile({ gossip: true, channels: false });
    await befriend(node, peer);
    expect(peer.port.send(memberOf(1), 'votes', bytesOf('patient vote'))).toBe(true);
    await eventually(() => peer.log.map(({ code }) => code)).toContain('TRANSPORT_STREAM_FAILED');
    const { promise, resolve } = Promise.withResolvers<string>();
    await node.handle(`/wattmesh/${chainId}/votes/1`, (stream) => {
      stream.addEventListener('message', ({ data }) => resolve(Buffer.from(data.subarray()).toString()));
    });
    expect(await promise).toContain('patient vote');
  });
});
