import { encodeBlock, blockHash as hashOf } from '../chain/block.ts';
import type { ChainRules, ChainState } from '../chain/state.ts';
import type { Block, Hash, MemberRank, Proposal } from '../chain/types.ts';
import { invalidBlockOf } from '../evidence/invalid-block.ts';
import { type BlockVerdict, verifyBlock } from '../verification/index.ts';
import type { Accusations } from './accusations.ts';
import type { BlobPool } from './blob-pool.ts';
import type { Outbox } from './outbox.ts';
import type { Standing } from './standing.ts';

/** Blocks of one height that a peer keeps at most; the oldest makes room. */
const MAX_BLOCKS_PER_HEIGHT = 32;

export interface KnownBlock {
  readonly block: Block;
  readonly bytes: Uint8Array;
  /** When this peer first saw it, by its own clock. */
  readonly sinceMs: number;
  /** A proposal of the block that its own composer has signed. */
  proposal: Proposal | null;
  /** The state after the block, or why it is invalid; null until it was judged. */
  verdict: { readonly ok: true; readonly state: ChainState } | { readonly ok: false; readonly code: string } | null;
}

interface KnownBlocksModules {
  readonly standing: Standing;
  readonly outbox: Outbox;
  readonly blobs: BlobPool;
  /** The rules with bytes to judge by; those of the standing have none, and take certified blocks at their word. */
  readonly judging: ChainRules;
  readonly accusations: Accusations;
  /** How long one member may take to send a block before the next is asked. */
  readonly patienceMs: number;
  /** Whether this peer would end the slot now. */
  mayClose(): boolean;
  /** Whether the engine still needs a block. */
  isNeeded(hash: Hash): boolean;
}

/** The blocks of the height that is being decided: kept, judged once each, and fetched when others vote for unseen ones. */
export class KnownBlocks {
  readonly #modules: KnownBlocksModules;
  readonly #blocks = new Map<Hash, KnownBlock>();

  constructor(modules: KnownBlocksModules) {
    this.#modules = modules;
  }

  /** Forgets them all, at a new height. */
  clear(): void {
    this.#blocks.clear();
  }

  has(hash: Hash): boolean {
    return this.#blocks.has(hash);
  }

  get(hash: Hash): KnownBlock | undefined {
    return this.#blocks.get(hash);
  }

  /** Canonical bytes, without encoding the block again if it is known. */
  bytesOf(block: Block): Uint8Array {
    return this.#blocks.get(hashOf(block.header))?.bytes ?? encodeBlock(block);
  }

