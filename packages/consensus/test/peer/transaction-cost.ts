/**
 * What a transaction costs a peer without network and disk: four peers in one process, to which clients hand transactions,
 * agree on blocks of them. Run it with the memory settings of a peer:
 *
 *     node --max-semi-space-size=4 --single-threaded-gc packages/consensus/test/peer/transaction-cost.ts [TRANSACTIONS] [PER_BLOCK]
 *
 * Prints the processor time of a transaction at each peer, its signature check included, and beside it that of the check alone.
 */
import { createSignatureScheme, rememberSignatures } from '../../src/crypto/index.ts';
import { Peer } from '../../src/peer/peer.ts';
import type { PeerEvent, PeerOptions, PeerOutput } from '../../src/peer/ports.ts';
import { encodeMessage } from '../../src/wire/messages.ts';
import { PoegChain, WORKED4 } from '../fixtures/poeg-chain.ts';

const [count = 24_000, perBlock = 800] = process.argv.slice(2).map(Number);
/** Nothing is slow here: no timer but the pauses of composers and of handing over is to ring. */
const NEVER_MS = 1e9;
const OPTIONS: PeerOptions = {
  timeouts: {
    proposeMs: NEVER_MS,
    prevoteMs: NEVER_MS,
    precommitMs: NEVER_MS,
    stepMs: 0,
    collectMs: NEVER_MS,
    resendMs: NEVER_MS,
  },
  txPatienceMs: NEVER_MS,
  minBlockIntervalMs: 0,
  slotPaceMs: NEVER_MS,
  readyTimeoutMs: NEVER_MS,
  statusMs: NEVER_MS,
  syncTimeoutMs: NEVER_MS,
  maxPoolTransactions: 50_000,
};

const chain = new PoegChain(WORKED4, {
  payers: WORKED4.length,
  limits: { maxTransactionsPerBlock: 4_096, maxBlockBytes: 1_048_576 },
});
const [edc, ...payers] = chain.network.accounts;
const keys = chain.network.signers.map(({ publicKey }) => publicKey);
const ranks = keys.map((_, rank) => rank);
const peers = chain.network.signers.map((signer) => {
  const signatures = rememberSignatures(createSignatureScheme(), 50_000);
  const modules = { signer, source: null, reader: { block: () => null, state: () => null } };
  return new Peer({ ...chain.rules, signatures }, OPTIONS, modules, { head: null, journal: [], silentThrough: 0 });
});

type Untimed<E> = E extends { readonly nowMs: number } ? Omit<E, 'nowMs'> : never;
const waiting: { readonly rank: number; readonly event: Untimed<PeerEvent>; readonly fromMs: number }[] = [];
let nowMs = 1_000;
let committed = 0;

function handle(rank: number, event: Untimed<PeerEvent>): void {
  const { sends, timers, notices } = peers[rank]!.handle({ ...event, nowMs } as PeerEvent) satisfies PeerOutput;
  for (const send of sends) {
    const to = send.type === 'broadcast' ? ranks.filter((other) => other !== rank) : [keys.indexOf(send.to)];
    for (const other of to) {
      const bytes = send.bytes.slice();
      waiting.push({ rank: other, event: { type: 'message', from: rank, sender: keys[rank]!, bytes }, fromMs: nowMs });
    }
  }
  for (const { id, delayMs } of timers)
    if (/^(tell|interval|pause)/.test(id))
      waiting.push({ rank, event: { type: 'timer', id }, fromMs: nowMs + delayMs });
  for (const notice of notices) if (notice.type === 'committed' && rank === 0) committed += notice.transactions;
}

function settle(): void {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    nowMs = Math.max(nowMs, next.fromMs);
    handle(next.rank, next.event);
  }
}

for (const rank of ranks) handle(rank, { type: 'start' });
for (const rank of ranks)
  for (const member of ranks) if (member !== rank) handle(rank, { type: 'connection', member, up: true });
settle();

const batches = Array.from({ length: count }, (_, k) => {
  const payer = payers[k % payers.length]!;
  const operations = [{ type: 'transfer', asset: 'upos', to: edc!.publicKey, amount: 1n }] as const;
  return chain.batch(payer, Math.floor(k / payers.length), operations);
});
const frames = batches.map((batch) => encodeMessage({ type: 'batch', batch }));
const submit = (from: number, to: number): void => {
  for (let k = from; k < to; k += 1) {
    handle(k % peers.length, { type: 'submit', bytes: frames[k]! });
    if ((k + 1) % perBlock !== 0 && k + 1 !== to) continue;
    settle();
    nowMs += 100;
  }
};
const microsOf = ({ user, system }: NodeJS.CpuUsage): number => user + system;

// A quarter to warm up.
const warm = Math.floor(count / 4);
submit(0, warm);
const before = committed;
const start = process.cpuUsage();
submit(warm, count);
const each = microsOf(process.cpuUsage(start)) / (committed - before) / peers.length;

const scheme = createSignatureScheme();
const digest = new Uint8Array(32).fill(7);
const secret = new Uint8Array(32).fill(1);
const signature = scheme.sign(digest, secret);
const publicKey = scheme.publicKey(secret);
const checks = 5_000;
const checkStart = process.cpuUsage();
for (let k = 0; k < checks; k += 1) if (!scheme.verify(signature, digest, publicKey)) throw new Error('not valid');
const check = microsOf(process.cpuUsage(checkStart)) / checks;

console.log(
  `${committed} of ${count} committed in ${peers[0]!.view.state.height} blocks; ${each.toFixed(1)} us a transaction and peer, ` +
    `${check.toFixed(1)} of them for its signature; ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB`,
);
