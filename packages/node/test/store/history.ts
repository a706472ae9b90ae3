import {
  type CommitRecord,
  encodeMessage,
  Peer,
  type PeerOptions,
  type StoredPeer,
  type StoreWrite,
  signBatch,
} from '@wattmesh/consensus';
import { SimulatedDisk } from '../../../consensus/test/world/disk.ts';
import { type WorldChain, worldChain } from '../../../consensus/test/world/genesis.ts';
import { HouseholdSource } from '../../src/household/household.ts';

export const PEER_OPTIONS: PeerOptions = {
  timeouts: { proposeMs: 400, prevoteMs: 200, precommitMs: 200, stepMs: 100, collectMs: 150, resendMs: 300 },
  txPatienceMs: 300,
  minBlockIntervalMs: 0,
  slotPaceMs: 0,
  readyTimeoutMs: 1_500,
  statusMs: 1_000,
  syncTimeoutMs: 1_000,
  maxPoolTransactions: 1_000,
};

const GENESIS_TIME_MS = 1_700_000_000_000;

export interface History {
  readonly chain: WorldChain;
  /** What a real peer wrote, in order. */
  readonly writes: readonly StoreWrite[];
  readonly commits: readonly CommitRecord[];
}

export function lonelyPeer(chain: WorldChain, stored: StoredPeer, reader = new SimulatedDisk()): Peer {
  const signer = chain.signers[0] as WorldChain['signers'][number];
  const intervals = [
    { productionWh: 3_000, consumptionWh: 1_000 },
    { productionWh: 0, consumptionWh: 2_000 },
  ];
  const source = new HouseholdSource({
    household: { intervals },
    genesis: chain.rules.genesis,
    chainId: chain.rules.chainId,
    rank: 0,
    signAsMember: signer.sign,
    signAsMeter: chain.meters[0]?.sign ?? null,
  });
  return new Peer(chain.rules, PEER_OPTIONS, { signer, source, reader }, stored);
}

/** Lets a peer that is its own quorum make `heights` blocks in virtual time, some with transactions. */
export function history(heights: number, seed = 'history'): History {
  const chain = worldChain({ seed, members: 1, clock: 'ready', slotMs: 1_000, genesisTimeMs: GENESIS_TIME_MS });
  const peer = lonelyPeer(chain, { head: null, journal: [], silentThrough: 0 });
  const writes: StoreWrite[] = [];
  const timers = new Map<string, number>();
  let nowMs = GENESIS_TIME_MS;
  let nonce = 0;
  const handle = (event: Parameters<Peer['handle']>[0]): string => {
    const output = peer.handle(event);
    writes.push(...output.writes);
    for (const { id, delayMs } of output.timers) timers.set(id, nowMs + delayMs);
    return output.verdict;
  };
  const count = (): number => writes.filter(({ type }) => type === 'commit').length;
  handle({ type: 'start', nowMs });
  while (count() < heights) {
    if (handle({ type: 'submit', nowMs, bytes: transfer(chain, nonce) }) === 'accept') nonce += 1;
    const [next] = [...timers].sort((a, b) => a[1] - b[1]);
    if (next === undefined) throw new Error('the peer has nothing left to do');
    timers.delete(next[0]);
    nowMs = Math.max(nowMs, next[1]);
    handle({ type: 'timer', id: next[0], nowMs });
  }
  const last = writes.findLastIndex((write) => write.type === 'commit' && write.commit.height === heights);
  const kept = writes.slice(0, last + 1);
  return { chain, writes: kept, commits: kept.flatMap((write) => (write.type === 'commit' ? [write.commit] : [])) };
}

function transfer({ rules, signers }: WorldChain, nonce: number): Uint8Array {
  const signer = signers[0] as WorldChain['signers'][number];
  const to = rules.genesis.accounts[0]?.publicKey as string;
  const operations = [{ type: 'transfer', asset: 'upos', to, amount: BigInt(nonce + 1) }] as const;
  const batch = signBatch({ chainId: rules.chainId, firstNonce: nonce, operations }, signer);
  return encodeMessage({ type: 'batch', batch });
}
