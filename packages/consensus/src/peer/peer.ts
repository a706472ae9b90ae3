import { BlockRejection } from '../application/rejection.ts';
import type { Blobs, Contribution } from '../application/types.ts';
import { decodeBlock, encodeBlock, blockHash as hashOf } from '../chain/block.ts';
import { decodeCertificate, encodeCertificate, verifyCertificate } from '../chain/certificate.ts';
import { logRecordEncoder } from '../chain/log-codec.ts';
import { chainTimeOf, isLastSlotOfTerm, settlementIsDue, slotEndMs } from '../chain/slots.ts';
import type { ChainRules, ChainState } from '../chain/state.ts';
import { batchHash, batchLength, transactionIds } from '../chain/transactions.ts';
import type {
  Block,
  BlockKind,
  Certificate,
  Hash,
  Hex,
  MemberRank,
  TransactionBatch,
  Vote,
  VoteExtension,
} from '../chain/types.ts';
import { proposalDigest, verifyProposalSignature, verifyVote, voteDigest } from '../chain/votes.ts';
import { composeBlock } from '../composition/compose-block.ts';
import { authenticateBatch } from '../composition/select-batches.ts';
import { beaconMessage, type ElectionEntry, electionListOf, proposerAt } from '../election/index.ts';
import type { EngineState } from '../engine/index.ts';
import { restoreHeight, startHeight, step } from '../engine/index.ts';
import type { EngineEffect, EngineEvent, HeightContext, LogRecord } from '../engine/types.ts';
import { decodeState, encodeState, genesisState } from '../execution/index.ts';
import { accountIndexOf } from '../ledger/draft.ts';
import { isBlockOf, verifyBlock } from '../verification/index.ts';
import { decodeMessage, MAX_GROUPED_BATCHES, type Message } from '../wire/messages.ts';
import { BlobPool } from './blob-pool.ts';
import { ContributionPool } from './contribution-pool.ts';
import { decodeJournalEntry, encodeJournalEntry, heightOf } from './journal.ts';
import { Mempool } from './mempool.ts';
import { Outbox } from './outbox.ts';
import type { PeerEvent, PeerModules, PeerOptions, PeerOutput, StoredPeer } from './ports.ts';
import { mayClose, type SlotView, slotWakeUps } from './slot-policy.ts';
import { Synchroniser } from './synchroniser.ts';

/** Blocks of one height that a peer keeps at most; the oldest makes room. */
const MAX_BLOCKS_PER_HEIGHT = 32;
/** Heights that this peer decides in answer to one event before it lets the shell write and send. */
const MAX_DECISIONS_PER_EVENT = 2;
/** A block costs every peer about as much as some hundred transactions do. */
const BATCHES_WORTH_A_BLOCK = 256;
const PACE_FACTOR = 3;
const MAX_PACE_MS = 150;
/** So many times the number of other members, in milliseconds, is the shortest time between two messages of batches. */
const TRANSACTIONS_PAUSE_MS = 10;
/** Encoded batches in one message at most, as far as one of them fits. */
const MAX_GROUPED_BYTES = 262_144;
/** Messages of the next height that are kept until this peer gets there, per sender. */
const MAX_EARLY_PER_SENDER = 8;

interface KnownBlock {
  readonly block: Block;
  readonly bytes: Uint8Array;
  /** The state after the block, or why it is invalid; null until it was judged. */
  verdict: { readonly ok: true; readonly state: ChainState } | { readonly ok: false; readonly code: string } | null;
}

type EngineInput = EngineEvent extends infer E ? (E extends { nowMs: number } ? Omit<E, 'nowMs'> : never) : never;

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
 */
