import type { Contribution } from '../application/types.ts';
import { decodeBlock, blockHash as hashOf } from '../chain/block.ts';
import { verifyCertificate } from '../chain/certificate.ts';
import type { Certificate, MemberRank, Vote } from '../chain/types.ts';
import { verifyProposalSignature, verifyVote } from '../chain/votes.ts';
import { invalidBlockOf } from '../evidence/invalid-block.ts';
import { isBlockOf } from '../verification/index.ts';
import { decodeMessage, type Message } from '../wire/messages.ts';
import type { Accusations } from './accusations.ts';
import type { Agreement } from './agreement.ts';
import type { BatchGossip } from './batch-gossip.ts';
import type { BlobPool } from './blob-pool.ts';
import type { Composer } from './composer.ts';
import type { ContributionPool } from './contribution-pool.ts';
import type { KnownBlocks } from './known-blocks.ts';
import type { Mempool } from './mempool.ts';
import type { Outbox } from './outbox.ts';
import type { PeerOutput } from './ports.ts';
import type { Silence } from './silence.ts';
import type { Standing } from './standing.ts';
import type { Synchroniser } from './synchroniser.ts';
import type { VoteDesk } from './vote-desk.ts';

/** Messages of the next height that are kept until this peer gets there, per sender. */
const MAX_EARLY_PER_SENDER = 8;

interface InboxModules {
  readonly standing: Standing;
  readonly outbox: Outbox;
  readonly agreement: Agreement;
  readonly composer: Composer;
  readonly blocks: KnownBlocks;
  readonly votes: VoteDesk;
  readonly batches: BatchGossip;
  readonly mempool: Mempool;
  readonly contributions: ContributionPool;
  readonly blobs: BlobPool;
  readonly accusations: Accusations;
  readonly sync: Synchroniser;
  readonly silence: Silence;
}

/** What a peer makes of a message: what others do with it, and why when it is not accepted. */
export type Verdict = Pick<PeerOutput, 'verdict' | 'code'>;

/** Reads what others send. Every byte may be hostile: what a message claims is checked here before a part acts on it. */
export class Inbox {
  readonly #modules: InboxModules;
  readonly #early = new Map<string, { readonly from: MemberRank | null; readonly bytes: Uint8Array }[]>();

  constructor(modules: InboxModules) {
    this.#modules = modules;
  }

  /** Handles one message. Never throws on anything that another peer can send. `sender` is `local` for a client's. */
  receive(from: MemberRank | null, sender: string, bytes: Uint8Array): Verdict {
    try {
      const code = this.#dispatch(from, sender, decodeMessage(bytes), bytes);
      return code === 'accept' ? { verdict: 'accept', code: null } : { verdict: 'ignore', code };
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : null;
      if (code === null) throw error;
      const reason = (error as Error).message;
      this.#modules.outbox.notice({ type: 'refused', what: 'message', code, sender, reason });
      return { verdict: 'reject', code };
    }
  }

  /** Reads what came for this height before this peer was in it. */
  enterHeight(): void {
    const early = [...this.#early];
    this.#early.clear();
    for (const [sender, messages] of early) for (const { from, bytes } of messages) this.receive(from, sender, bytes);
  }

  /** `accept`, or the reason why the message is of no use now. Throws an error with a code for what must not be sent at all. */
  #dispatch(from: MemberRank | null, sender: string, message: Message, bytes: Uint8Array): string {
    const { standing, outbox, batches, mempool, contributions, blocks, blobs, accusations, sync, silence } =
      this.#modules;
    switch (message.type) {
      case 'proposal':
        return this.#onProposal(from, sender, message, bytes);
      case 'votes':
        return this.#onVotes(from, sender, message.votes, bytes);
      case 'batch':
        return batches.receive([message.batch], sender === 'local');
      case 'batches':
        return batches.receive(message.batches, false);
      case 'contribution':
        return this.#onContribution(message.bytes);
      case 'status':
        if (from !== null) silence.heard(from, message.height);
        return sync.onStatus(sender, message.height);
      case 'get-blocks':
        return sync.onGetBlocks(sender, message);
      case 'blocks':
        return sync.onBlocks(sender, message.items);
      case 'get-block': {
        const isSent = message.height === standing.height && blocks.answer(sender, message.hash);
        if (!isSent && message.height <= standing.state.height)
          sync.onGetBlocks(sender, { from: message.height, count: 1 });
        return 'accept';
      }
      case 'block':
        return this.#onBlock(message.block);
      case 'get-blobs':
        blobs.answer(sender, message.hashes);
        return 'accept';
      case 'blob':
        return this.#onBlob(message.bytes);
      case 'evidence':
        return accusations.receive(message.item) ? 'accept' : 'EVIDENCE_OF_NO_USE';
      case 'get-contribution': {
        const held = contributions.get(message.key);
        if (held !== undefined) outbox.send(sender, 'sync', { type: 'contribution', bytes: held.bytes });
        return 'accept';
      }
      case 'get-batch': {
        const batch = mempool.get(message.hash);
        if (batch !== undefined) outbox.send(sender, 'sync', { type: 'batch', batch });
        return 'accept';
      }
    }
  }

