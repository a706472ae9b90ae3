import { createHash } from 'node:crypto';
import { Libp2pTransport, type Libp2pTransportOptions } from '../../src/transport/libp2p-transport.ts';
import type { LinkConditions } from '../../src/transport/link-conditions.ts';
import { identityOfSecret } from '../../src/transport/member-id.ts';
import { MemoryNetwork } from '../../src/transport/memory-transport.ts';
import type { TransportEvent } from '../../src/transport/transport-error.ts';
import type { TransportLimits } from '../../src/transport/transport-limits.ts';
import type { TransportPort } from '../../src/transport/transport-port.ts';
import { Inbox } from './inbox.ts';

export interface LabOptions {
  readonly members: number;
  /** Peers that believe that they are members; nobody else does. */
  readonly outsiders?: number;
  readonly followers?: number;
  /** Pairs that can reach each other; all, if left out. */
  readonly edges?: readonly (readonly [number, number])[];
  readonly limits?: Partial<TransportLimits>;
  readonly links?: (index: number) => LinkConditions;
}

/** A peer of a lab; after a restart, `port` and `inbox` are new. */
export interface LabPeer {
  readonly id: string;
  port: TransportPort;
  inbox: Inbox;
  readonly log: TransportEvent[];
}

/** Some transports of one kind that can reach each other, and what a test may do to them. */
export interface Lab {
  readonly peers: readonly LabPeer[];
  /** Starts the given peers (all, if left out) and waits until every pair that can be is connected. */
  start(...indexes: number[]): Promise<void>;
  /** Starts without waiting for connections. */
  launch(index: number): Promise<void>;
  /** Replaces a stopped peer by a fresh one with the same key and address, not started. */
  rebuild(index: number): void;
  /** Lets time pass where time is simulated; real time passes by itself. */
  elapse(ms: number): Promise<void>;
  close(): Promise<void>;
}

export type LabFactory = (options: LabOptions) => Lab;

export function secretOf(index: number): Uint8Array {
  return createHash('sha256').update(`wattmesh transport test ${index}`).digest();
}

export function memberOf(index: number): string {
  return identityOfSecret(secretOf(index)).member;
}

interface Plan {
  readonly options: LabOptions;
  readonly count: number;
  scope(index: number): { chainId: string; members: string[]; followers: string[]; limits: Partial<TransportLimits> };
  knows(index: number, other: number): boolean;
  readonly edges: readonly (readonly [number, number])[];
}

function planOf(options: LabOptions): Plan {
  const followers = options.followers ?? 0;
  const count = options.members + followers + (options.outsiders ?? 0);
  const ids = Array.from({ length: count }, (_, index) => memberOf(index));
  const members = ids.slice(0, options.members);
  const followerIds = ids.slice(options.members, options.members + followers);
  const allPairs = ids.flatMap((_, a) => ids.map((_, b) => [a, b] as const)).filter(([a, b]) => a < b);
  return {
    options,
    count,
    scope: (index) => ({
      chainId: 'lab',
      members: index < options.members + followers ? members : ids,
      followers: followerIds,
      limits: options.limits ?? {},
    }),
    knows: (index, other) => index >= options.members + followers || other < options.members + followers,
    edges: options.edges ?? allPairs,
  };
}

function build(plan: Plan, make: (index: number, log: TransportEvent[]) => TransportPort, rest: LabShell): Lab {
  const peers: LabPeer[] = Array.from({ length: plan.count }, (_, index) => {
    const log: TransportEvent[] = [];
    const port = make(index, log);
    return { id: port.self, port, inbox: new Inbox(port), log };
  });
  const at = (index: number): LabPeer => {
    const peer = peers[index];
    if (peer === undefined) throw new RangeError(`no peer ${index}`);
    return peer;
  };
  const launch = async (index: number): Promise<void> => {
    await at(index).port.start();
    rest.launched(index, peers);
  };
  return {
    peers,
    launch,
    async start(...indexes) {
      const chosen = indexes.length > 0 ? indexes : peers.map((_, index) => index);
      for (const index of chosen) await launch(index);
      for (const [a, b] of plan.edges) {
        if (!chosen.includes(a) || !chosen.includes(b)) continue;
        await Promise.all([at(a).inbox.up(at(b).id), at(b).inbox.up(at(a).id)]);
      }
    },
    rebuild(index) {
      const peer = at(index);
      peer.port = make(index, peer.log);
      peer.inbox = new Inbox(peer.port);
    },
    elapse: rest.elapse,
    async close() {
      await Promise.all(peers.map((peer) => peer.port.stop()));
    },
  };
}

interface LabShell {
  launched(index: number, peers: readonly LabPeer[]): void;
  elapse(ms: number): Promise<void>;
}

export const memoryLab: LabFactory = (options) => {
  const plan = planOf(options);
  const network = new MemoryNetwork();
  const reachable = new Set(plan.edges.map(([a, b]) => `${a}-${b}`));
  for (let a = 0; a < plan.count; a++) {
    for (let b = a + 1; b < plan.count; b++) {
      if (!reachable.has(`${a}-${b}`)) network.setCut(memberOf(a), memberOf(b), true);
    }
  }
  const make = (index: number, log: TransportEvent[]): TransportPort => {
    const links = options.links?.(index);
    return network.transport({
      ...plan.scope(index),
      self: memberOf(index),
      log: (event) => log.push(event),
      ...(links === undefined ? {} : { links }),
    });
  };
  return build(plan, make, { launched: () => {}, elapse: (ms) => network.advance(ms) });
};

/** Real sockets on loopback, automatic ports; a rebuilt peer listens on the port that it had. */
export function libp2pLabWith(overrides: Partial<Libp2pTransportOptions> = {}): LabFactory {
  return (options) => {
    const plan = planOf(options);
    const addresses = new Map<number, string>();
    const neighbours = (index: number): number[] =>
      plan.edges.flatMap(([a, b]) => (a === index ? [b] : b === index ? [a] : []));
    const make = (index: number, log: TransportEvent[]): TransportPort => {
      const links = options.links?.(index);
      const listen = addresses.get(index);
      const known = neighbours(index).flatMap((other) => {
        const address = addresses.get(other);
        return address === undefined || !plan.knows(index, other) ? [] : [[memberOf(other), address] as const];
      });
      return new Libp2pTransport({
        ...plan.scope(index),
        ...overrides,
        secretKey: secretOf(index),
        addresses: Object.fromEntries(known),
        log: (event) => log.push(event),
        ...(listen === undefined ? {} : { listen }),
        ...(links === undefined ? {} : { links }),
      });
    };
    const launched = (index: number, peers: readonly LabPeer[]): void => {
      const address = libp2pOf(peers[index]).listenAddresses[0];
      if (address === undefined) throw new Error('not listening');
      addresses.set(index, address);
      for (const other of neighbours(index)) {
        // Nobody but an outsider knows an outsider.
        if (!plan.knows(other, index)) continue;
        libp2pOf(peers[other]).setAddress(memberOf(index), address);
      }
    };
    return build(plan, make, { launched, elapse: () => Promise.resolve() });
  };
}

function libp2pOf(peer: LabPeer | undefined): Libp2pTransport {
  if (!(peer?.port instanceof Libp2pTransport)) throw new TypeError('not a libp2p peer');
  return peer.port;
}

export const libp2pLab: LabFactory = libp2pLabWith();