export class Peer {
  readonly #rules: ChainRules;
  readonly #options: PeerOptions;
  readonly #modules: PeerModules;
  readonly #self: MemberRank | null;
  readonly #outbox = new Outbox();
  readonly #mempool: Mempool;
  readonly #contributions = new ContributionPool();
  readonly #own = new Map<string, Contribution>();
  readonly #live = new Set<MemberRank>();
  readonly #early = new Map<string, { readonly from: MemberRank | null; readonly bytes: Uint8Array }[]>();
  readonly #blocks = new Map<Hash, KnownBlock>();
  readonly #sync: Synchroniser;
  readonly #blobs: BlobPool;
  /** The rules with bytes to judge by; `#rules` has none, and takes certified blocks at their word. */
  readonly #judging: ChainRules;
  #nowMs = 0;
  #state: ChainState;
  #certificate: Certificate | null;
  #list: readonly ElectionEntry[] = [];
  #context!: HeightContext;
  #engine!: EngineState;
  #slotSinceMs = 0;
  /** How often this member has repeated its contributions in this slot. */
  #ownResends = 0;
  #lastCommitMs = Number.NEGATIVE_INFINITY;
  #composedAt: { readonly blockHash: Hash; readonly nowMs: number } | null = null;
  /** From the composition of this peer's last block until it was decided. */
  #ownHeightMs = 0;
  #silentThrough: number;
  /** What this peer signed at heights above its head, by height: it is sent again, never signed anew. */
  readonly #journal = new Map<number, LogRecord[]>();
  /** Votes for blocks that this peer has not seen, at heights where it must know the block to check their extension. */
  #unplaced: Vote[] = [];
  #inputs: EngineInput[] = [];
  #stepping = false;
  #decisionsInEvent = 0;
  #decided: { readonly block: Block; readonly certificate: Certificate } | null = null;
  /** Batches of local clients that the others have not been told about, and when they were told last. */
  #untold: TransactionBatch[] = [];
  #toldMs = Number.NEGATIVE_INFINITY;
  /** The state after which this peer has seen that a transaction waits, and has told its engine. */
  #considered: ChainState | null = null;
  readonly #encodeRecord = logRecordEncoder(
    (block) => this.#blocks.get(hashOf(block.header))?.bytes ?? encodeBlock(block),
  );

  /** @throws CodecError when the stored state or certificate cannot be decoded (the caller repairs the store). */
  constructor(rules: ChainRules, options: PeerOptions, modules: PeerModules, stored: StoredPeer) {
    this.#rules = rules;
    this.#options = options;
    this.#modules = modules;
    const rank = rules.genesis.members.findIndex(({ publicKey }) => publicKey === modules.signer?.publicKey);
    this.#self = rank < 0 ? null : rank;
    this.#state = stored.head === null ? genesisState(rules) : decodeState(rules, stored.head.state);
    this.#certificate = stored.head === null ? null : decodeCertificate(stored.head.certificate);
    this.#mempool = new Mempool(options.maxPoolTransactions, this.#state.ledger.accounts.length);
    this.#blobs = new BlobPool({
      outbox: this.#outbox,
      reader: modules.reader,
      patienceMs: options.syncTimeoutMs / 4,
      liveMembers: () => this.#keysOf(this.#live),
    });
    this.#judging = { ...rules, blobs: this.#blobs };
    const entries = stored.journal.map(decodeJournalEntry);
    this.#silentThrough = entries.includes(null)
      ? Math.max(stored.silentThrough, this.#state.height + 1)
      : stored.silentThrough;
    for (const entry of entries) {
      if (entry?.type === 'contribution') this.#rememberOwn(entry.bytes);
      if (entry?.type !== 'engine' || heightOf(entry.record) <= this.#state.height) continue;
      const records = this.#journal.get(heightOf(entry.record)) ?? [];
      this.#journal.set(heightOf(entry.record), [...records, entry.record]);
    }
    this.#sync = new Synchroniser({
      outbox: this.#outbox,
      reader: modules.reader,
      timeoutMs: options.syncTimeoutMs,
      nowMs: () => this.#nowMs,
      head: () => this.#state.height,
      liveMembers: () => this.#keysOf(this.#live),
      adopt: (block, certificate) => this.#adopt(block, certificate),
    });
  }

  /** Bytes that blocks name by hash, as far as this peer has them. */
  get blobs(): Pick<Blobs, 'get'> {
    return this.#blobs;
  }

  get view(): PeerView {
    return {
      state: this.#state,
      certificate: this.#certificate,
      round: this.#engine.round,
      list: this.#list,
      poolTransactions: this.#mempool.size,
      sittingOut: this.#sitsOut(),
      syncTarget: this.#sync.target,
    };
  }

  /** Handles one event. Never throws on anything that another peer can send. */
  handle(event: PeerEvent): PeerOutput {
    this.#nowMs = event.nowMs;
    this.#decisionsInEvent = 0;
    switch (event.type) {
      case 'start':
        this.#start();
        return this.#outbox.take('accept', null);
      case 'message': {
        const { verdict, code } = this.#onMessage(event.from, event.sender, event.bytes);
        return this.#outbox.take(verdict, code);
      }
      case 'submit': {
        const { verdict, code } = this.#onMessage(this.#self, 'local', event.bytes);
        return this.#outbox.take(verdict, code);
      }
      case 'contribute':
        return this.#outbox.take(...this.#contribute(event.bytes));
      case 'connection':
        this.#onConnection(event.member, event.up);
        return this.#outbox.take('accept', null);
      case 'timer':
        this.#onTimer(event.id);
        return this.#outbox.take('accept', null);
    }
  }

  // ---------------------------------------------------------------- heights

  #start(): void {
    if (this.#self !== null) this.#live.add(this.#self);
    this.#outbox.timer('status', this.#options.statusMs);
    this.#outbox.timer('resend-own', this.#options.timeouts.resendMs);
    this.#enterSlot();
    this.#enterHeight();
  }

  #enterSlot(): void {
    this.#slotSinceMs = this.#nowMs;
    this.#ownResends = 0;
    this.#contributions.prune(this.#state.slot);
    for (const [key, { dueInSlot }] of this.#own) if (dueInSlot < this.#state.slot) this.#own.delete(key);
    for (const [index, delayMs] of slotWakeUps(this.#rules, this.#state, this.#options, this.#slotView()).entries())
      this.#outbox.timer(`slot/${this.#state.slot}/${index}`, delayMs);
    if (this.#self === null) return;
    // Bytes that were journalled before a crash win over what the source says now: never two announcements for one slot.
    for (const bytes of this.#modules.source?.contributions(this.#state.slot, this.#state.app, this.#blobs) ?? []) {
      const key = this.#rememberOwn(bytes);
      if (key !== null)
        this.#outbox.write({ type: 'journal', bytes: encodeJournalEntry({ type: 'contribution', bytes }) });
    }
    for (const own of this.#own.values()) if (own.dueInSlot >= this.#state.slot) this.#tellOwn(own, false);
  }

  #tellOwn({ bytes, topic = 'announcements' }: Contribution, resend: boolean): void {
    this.#outbox.broadcast(topic, { type: 'contribution', bytes }, resend);
  }

  /** Takes what this member has signed in the meantime: journalled first, then told to the others. */
  #contribute(bytes: Uint8Array): [PeerOutput['verdict'], string | null] {
    if (this.#self === null) return ['ignore', 'CONTRIBUTION_OF_A_FOLLOWER'];
    const key = this.#rememberOwn(bytes);
    const own = key === null ? undefined : this.#own.get(key);
    if (own === undefined) return ['ignore', 'CONTRIBUTION_NOT_TAKEN'];
    this.#outbox.write({ type: 'journal', bytes: encodeJournalEntry({ type: 'contribution', bytes }) });
    this.#tellOwn(own, false);
    this.#considerBlock();
    return ['accept', null];
  }

  /** Takes a contribution of this member into the pool; null when one with its key is there already. */
  #rememberOwn(bytes: Uint8Array): string | null {
    const { application, genesis, chainId } = this.#rules;
    const verdict = application.checkContribution(genesis, chainId, bytes, this.#state.slot);
    if (!verdict.ok || this.#own.has(verdict.contribution.key)) return null;
    const { key, author, blob } = verdict.contribution;
    if (author !== this.#self) return null;
    this.#own.set(key, verdict.contribution);
    if (blob !== undefined) this.#blobs.add(blob.bytes);
    this.#contributions.add(verdict.contribution);
    return key;
  }

  #enterHeight(): void {
    const records = this.#journal.get(this.#state.height + 1) ?? [];
    this.#journal.delete(this.#state.height + 1);
    this.#blocks.clear();
    this.#unplaced = [];
    this.#blobs.forget();
    this.#list = electionListOf(this.#rules, this.#state, this.#certificate);
    this.#context = this.#heightContext();
    if (this.#sitsOut()) this.#outbox.notice({ type: 'sitting-out', height: this.#context.height });
    if (records.length === 0) {
      this.#engine = startHeight(this.#context);
    } else {
      for (const record of records) if (record.type !== 'vote') this.#remember(record.block);
      const { state, effects } = restoreHeight(this.#context, records);
      this.#engine = state;
      for (const effect of effects) this.#apply(effect);
    }
    this.#fetchBlobs(this.#rules.application.wantedBlobs?.(this.#rules.genesis, this.#state.app) ?? [], null);
    this.#considerBlock();
    const early = [...this.#early];
    this.#early.clear();
    for (const [sender, messages] of early)
      for (const { from, bytes } of messages) this.#onMessage(from, sender, bytes);
  }

  #heightContext(): HeightContext {
    const { genesis, chainId } = this.#rules;
    const height = this.#state.height + 1;
    const self = this.#sitsOut() ? null : this.#self;
    const sign = (digest: Hash): Hex => {
      if (this.#modules.signer === null) throw new Error('a follower was asked to sign');
      return this.#modules.signer.sign(digest);
    };
    return {
      height,
      members: genesis.members.length,
      quorum: genesis.quorum,
      self,
      timeouts: this.#options.timeouts,
      proposer: (round) => proposerAt(this.#list, round),
      judge: (block, blockHash) => this.#judge(block, blockHash),
      signVote: (vote) => {
        const unsigned = { ...vote, voter: this.#self as MemberRank };
        return { ...unsigned, signature: sign(voteDigest(chainId, unsigned)) };
      },
      signProposal: (proposal) => {
        const unsigned = { ...proposal, proposer: this.#self as MemberRank };
        return { ...unsigned, signature: sign(proposalDigest(chainId, unsigned)) };
      },
      extend: (block, blockHash) => this.#extend(block, blockHash),
    };
  }

  /** Whether this peer must not sign at the height that it is in. */
  #sitsOut(): boolean {
    return this.#state.height + 1 <= this.#silentThrough;
  }

  #extend(block: Block, blockHash: Hash): VoteExtension {
    const term = this.#beaconTermOf(block);
    if (term === null || this.#modules.signer === null) return { beaconShare: null };
    return { beaconShare: this.#modules.signer.signBeaconShare(beaconMessage(this.#rules.chainId, term, blockHash)) };
  }

  /** The term that this block's precommits seed; null when they seed none. */
  #beaconTermOf(block: Block): number | null {
    const { kind, slot, term } = block.header;
    return kind === 'settlement' && isLastSlotOfTerm(this.#rules.genesis, slot) ? term + 1 : null;
  }

  #judge(block: Block, blockHash: Hash): 'valid' | 'invalid' | 'defer' {
    const known = this.#remember(block, blockHash);
    if (known.verdict === null) {
      const needed = this.#neededBlobs(block);
      if (needed.length > 0 && !this.#fetchBlobs(needed, block.header.composer)) return 'defer';
      const verdict = verifyBlock(this.#judging, this.#state, block, blockHash, known.bytes.length);
      known.verdict = verdict.ok ? verdict : { ok: false, code: verdict.rejection.code };
      if (!verdict.ok)
        this.#outbox.notice({
          type: 'refused',
          what: 'block',
          code: verdict.rejection.code,
          sender: `member ${block.header.composer}`,
          reason: verdict.rejection.message,
        });
    }
    if (!known.verdict.ok) return 'invalid';
    const closesTheSlot = block.header.kind === 'closing' && this.#state.phase === 'open';
    return closesTheSlot && !this.#mayClose() ? 'defer' : 'valid';
  }

  /** Bytes without which the block (null: the one that this peer composes) cannot be judged. */
  #neededBlobs(block: Block | null): readonly Hash[] {
    const { application, genesis } = this.#rules;
    if (this.#state.phase !== 'closed' || (block !== null && block.header.kind !== 'settlement')) return [];
    return application.neededBlobs?.(genesis, this.#state.slot, this.#state.app, block?.payload ?? null) ?? [];
  }

  /** True when all of these bytes are here; asks for the others, and `first` before anybody else. */
  #fetchBlobs(hashes: readonly Hash[], first: MemberRank | null): boolean {
    const missing = this.#blobs.missing(hashes);
    const isLive = first !== null && first !== this.#self && this.#live.has(first);
    if (missing.length > 0) this.#blobs.want(missing, isLive ? this.#keyOf(first) : null);
    return missing.length === 0;
  }

  #remember(block: Block, hash: Hash = hashOf(block.header), received?: Uint8Array): KnownBlock {
    const held = this.#blocks.get(hash);
    if (held !== undefined) return held;
    const bytes = received ?? encodeBlock(block);
    const [oldest] = this.#blocks.keys();
    if (this.#blocks.size >= MAX_BLOCKS_PER_HEIGHT && oldest !== undefined) this.#blocks.delete(oldest);
    const known: KnownBlock = { block, bytes, verdict: null };
    this.#blocks.set(hash, known);
    return known;
  }

  // ---------------------------------------------------------------- engine

  #feed(input: EngineInput): void {
    this.#inputs.push(input);
    if (this.#stepping) return;
    this.#stepping = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        const { state, effects } = step(this.#context, this.#engine, { ...next, nowMs: this.#nowMs } as EngineEvent);
        if (state.round > this.#engine.round)
          this.#outbox.notice({ type: 'round', height: this.#context.height, round: state.round });
        this.#engine = state;
        for (const effect of effects) this.#apply(effect);
        if (this.#decided !== null) {
          const { block, certificate } = this.#decided;
          this.#decided = null;
          this.#inputs = [];
          this.#decisionsInEvent += 1;
          this.#commit(block, certificate, false);
        }
      }
    } finally {
      this.#stepping = false;
    }
  }

  #apply(effect: EngineEffect): void {
    switch (effect.type) {
      case 'persist':
        this.#outbox.write({
          type: 'journal',
          bytes: encodeJournalEntry({ type: 'engine', record: effect.record }, this.#encodeRecord),
        });
        return;
      case 'send-vote':
        this.#outbox.send(this.#keyOf(effect.to), 'votes', { type: 'votes', votes: [effect.vote] });
        return;
      case 'broadcast-votes':
        this.#outbox.broadcast('bundles', { type: 'votes', votes: effect.votes }, true);
        return;
      case 'broadcast-proposal': {
        const { proposal, polVotes, block } = effect;
        const known = this.#remember(block, proposal.blockHash);
        this.#outbox.broadcast('proposals', { type: 'proposal', proposal, block: known.bytes, polVotes }, true);
        return;
      }
      case 'schedule': {
        const { name, height, round } = effect.timer;
        this.#outbox.timer(`engine/${name}/${height}/${round}`, effect.delayMs);
        return;
      }
      case 'compose':
        this.#compose(effect.round);
        return;
      case 'fetch-block':
        this.#fetch(effect.blockHash, 0);
        return;
      case 'decide':
        this.#decided = effect;
        return;
      case 'conflict': {
        const member = 'voter' in effect.first ? effect.first.voter : effect.first.proposer;
        const what = 'voter' in effect.first ? effect.first.type : 'proposal';
        this.#outbox.notice({ type: 'conflict', member, height: effect.first.height, what });
      }
    }
  }

  /** Asks the members one after the other for a block that a quorum has voted for. */
  #fetch(hash: Hash, attempt: number): void {
    const members = this.#keysOf(this.#live);
    const member = members[attempt % Math.max(1, members.length)];
    if (member !== undefined)
      this.#outbox.send(member, 'request', { type: 'get-block', height: this.#context.height, hash });
    this.#outbox.timer(`fetch/${this.#context.height}/${hash}/${attempt + 1}`, this.#options.syncTimeoutMs / 4);
  }

  // ---------------------------------------------------------------- composing

  /** Looks for a reason to make a block now or later, and tells the engine. */
  #considerBlock(): void {
    if (this.#sync.target !== null) return;
    if (this.#decisionsInEvent >= MAX_DECISIONS_PER_EVENT) {
      // A member that is its own quorum waits for nobody: without a pause it would go on for ever within this event.
      this.#outbox.timer(`pause/${this.#context.height}`, 0);
      return;
    }
    const due = this.#state.phase === 'closed' ? this.#settlementDue() : this.#mayClose();
    if (due) {
      this.#feed({ type: 'reconsider' });
      this.#feed({ type: 'block-wanted' });
      this.#feed({ type: 'can-compose' });
      return;
    }
    if (this.#state.phase === 'closed') {
      const delayMs = slotEndMs(this.#rules, this.#state.slot) - this.#nowMs;
      this.#outbox.timer(`slot/${this.#state.slot}/closed`, delayMs);
      return;
    }
    const sinceMs = this.#mempool.waitingSinceMs(this.#rules, this.#state, (sender) => this.#nonceOf(sender));
    if (sinceMs === null) return;
    this.#considered = this.#state;
    const impatientInMs = sinceMs + this.#options.txPatienceMs - this.#nowMs;
    if (impatientInMs <= 0) this.#feed({ type: 'block-wanted' });
    else this.#outbox.timer(`patience/${this.#context.height}`, impatientInMs);
    const pauseMs = Math.max(this.#options.minBlockIntervalMs, this.#paceMs());
    const waitMs = Math.min(pauseMs, this.#lastCommitMs + pauseMs - this.#nowMs);
    if (waitMs > 0) this.#outbox.timer(`interval/${this.#context.height}`, waitMs);
    else this.#feed({ type: 'can-compose' });
  }

  /**
   * How long after a block this peer composes no other one, so that a busy network does not spend its time on many small
   * blocks: some multiple of what its own last block took. Nothing when it is quiet, or when enough waits to fill a block.
   */
  #paceMs(): number {
    const waiting = this.#mempool.batches;
    if (waiting <= this.#context.members || waiting >= BATCHES_WORTH_A_BLOCK) return 0;
    return Math.min(MAX_PACE_MS, PACE_FACTOR * this.#ownHeightMs);
  }

  /** After a closing block: whether this peer's clock allows the settlement (or, if chain time lags, another closing block). */
  #settlementDue(): boolean {
    const { genesis } = this.#rules;
    return genesis.slot.clock === 'ready' || this.#nowMs >= slotEndMs(this.#rules, this.#state.slot);
  }

  #mayClose(): boolean {
    return this.#state.phase === 'open' && mayClose(this.#rules, this.#state, this.#options, this.#slotView());
  }

  #slotView(): SlotView {
    return { nowMs: this.#nowMs, slotSinceMs: this.#slotSinceMs, live: this.#live, pool: this.#contributions };
  }

  #kindToCompose(): BlockKind | null {
    if (this.#state.phase === 'open') {
      if (this.#mayClose()) return 'closing';
      const sinceMs = this.#mempool.waitingSinceMs(this.#rules, this.#state, (sender) => this.#nonceOf(sender));
      return sinceMs === null ? null : 'transactions';
    }
    if (!this.#settlementDue()) return null;
    const chainTimeMs = chainTimeOf(this.#state, this.#certificate);
    return settlementIsDue(this.#rules, this.#state, chainTimeMs) ? 'settlement' : 'closing';
  }

  #compose(round: number): void {
    const kind = this.#kindToCompose();
    const batches = kind === null || kind === 'settlement' ? [] : this.#mempool.select(this.#rules, this.#state);
    const lacksBytes = kind === 'settlement' && !this.#fetchBlobs(this.#neededBlobs(null), null);
    if (kind === null || this.#self === null || lacksBytes || (kind === 'transactions' && batches.length === 0)) {
      this.#feed({ type: 'composed', round, block: null, blockHash: null });
      return;
    }
    const { block, blockHash, state } = composeBlock(this.#judging, this.#state, {
      kind,
      composer: this.#self,
      composingRound: round,
      parentCertificate: this.#certificate,
      batches,
      contributions: kind === 'settlement' ? this.#contributions.dueIn(this.#state.slot) : [],
    });
    this.#remember(block, blockHash).verdict = { ok: true, state };
    this.#composedAt = { blockHash, nowMs: this.#nowMs };
    this.#outbox.notice({ type: 'composed', height: this.#context.height, round, kind, blockHash, atMs: this.#nowMs });
    this.#feed({ type: 'composed', round, block, blockHash });
  }

  // ---------------------------------------------------------------- commit

  #commit(block: Block, certificate: Certificate, viaSync: boolean): void {
    const hash = certificate.blockHash;
    const known = this.#remember(block, hash);
    if (known.verdict === null) this.#judgeCertified(known, hash);
    const verdict = known.verdict as KnownBlock['verdict'];
    // A quorum of honest voters has found the block valid; finding otherwise means corrupt memory or more than b liars.
    if (verdict === null || !verdict.ok)
      throw new Error(`a certified block at height ${block.header.height} is invalid: ${verdict?.code}`);
    const slotBefore = this.#state.slot;
    this.#state = verdict.state;
    this.#certificate = certificate;
    this.#lastCommitMs = this.#nowMs;
    if (this.#composedAt?.blockHash === hash) this.#ownHeightMs = Math.max(0, this.#nowMs - this.#composedAt.nowMs);
    const ids = transactionIds(block.batches);
    this.#mempool.prune(this.#state.height, (sender) => this.#nonceOf(sender));
    const { application, genesis } = this.#rules;
    const kept = block.header.kind === 'settlement' ? (application.keptBlobs?.(block.payload) ?? []) : [];
    this.#outbox.write({
      type: 'commit',
      commit: {
        height: block.header.height,
        blockHash: hash,
        block: known.bytes,
        certificate: encodeCertificate(certificate),
        state: encodeState(this.#rules, this.#state),
        transactionIds: ids,
        blobs: [...new Set(kept)].flatMap((blob) => {
          const bytes = this.#blobs.get(blob);
          return bytes === null ? [] : [{ hash: blob, bytes }];
        }),
        wantedBlobs: application.wantedBlobs?.(genesis, this.#state.app) ?? [],
        carry: [
          ...[...this.#own.values()]
            .filter(({ dueInSlot }) => dueInSlot >= this.#state.slot)
            .map(({ bytes }) => encodeJournalEntry({ type: 'contribution', bytes })),
          ...[...this.#journal.values()].flat().map((record) => encodeJournalEntry({ type: 'engine', record })),
        ],
      },
    });
    this.#outbox.notice({
      type: 'committed',
      height: block.header.height,
      blockHash: hash,
      round: certificate.round,
      viaSync,
      transactions: ids.length,
    });
    this.#sync.onHead();
    if (this.#state.slot !== slotBefore) this.#enterSlot();
    this.#enterHeight();
  }

  /**
   * Judges a block that a certificate has decided by everything that the block itself shows. Bytes that it only names are
   * not asked for: a quorum had them, and they need not exist any more.
   */
  #judgeCertified(known: KnownBlock, hash: Hash): void {
    const verdict = verifyBlock(this.#rules, this.#state, known.block, hash, known.bytes.length);
    known.verdict = verdict.ok ? verdict : { ok: false, code: verdict.rejection.code };
    if (verdict.ok) return;
    const { code, message } = verdict.rejection;
    const sender = `member ${known.block.header.composer}`;
    this.#outbox.notice({ type: 'refused', what: 'block', code, sender, reason: message });
  }

  /** A certified block from a peer that is ahead; true when it became this peer's head. */
  #adopt(blockBytes: Uint8Array, certificateBytes: Uint8Array): boolean {
    const block = decodeBlock(blockBytes);
    const certificate = decodeCertificate(certificateBytes);
    const hash = hashOf(block.header);
    const isNext = block.header.height === this.#context.height && certificate.height === this.#context.height;
    if (!isNext || certificate.blockHash !== hash || !isBlockOf(block, hash)) return false;
    verifyCertificate(this.#rules, certificate, this.#beaconTermOf(block));
    const known = this.#remember(block, hash, blockBytes);
    if (known.verdict === null) this.#judgeCertified(known, hash);
    if (known.verdict?.ok !== true) return false;
    this.#inputs = [];
    this.#commit(block, certificate, true);
    return true;
  }

  // ---------------------------------------------------------------- messages

  #onMessage(
    from: MemberRank | null,
    sender: string,
    bytes: Uint8Array,
  ): { verdict: PeerOutput['verdict']; code: string | null } {
    try {
      const verdict = this.#dispatch(from, sender, decodeMessage(bytes), bytes);
      return { verdict: verdict === 'accept' ? 'accept' : 'ignore', code: verdict === 'accept' ? null : verdict };
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : null;
      if (code === null) throw error;
      const reason = (error as Error).message;
      this.#outbox.notice({ type: 'refused', what: 'message', code, sender, reason });
      return { verdict: 'reject', code };
    }
  }

  /** `accept`, or the reason why the message is of no use now. Throws an error with a code for what must not be sent at all. */
  #dispatch(from: MemberRank | null, sender: string, message: Message, bytes: Uint8Array): string {
    switch (message.type) {
      case 'proposal':
        return this.#onProposal(from, sender, message, bytes);
      case 'votes':
        return this.#onVotes(from, sender, message.votes, bytes);
      case 'batch':
        return this.#afterBatches(this.#onBatch(message.batch, sender === 'local'));
      case 'batches':
        return this.#afterBatches(this.#onBatches(message.batches));
      case 'contribution':
        return this.#onContribution(message.bytes);
      case 'status':
        return this.#sync.onStatus(sender, message.height);
      case 'get-blocks':
        return this.#sync.onGetBlocks(sender, message);
      case 'blocks':
        return this.#sync.onBlocks(sender, message.items);
      case 'get-block': {
        const known = message.height === this.#context.height ? this.#blocks.get(message.hash) : undefined;
        if (known !== undefined) this.#outbox.send(sender, 'sync', { type: 'block', block: known.bytes });
        else if (message.height <= this.#state.height)
          this.#sync.onGetBlocks(sender, { from: message.height, count: 1 });
        return 'accept';
      }
      case 'block':
        return this.#onBlock(decodeBlock(message.block), message.block);
      case 'get-blobs':
        this.#blobs.answer(sender, message.hashes);
        return 'accept';
      case 'blob':
        return this.#onBlob(message.bytes);
    }
  }

  #onProposal(
    from: MemberRank | null,
    sender: string,
    message: Message & { type: 'proposal' },
    bytes: Uint8Array,
  ): string {
    const { proposal, polVotes } = message;
    if (proposal.height !== this.#context.height)
      return this.#elsewhere(proposal.height, from, sender, bytes, message.block);
    if (polVotes.length > this.#mostVotes) return 'VOTES_TOO_MANY';
    verifyProposalSignature(this.#rules, proposal);
    const block = decodeBlock(message.block);
    if (block.header.height !== proposal.height || !isBlockOf(block, proposal.blockHash)) return 'PROPOSAL_OTHER_BLOCK';
    for (const vote of polVotes) verifyVote(this.#rules, vote, null);
    this.#remember(block, proposal.blockHash, message.block);
    this.#feed({ type: 'proposal', proposal, block, polVotes });
    this.#placeVotes();
    return 'accept';
  }

  #onBlock(block: Block, bytes: Uint8Array): string {
    const hash = hashOf(block.header);
    if (block.header.height !== this.#context.height || !isBlockOf(block, hash)) return 'BLOCK_NOT_WANTED';
    const wanted = this.#unplaced.some((vote) => vote.blockHash === hash) || this.#engine.missing.includes(hash);
    if (!wanted) return 'BLOCK_NOT_WANTED';
    this.#remember(block, hash, bytes);
    this.#feed({ type: 'block', block, blockHash: hash });
    this.#placeVotes();
    return 'accept';
  }

  #onBlob(bytes: Uint8Array): string {
    const hash = this.#blobs.receive(bytes);
    if (hash === null) return 'BLOB_NOT_WANTED';
    this.#outbox.notice({ type: 'blob', hash });
    this.#feed({ type: 'reconsider' });
    this.#considerBlock();
    return 'accept';
  }

  /** A bundle, or a member's own votes of two rounds: what one message can need. Each vote costs a signature check. */
  get #mostVotes(): number {
    return Math.max(4, this.#rules.genesis.members.length);
  }

  #onVotes(from: MemberRank | null, sender: string, votes: readonly Vote[], bytes: Uint8Array): string {
    const [first] = votes;
    if (first === undefined) return 'VOTES_EMPTY';
    if (votes.length > this.#mostVotes) return 'VOTES_TOO_MANY';
    if (first.height !== this.#context.height) return this.#elsewhere(first.height, from, sender, bytes, null);
    const usable: Vote[] = [];
    for (const vote of votes) {
      if (vote.height !== first.height) return 'VOTES_MIXED_HEIGHTS';
      if (this.#awaitsBlock(vote)) {
        // Signed it must be all the same: what anybody can make up in anybody's name must neither be kept nor looked for.
        verifyVote(this.#rules, vote, vote.extension?.beaconShare == null ? null : this.#settlementSeeding(vote));
        this.#keepUnplaced(vote);
      } else {
        verifyVote(this.#rules, vote, this.#beaconOf(vote));
        usable.push(vote);
      }
    }
    if (usable.length > 0) this.#feed({ type: 'votes', votes: usable });
    return 'accept';
  }

  /** At the end of a term only the block tells whether a precommit must carry a beacon share. */
  #awaitsBlock(vote: Vote): boolean {
    if (vote.type !== 'precommit' || vote.blockHash === null || this.#state.phase !== 'closed') return false;
    return isLastSlotOfTerm(this.#rules.genesis, this.#state.slot) && !this.#blocks.has(vote.blockHash);
  }

  #beaconOf(vote: Vote): { term: number; settlementHash: Hash } | null {
    const block = vote.blockHash === null ? undefined : this.#blocks.get(vote.blockHash)?.block;
    const term = block === undefined || vote.type !== 'precommit' ? null : this.#beaconTermOf(block);
    return term === null || vote.blockHash === null ? null : { term, settlementHash: vote.blockHash };
  }

  /** What a precommit stands for if its block is the term's last settlement. */
  #settlementSeeding({ blockHash }: Vote): { term: number; settlementHash: Hash } | null {
    return blockHash === null ? null : { term: this.#state.term + 1, settlementHash: blockHash };
  }

  #keepUnplaced(vote: Vote): void {
    if (this.#unplaced.some((held) => held.voter === vote.voter && held.round === vote.round)) return;
    // One vote a voter, the newest round: enough to fetch and to place what decides, and bounded.
    this.#unplaced = [...this.#unplaced.filter((held) => held.voter !== vote.voter), vote];
    const { quorum, members } = this.#context;
    const backers = this.#unplaced.filter((held) => held.blockHash === vote.blockHash).length;
    if (backers === members - quorum + 1 && vote.blockHash !== null) this.#fetch(vote.blockHash, 0);
  }

  #placeVotes(): void {
    const placeable = this.#unplaced.filter((vote) => !this.#awaitsBlock(vote));
    if (placeable.length === 0) return;
    this.#unplaced = this.#unplaced.filter((vote) => this.#awaitsBlock(vote));
    const votes = placeable.filter((vote) => {
      try {
        verifyVote(this.#rules, vote, this.#beaconOf(vote));
        return true;
      } catch {
        return false;
      }
    });
    if (votes.length > 0) this.#feed({ type: 'votes', votes });
  }

  /** A message of another height: help who is behind, keep what is just ahead, catch up with what is further. */
  #elsewhere(
    height: number,
    from: MemberRank | null,
    sender: string,
    bytes: Uint8Array,
    block: Uint8Array | null,
  ): string {
    if (height < this.#context.height) {
      if (from !== null && from !== this.#self) this.#sync.tellStatus(sender, this.#nowMs);
      return 'MESSAGE_OF_THE_PAST';
    }
    if (from === null) return 'MESSAGE_OF_THE_FUTURE';
    if (height === this.#context.height + 1) {
      const kept = this.#early.get(sender) ?? [];
      if (kept.length < MAX_EARLY_PER_SENDER) this.#early.set(sender, [...kept, { from, bytes }]);
      const parent = block === null ? null : decodeBlock(block).parentCertificate;
      if (parent !== null && this.#learn(parent)) return 'accept';
    }
    this.#sync.onAhead(sender, height - 1);
    return 'MESSAGE_OF_THE_FUTURE';
  }

  /** A proposal of the next height carries the certificate of this one: use it if the block is here. */
  #learn(certificate: Certificate): boolean {
    const known = this.#blocks.get(certificate.blockHash);
    if (known === undefined || certificate.height !== this.#context.height) return false;
    verifyCertificate(this.#rules, certificate, this.#beaconTermOf(known.block));
    this.#feed({ type: 'votes', votes: certificate.votes });
    return this.#state.height === certificate.height;
  }

  #onBatch(batch: TransactionBatch, local: boolean): string {
    const index = accountIndexOf(this.#rules.genesis, batch.sender);
    if (index === undefined) return 'TRANSACTION_UNKNOWN_SENDER';
    const hash = batchHash(batch);
    if (this.#mempool.has(hash)) return 'TRANSACTION_KNOWN';
    const authentic = authenticateBatch(this.#rules, batch);
    if (!authentic.ok) throw new BlockRejection('transactions', authentic.code, authentic.reason);
    const nonce = this.#state.ledger.accounts[index]?.nonce ?? 0;
    const resendAtMs = local ? this.#nowMs + this.#options.timeouts.resendMs : null;
    const verdict = this.#mempool.add(this.#state, nonce, batch, hash, this.#nowMs, resendAtMs);
    if (verdict !== 'added') return `TRANSACTION_${verdict.toUpperCase().replaceAll('-', '_')}`;
    if (local) this.#tell(batch);
    return 'accept';
  }

  /** Looks for a block to make, unless it is known already what this height waits for: a later batch changes nothing. */
  #afterBatches(verdict: string): string {
    if (verdict === 'accept' && this.#considered !== this.#state) this.#considerBlock();
    return verdict;
  }

  /** Of several, the last reason; `accept` when any of them was of use. Throws when one must not be sent at all. */
  #onBatches(batches: readonly TransactionBatch[]): string {
    const verdicts = batches.map((batch) => this.#onBatch(batch, false));
    return verdicts.find((verdict) => verdict === 'accept') ?? (verdicts.at(-1) as string);
  }

  /**
   * Tells the others about a batch that was handed in here: at once when it has been quiet, else together with what comes
   * within the next moment. A message costs every peer the same whatever it holds, so no peer may get more of them for
   * there being more members.
   */
  #tell(batch: TransactionBatch): void {
    this.#untold.push(batch);
    if (this.#untold.length > 1) return;
    const pauseMs = TRANSACTIONS_PAUSE_MS * (this.#rules.genesis.members.length - 1);
    const waitMs = this.#toldMs + pauseMs - this.#nowMs;
    // A clock that was set back must not silence this peer.
    if (waitMs <= 0 || waitMs > pauseMs) this.#tellUntold();
    else this.#outbox.timer('tell', waitMs);
  }

  #tellUntold(): void {
    const batches = this.#untold;
    this.#untold = [];
    if (batches.length === 0) return;
    this.#toldMs = this.#nowMs;
    this.#broadcastBatches(batches, false);
  }

  #broadcastBatches(batches: readonly TransactionBatch[], resend: boolean): void {
    let group: TransactionBatch[] = [];
    let bytes = 0;
    const send = (): void => {
      const [only] = group;
      if (group.length === 1 && only !== undefined)
        this.#outbox.broadcast('transactions', { type: 'batch', batch: only }, resend);
      else if (group.length > 1) this.#outbox.broadcast('transactions', { type: 'batches', batches: group }, resend);
      group = [];
      bytes = 0;
    };
    for (const batch of batches) {
      if (group.length === MAX_GROUPED_BATCHES || bytes + batchLength(batch) > MAX_GROUPED_BYTES) send();
      group.push(batch);
      bytes += batchLength(batch);
    }
    send();
  }

  #onContribution(bytes: Uint8Array): string {
    const { application, genesis, chainId } = this.#rules;
    const verdict = application.checkContribution(genesis, chainId, bytes, this.#state.slot);
    if (!verdict.ok) return verdict.code;
    const added = this.#contributions.add(verdict.contribution);
    if (added === 'conflict')
      this.#outbox.notice({
        type: 'conflict',
        member: verdict.contribution.author,
        height: this.#context.height,
        what: verdict.contribution.key,
      });
    if (added !== 'added') return `CONTRIBUTION_${added.toUpperCase()}`;
    const { blob } = verdict.contribution;
    if (blob !== undefined) {
      this.#blobs.add(blob.bytes);
      this.#feed({ type: 'reconsider' });
    }
    this.#considerBlock();
    return 'accept';
  }

  // ---------------------------------------------------------------- connections and timers

  #onConnection(member: MemberRank, up: boolean): void {
    if (!up) this.#live.delete(member);
    else {
      this.#live.add(member);
      this.#sync.tellStatus(this.#keyOf(member), this.#nowMs);
      for (const { bytes, dueInSlot } of this.#own.values())
        if (dueInSlot >= this.#state.slot)
          this.#outbox.send(this.#keyOf(member), 'request', { type: 'contribution', bytes });
    }
    this.#considerBlock();
  }

  #onTimer(id: string): void {
    const [kind, ...rest] = id.split('/');
    if (kind === 'engine') {
      const [name, height, round] = rest;
      this.#feed({ type: 'timer', timer: { name: name as never, height: Number(height), round: Number(round) } });
    } else if (kind === 'fetch') {
      const [height, hash = '', attempt] = rest;
      if (Number(height) === this.#context.height && !this.#blocks.has(hash)) this.#fetch(hash, Number(attempt));
    } else if (kind === 'blobs') {
      this.#blobs.onTimer();
    } else if (kind === 'status') {
      this.#sync.heartbeat(this.#nowMs);
      this.#outbox.timer('status', this.#options.statusMs);
    } else if (kind === 'resend-own') {
      this.#resendOwn();
      this.#outbox.timer('resend-own', this.#options.timeouts.resendMs);
    } else if (kind === 'tell') {
      this.#tellUntold();
    } else if (kind === 'sync') {
      this.#sync.onTimeout(Number(rest[0]));
      this.#considerBlock();
    } else {
      // slot, patience, interval, pause: the clock has moved, so look again.
      this.#considerBlock();
    }
  }

  /** Tells the others again what this member has signed for the open slot, and local transactions that still wait. */
  #resendOwn(): void {
    const { resendMs } = this.#options.timeouts;
    // Less and less often: gossip repairs what was missed, and who connects later is told then.
    if (this.#nowMs - this.#slotSinceMs >= resendMs * 2 ** this.#ownResends) {
      this.#ownResends += 1;
      for (const own of this.#own.values()) if (own.dueInSlot >= this.#state.slot) this.#tellOwn(own, true);
    }
    this.#broadcastBatches(this.#mempool.overdueLocal(this.#nowMs), true);
  }

  #nonceOf(sender: Hex): number {
    const index = accountIndexOf(this.#rules.genesis, sender);
    return index === undefined ? 0 : (this.#state.ledger.accounts[index]?.nonce ?? 0);
  }

  #keyOf(rank: MemberRank): Hex {
    return this.#rules.genesis.members[rank]?.publicKey ?? '';
  }

  #keysOf(ranks: Iterable<MemberRank>): Hex[] {
    return [...ranks]
      .filter((rank) => rank !== this.#self)
      .map((rank) => this.#keyOf(rank))
      .sort();
  }
}
