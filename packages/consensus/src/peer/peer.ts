import type { Blobs } from '../application/types.ts';
import { decodeBlock, blockHash as hashOf } from '../chain/block.ts';
import { decodeCertificate, encodeCertificate, verifyCertificate } from '../chain/certificate.ts';
import type { ChainHistory } from '../chain/history.ts';
import type { ChainRules, ChainState } from '../chain/state.ts';
import { transactionIds } from '../chain/transactions.ts';
import type { Block, Certificate, Hash, MemberRank } from '../chain/types.ts';
import type { ElectionEntry } from '../election/index.ts';
import type { TimerName } from '../engine/types.ts';
import { encodeState } from '../execution/index.ts';
import { isBlockOf } from '../verification/index.ts';
import { Accusations } from './accusations.ts';
import { Agreement } from './agreement.ts';
import { BatchGossip } from './batch-gossip.ts';
import { BlobPool } from './blob-pool.ts';
import { Composer } from './composer.ts';
import { ContributionPool } from './contribution-pool.ts';
import { Inbox, type Verdict } from './inbox.ts';
import { decodeJournalEntry } from './journal.ts';
import { KnownBlocks } from './known-blocks.ts';
import { Mempool } from './mempool.ts';
import { Outbox } from './outbox.ts';
import { OwnContributions } from './own-contributions.ts';
import { Pledges } from './pledges.ts';
import type { CommitRecord, PeerEvent, PeerModules, PeerOptions, PeerOutput, StoredPeer } from './ports.ts';
import { Silence } from './silence.ts';
import { Standing } from './standing.ts';
import { Synchroniser } from './synchroniser.ts';
import { VoteDesk } from './vote-desk.ts';

/** Heights that this peer decides in answer to one event before it lets the shell write and send. */
const MAX_DECISIONS_PER_EVENT = 2;

/** What a peer shows of itself. */
export interface PeerView {
  readonly state: ChainState;
  readonly certificate: Certificate | null;
  readonly round: number;
  readonly list: readonly ElectionEntry[];
  readonly poolTransactions: number;
  readonly sittingOut: boolean;
  readonly syncTarget: number | null;
}

/**
 * A peer of one chain without its shell: agreement, mempool, contributions, composing, catching up. It is a deterministic
 * function of what it is told: no socket, disk, clock, timer or random source. The shell (a process, or a simulated world)
 * delivers events and carries out the outputs in order, making writes durable before it sends what follows them.
 *
 * It moves from height to height and from slot to slot; its parts do the work of each.
 */
export class Peer {
  readonly #options: PeerOptions;
  readonly #outbox = new Outbox();
  readonly #standing: Standing;
  readonly #mempool: Mempool;
  readonly #contributions = new ContributionPool();
  readonly #silence: Silence;
  readonly #pledges: Pledges;
  readonly #own: OwnContributions;
  readonly #blobs: BlobPool;
  readonly #accusations: Accusations;
  readonly #blocks: KnownBlocks;
  readonly #agreement: Agreement;
  readonly #composer: Composer;
  readonly #votes: VoteDesk;
  readonly #batches: BatchGossip;
  readonly #sync: Synchroniser;
  readonly #inbox: Inbox;
  #decisionsInEvent = 0;