  #onProposal(
    from: MemberRank | null,
    sender: string,
    message: Message & { type: 'proposal' },
    bytes: Uint8Array,
  ): string {
    const { standing, agreement, blocks, votes, accusations } = this.#modules;
    const { proposal, polVotes } = message;
    if (proposal.height !== standing.height)
      return this.#elsewhere(proposal.height, from, sender, bytes, message.block);
    if (polVotes.length > votes.mostVotes) return 'VOTES_TOO_MANY';
    verifyProposalSignature(standing.rules, proposal);
    const block = decodeBlock(message.block);
    if (block.header.height !== proposal.height || !isBlockOf(block, proposal.blockHash)) return 'PROPOSAL_OTHER_BLOCK';
    for (const vote of polVotes) verifyVote(standing.rules, vote, null);
    const known = blocks.remember(block, proposal.blockHash, message.block);
    const { composer, composingRound } = block.header;
    if (composer === proposal.proposer) known.proposal ??= proposal;
    // The engine drops the proposal of somebody whose turn it is not; here its signature convicts it.
    if (known.proposal !== null && composer !== standing.proposerOf(composingRound))
      accusations.accuse(invalidBlockOf(known.proposal, block));
    blocks.accuseComposer(known);
    agreement.feed({ type: 'proposal', proposal, block, polVotes });
    votes.place();
    return 'accept';
  }

  #onVotes(from: MemberRank | null, sender: string, votes: readonly Vote[], bytes: Uint8Array): string {
    const desk = this.#modules.votes;
    const [first] = votes;
    if (first === undefined) return 'VOTES_EMPTY';
    if (votes.length > desk.mostVotes) return 'VOTES_TOO_MANY';
    if (first.height !== this.#modules.standing.height) return this.#elsewhere(first.height, from, sender, bytes, null);
    return desk.receive(votes);
  }

  #onBlock(bytes: Uint8Array): string {
    const { standing, agreement, blocks, votes } = this.#modules;
    const block = decodeBlock(bytes);
    const hash = hashOf(block.header);
    if (block.header.height !== standing.height || !isBlockOf(block, hash)) return 'BLOCK_NOT_WANTED';
    if (!votes.awaits(hash) && !agreement.lacks(hash)) return 'BLOCK_NOT_WANTED';
    blocks.remember(block, hash, bytes);
    agreement.feed({ type: 'block', block, blockHash: hash });
    votes.place();
    return 'accept';
  }

  #onBlob(bytes: Uint8Array): string {
    const { outbox, agreement, blobs, composer } = this.#modules;
    const hash = blobs.receive(bytes);
    if (hash === null) return 'BLOB_NOT_WANTED';
    outbox.notice({ type: 'blob', hash });
    agreement.feed({ type: 'reconsider' });
    composer.consider();
    return 'accept';
  }

  #onContribution(bytes: Uint8Array): string {
    const { standing, agreement, blobs, composer, contributions } = this.#modules;
    const { application, genesis, chainId } = standing.rules;
    const verdict = application.checkContribution(genesis, chainId, bytes, standing.state.slot);
    if (!verdict.ok) return verdict.code;
    const added = contributions.add(verdict.contribution);
    if (added === 'conflict') this.#onContested(verdict.contribution);
    if (added !== 'added') return `CONTRIBUTION_${added.toUpperCase()}`;
    const { blob } = verdict.contribution;
    if (blob !== undefined) {
      blobs.add(blob.bytes);
      agreement.feed({ type: 'reconsider' });
    }
    composer.consider();
    return 'accept';
  }

  /** Two different contributions under one key: a member answers for that, a meter's key is not the member's. */
  #onContested({ author, key, bytes, signedBy }: Contribution): void {
    const { standing, outbox, accusations, contributions } = this.#modules;
    outbox.notice({ type: 'conflict', member: author, height: standing.height, what: key });
    const held = contributions.get(key)?.bytes;
    if (signedBy !== 'member' || held === undefined) return;
    const { application } = standing.rules;
    const [first, second] = [held, bytes].map((one) => application.statementOf?.(one) ?? one) as [
      Uint8Array,
      Uint8Array,
    ];
    accusations.accuse({ type: 'contributions', first, second });
  }

  /** A message of another height: help who is behind, keep what is just ahead, catch up with what is further. */
  #elsewhere(
    height: number,
    from: MemberRank | null,
    sender: string,
    bytes: Uint8Array,
    block: Uint8Array | null,
  ): string {
    const { standing, sync } = this.#modules;
    if (height < standing.height) {
      if (from !== null && from !== standing.self) sync.tellStatus(sender, standing.nowMs);
      return 'MESSAGE_OF_THE_PAST';
    }
    if (from === null) return 'MESSAGE_OF_THE_FUTURE';
    if (height === standing.height + 1) {
      const kept = this.#early.get(sender) ?? [];
      if (kept.length < MAX_EARLY_PER_SENDER) this.#early.set(sender, [...kept, { from, bytes }]);
      const parent = block === null ? null : decodeBlock(block).parentCertificate;
      if (parent !== null && this.#learn(parent)) return 'accept';
    }
    sync.onAhead(sender, height - 1);
    return 'MESSAGE_OF_THE_FUTURE';
  }

  /** A proposal of the next height carries the certificate of this one: use it if the block is here. */
  #learn(certificate: Certificate): boolean {
    const { standing, agreement, blocks } = this.#modules;
    const known = blocks.get(certificate.blockHash);
    if (known === undefined || certificate.height !== standing.height) return false;
    verifyCertificate(standing.rules, certificate, standing.beaconTermOf(known.block));
    agreement.feed({ type: 'votes', votes: certificate.votes });
    return standing.state.height === certificate.height;
  }
}