  /** `received`: the canonical bytes that the block was decoded from. */
  remember(block: Block, hash: Hash = hashOf(block.header), received?: Uint8Array): KnownBlock {
    const held = this.#blocks.get(hash);
    if (held !== undefined) return held;
    const bytes = received ?? encodeBlock(block);
    if (this.#blocks.size >= MAX_BLOCKS_PER_HEIGHT) {
      const oldest = [...this.#blocks.keys()].find((one) => !this.#modules.isNeeded(one));
      if (oldest !== undefined) this.#blocks.delete(oldest);
    }
    const known: KnownBlock = { block, bytes, sinceMs: this.#modules.standing.nowMs, proposal: null, verdict: null };
    this.#blocks.set(hash, known);
    return known;
  }

  /** The engine's question; see `HeightContext.judge`. Missing bytes are asked for. */
  judge(block: Block, hash: Hash): 'valid' | 'invalid' | 'defer' {
    const { standing, judging, mayClose } = this.#modules;
    const known = this.remember(block, hash);
    if (known.verdict === null) {
      const needed = this.neededBlobs(block);
      if (needed.length > 0 && !this.fetchBlobs(needed, block.header.composer)) return 'defer';
      this.#take(known, verifyBlock(judging, standing.state, block, hash, known.bytes.length, standing.history));
      this.accuseComposer(known);
    }
    if (!known.verdict?.ok) return 'invalid';
    const closesTheSlot = block.header.kind === 'closing' && standing.state.phase === 'open';
    return closesTheSlot && !mayClose() ? 'defer' : 'valid';
  }

  /**
   * A block that a certificate has decided, judged by everything that the block itself shows. Bytes that it only names are
   * not asked for: a quorum had them, and they need not exist any more. Where all of them are here they are used, since
   * what is made of them, such as a model, may be needed and be nowhere else.
   */
  certified(block: Block, hash: Hash, received?: Uint8Array): KnownBlock {
    const { standing, blobs, judging } = this.#modules;
    const { state, history } = standing;
    const known = this.remember(block, hash, received);
    if (known.verdict !== null) return known;
    const rules = blobs.missing(this.neededBlobs(block)).length === 0 ? judging : standing.rules;
    this.#take(known, verifyBlock(rules, state, block, hash, known.bytes.length, history));
    return known;
  }

  /** Bytes without which the block (null: the one that this peer composes) cannot be judged. */
  neededBlobs(block: Block | null): readonly Hash[] {
    const { rules, state } = this.#modules.standing;
    if (state.phase !== 'closed' || (block !== null && block.header.kind !== 'settlement')) return [];
    return rules.application.neededBlobs?.(rules.genesis, state.slot, state.app, block?.payload ?? null) ?? [];
  }

  /** True when all of these bytes are here; asks for the others, and `first` before anybody else. */
  fetchBlobs(hashes: readonly Hash[], first: MemberRank | null): boolean {
    const { standing, blobs } = this.#modules;
    const missing = blobs.missing(hashes);
    const isLive = first !== null && first !== standing.self && standing.live.has(first);
    if (missing.length > 0) blobs.want(missing, isLive ? standing.keyOf(first) : null);
    return missing.length === 0;
  }

  /** Asks the members one after the other for a block that a quorum has voted for. */
  fetch(hash: Hash, attempt = 0): void {
    const { standing, outbox, patienceMs } = this.#modules;
    const members = standing.liveMembers();
    const member = members[attempt % Math.max(1, members.length)];
    if (member !== undefined) outbox.send(member, 'request', { type: 'get-block', height: standing.height, hash });
    outbox.timer(`fetch/${standing.height}/${hash}/${attempt + 1}`, patienceMs);
  }

  /** Time to ask the next member, unless the block has come or nobody needs it any more. */
  onTimer(height: number, hash: Hash, attempt: number): void {
    if (height === this.#modules.standing.height && !this.#blocks.has(hash)) this.fetch(hash, attempt);
  }

  /** Sends a block of this height to who asks for it; false when it is not known. */
  answer(sender: string, hash: Hash): boolean {
    const known = this.#blocks.get(hash);
    if (known === undefined) return false;
    const { proposal, bytes: block } = known;
    // With its composer's signature: who was shown another block of the round can then prove it.
    if (proposal?.polRound === -1)
      this.#modules.outbox.send(sender, 'sync', { type: 'proposal', proposal, block, polVotes: [] });
    else this.#modules.outbox.send(sender, 'sync', { type: 'block', block });
    return true;
  }

  /** An invalid block is held against its composer, if this peer has the composer's signature on it. */
  accuseComposer({ block, proposal, verdict }: KnownBlock): void {
    const { accusations, blobs } = this.#modules;
    if (verdict?.ok !== false || proposal === null || accusations.accuse(invalidBlockOf(proposal, block))) return;
    // The block alone did not convict it: perhaps the bytes that it names do, such as those of model updates.
    const needed = [...new Set(this.neededBlobs(block))];
    const bytes = needed.flatMap((hash) => blobs.get(hash) ?? []);
    if (needed.length > 0 && bytes.length === needed.length) accusations.accuse(invalidBlockOf(proposal, block, bytes));
  }

  #take(known: KnownBlock, verdict: BlockVerdict): void {
    known.verdict = verdict.ok ? verdict : { ok: false, code: verdict.rejection.code };
    if (verdict.ok) return;
    const { code, message } = verdict.rejection;
    const sender = `member ${known.block.header.composer}`;
    this.#modules.outbox.notice({ type: 'refused', what: 'block', code, sender, reason: message });
  }
}