  /** @throws CodecError when the stored state or certificate cannot be decoded (the caller repairs the store). */
  constructor(rules: ChainRules, options: PeerOptions, modules: PeerModules, stored: StoredPeer) {
    this.#options = options;
    const { syncTimeoutMs, timeouts } = options;
    const { signer, source, reader } = modules;
    const patienceMs = syncTimeoutMs / 4;
    const standing = new Standing(rules, modules, stored.head);
    const outbox = this.#outbox;
    const contributions = this.#contributions;
    const mempool = new Mempool(options.maxPoolTransactions, standing.state.ledger.accounts.length);
    const accusations = new Accusations(standing, outbox);
    const liveMembers = () => standing.liveMembers();
    const blobs = new BlobPool({ outbox, reader, patienceMs, liveMembers });
    const judging: ChainRules = { ...rules, blobs };
    const mayClose = (): boolean => this.#composer.mayClose();
    const isNeeded = (hash: Hash): boolean => this.#agreement.needs(hash);
    const blocks = new KnownBlocks({ standing, outbox, blobs, judging, accusations, patienceMs, mayClose, isNeeded });
    this.#standing = standing;
    this.#mempool = mempool;
    this.#accusations = accusations;
    this.#blobs = blobs;
    this.#blocks = blocks;
    const resendMs = timeouts.resendMs;
    const entries = stored.journal.map(decodeJournalEntry);
    const silentThrough =
      entries.includes(null) && stored.silentThrough !== null
        ? Math.max(stored.silentThrough, standing.height)
        : stored.silentThrough;
    const silence = new Silence({ standing, outbox, silentThrough });
    this.#silence = silence;
    const own = (): OwnContributions => this.#own;
    const pledges = new Pledges({ standing, outbox, contributions, mempool, blobs, reader, own });
    this.#pledges = pledges;
    this.#own = new OwnContributions({ standing, outbox, contributions, blobs, source, resendMs, silence });
    const agreement = new Agreement({
      standing,
      outbox,
      blocks,
      accusations,
      contributions,
      mempool,
      pledges,
      timeouts,
      signer,
      silence,
      compose: (round) => this.#composer.compose(round),
      entered: () => this.#batches.onNewComposer(),
      decided: (block, certificate) => {
        this.#decisionsInEvent += 1;
        this.#commit(block, certificate, false);
      },
    });
    for (const entry of entries) {
      if (entry?.type === 'contribution') this.#own.remember(entry.bytes);
      if (entry?.type === 'absence') this.#own.recallAbsence(entry.throughSlot);
      if (entry?.type === 'reported') pledges.recall(entry.bytes);
      if (entry?.type === 'blob') pledges.recallBlob(entry.height, entry.bytes);
      // Of a journal with entries that cannot be read nobody knows when it was complete: the others are asked again.
      if (entry?.type === 'silence' && !entries.includes(null)) silence.recall(entry.throughHeight);
      if (entry?.type === 'engine') agreement.recall(entry.record);
    }
    this.#agreement = agreement;
    const sync = new Synchroniser({
      outbox,
      reader,
      timeoutMs: syncTimeoutMs,
      nowMs: () => standing.nowMs,
      head: () => standing.state.height,
      mayClaim: () => !agreement.hasBeenFurther,
      liveMembers,
      adopt: (block, certificate) => this.#adopt(block, certificate),
    });
    this.#sync = sync;
    const feed = agreement.feed.bind(agreement);
    const composer = new Composer({
      standing,
      outbox,
      options,
      judging,
      mempool,
      contributions,
      accusations,
      blocks,
      feed,
      isCatchingUp: () => sync.target !== null,
      hasDecidedEnough: () => this.#decisionsInEvent >= MAX_DECISIONS_PER_EVENT,
    });
    this.#composer = composer;
    const votes = new VoteDesk({ standing, outbox, blocks, feed, shownIn: (round) => agreement.shownIn(round) });
    this.#votes = votes;
    const batches = new BatchGossip({ standing, outbox, mempool, composer, resendMs, round: () => agreement.round });
    this.#batches = batches;
    this.#inbox = new Inbox({
      standing,
      outbox,
      agreement,
      composer,
      blocks,
      votes,
      batches,
      mempool,
      contributions,
      blobs,
      accusations,
      sync,
      silence,
    });
  }

  /** Bytes that blocks name by hash, as far as this peer has them. */
  get blobs(): Pick<Blobs, 'get'> {
    return this.#blobs;
  }

  /** The last heights of this peer's chain. */
  get history(): ChainHistory {
    return this.#standing.history;
  }

  get view(): PeerView {
    const { state, certificate, list } = this.#standing;
    return {
      state,
      certificate,
      round: this.#agreement.round,
      list,
      poolTransactions: this.#mempool.size,
      sittingOut: this.#agreement.sitsOut,
      syncTarget: this.#sync.target,
    };
  }

  /** Handles one event. Never throws on anything that another peer can send. */
  handle(event: PeerEvent): PeerOutput {
    this.#standing.tick(event.nowMs);
    this.#decisionsInEvent = 0;
    const { verdict, code } = this.#on(event);
    return this.#outbox.take(verdict, code);
  }

  #on(event: PeerEvent): Verdict {
    switch (event.type) {
      case 'message':
        return this.#receive(event.from, event.sender, event.bytes);
      case 'submit':
        return this.#inbox.receive(this.#standing.self, 'local', event.bytes);
      case 'contribute':
        return this.#contribute(event.bytes);
      case 'start':
        this.#start();
        break;
      case 'connection':
        this.#onConnection(event.member, event.up);
        break;
      case 'timer':
        this.#onTimer(event.id);
    }
    return { verdict: 'accept', code: null };
  }

  #receive(from: MemberRank | null, sender: string, bytes: Uint8Array): Verdict {
    const verdict = this.#inbox.receive(from, sender, bytes);
    // It has just learned how far the chain was. What it was told as a follower is told again.
    if (this.#agreement.mayTakePart) this.#enterHeight();
    return verdict;
  }

  #start(): void {
    const { self } = this.#standing;
    if (self !== null) this.#standing.connected(self, true);
    this.#outbox.timer('status', this.#options.statusMs);
    this.#outbox.timer('resend-own', this.#options.timeouts.resendMs);
    this.#own.onHead();
    this.#enterSlot();
    this.#enterHeight();
  }

  #enterSlot(): void {
    this.#standing.enterSlot();
    this.#contributions.prune(this.#standing.state.slot);
    this.#composer.wakeUpInSlot();
    this.#own.enterSlot();
  }

  #enterHeight(): void {
    const { application, genesis } = this.#standing.rules;
    this.#blocks.clear();
    this.#composer.enterHeight();
    this.#votes.enterHeight();
    this.#blobs.forget();
    this.#agreement.enterHeight();
    this.#blocks.fetchBlobs(application.wantedBlobs?.(genesis, this.#standing.state.app) ?? [], null);
    this.#composer.consider();
    this.#batches.enterHeight();
    this.#inbox.enterHeight();
  }

  #commit(block: Block, certificate: Certificate, viaSync: boolean): void {
    const { blockHash } = certificate;
    const { height } = block.header;
    const known = this.#blocks.certified(block, blockHash);
    // A quorum of honest voters has found the block valid; finding otherwise means corrupt memory or more than b liars.
    if (!known.verdict?.ok) throw new Error(`a certified block at height ${height} is invalid: ${known.verdict?.code}`);
    const slotBefore = this.#standing.state.slot;
    this.#standing.moveTo(known.verdict.state, certificate);
    this.#accusations.prune();
    this.#mempool.prune(height, (sender) => this.#standing.nonceOf(sender));
    this.#own.onHead();
    this.#silence.onHead();
    const commit = this.#recordOf(block, known.bytes, certificate);
    this.#outbox.write({ type: 'commit', commit });
    const { round } = certificate;
    const transactions = commit.transactionIds.length;
    this.#composer.onCommit(blockHash, transactions, viaSync ? null : known.sinceMs);
    this.#outbox.notice({ type: 'committed', height, blockHash, round, viaSync, transactions });
    for (const { type: evidence, member, slashedMicro } of this.#standing.state.discipline.outcomes)
      if (member !== null)
        this.#outbox.notice({ type: 'punished', member, evidence, height, slashedMicro: slashedMicro.toString() });
    this.#sync.onHead();
    if (this.#standing.state.slot !== slotBefore) this.#enterSlot();
    this.#enterHeight();
  }

  /** What the disk must hold of the new head. */
  #recordOf(block: Block, bytes: Uint8Array, certificate: Certificate): CommitRecord {
    const { rules, state } = this.#standing;
    const { application, genesis } = rules;
    const kept = block.header.kind === 'settlement' ? (application.keptBlobs?.(block.payload) ?? []) : [];
    return {
      height: block.header.height,
      blockHash: certificate.blockHash,
      block: bytes,
      certificate: encodeCertificate(certificate),
      state: encodeState(rules, state),
      transactionIds: transactionIds(block.batches),
      blobs: [...new Set(kept)].flatMap((hash) => {
        const blob = this.#blobs.get(hash);
        return blob === null ? [] : [{ hash, bytes: blob }];
      }),
      wantedBlobs: application.wantedBlobs?.(genesis, state.app) ?? [],
      carry: [...this.#own.carry(), ...this.#silence.carry(), ...this.#pledges.carry(), ...this.#agreement.carry()],
    };
  }

  /** A certified block from a peer that is ahead; true when it became this peer's head. */
  #adopt(blockBytes: Uint8Array, certificateBytes: Uint8Array): boolean {
    const { rules, height } = this.#standing;
    const block = decodeBlock(blockBytes);
    const certificate = decodeCertificate(certificateBytes);
    const hash = hashOf(block.header);
    const isNext = block.header.height === height && certificate.height === height;
    if (!isNext || certificate.blockHash !== hash || !isBlockOf(block, hash)) return false;
    verifyCertificate(rules, certificate, this.#standing.beaconTermOf(block));
    if (this.#blocks.certified(block, hash, blockBytes).verdict?.ok !== true) return false;
    this.#commit(block, certificate, true);
    return true;
  }

  /** Takes what this member has signed in the meantime: journalled first, then told to the others. */
  #contribute(bytes: Uint8Array): Verdict {
    const code = this.#own.contribute(bytes);
    if (code !== 'accept') return { verdict: 'ignore', code };
    this.#composer.consider();
    return { verdict: 'accept', code: null };
  }

  #onConnection(member: MemberRank, up: boolean): void {
    this.#standing.connected(member, up);
    if (up) {
      const key = this.#standing.keyOf(member);
      this.#sync.tellStatus(key, this.#standing.nowMs);
      this.#own.tell(key);
    }
    this.#composer.consider();
  }

  #onTimer(id: string): void {
    const [kind, ...rest] = id.split('/');
    switch (kind) {
      case 'engine': {
        const [name, height, round] = rest;
        const timer = { name: name as TimerName, height: Number(height), round: Number(round) };
        this.#agreement.feed({ type: 'timer', timer });
        break;
      }
      case 'fetch': {
        const [height, hash = '', attempt] = rest;
        this.#blocks.onTimer(Number(height), hash, Number(attempt));
        break;
      }
      case 'blobs':
        this.#blobs.onTimer();
        break;
      case 'status':
        this.#sync.heartbeat(this.#standing.nowMs);
        this.#outbox.timer('status', this.#options.statusMs);
        // Timers were set by a clock that may have been set back or forward since. One that is due now was replaced by this.
        this.#composer.wakeUpInSlot();
        this.#composer.consider();
        break;
      case 'resend-own':
        this.#own.resend();
        this.#accusations.resend();
        this.#batches.resend();
        this.#outbox.timer('resend-own', this.#options.timeouts.resendMs);
        break;
      case 'tell':
        this.#batches.onTimer();
        break;
      case 'sync':
        this.#sync.onTimeout(Number(rest[0]));
        this.#composer.consider();
        break;
      default:
        // slot, patience, interval, pause, require: the clock has moved, so look again.
        this.#composer.consider();
    }
  }
}
