import type { Contribution } from '../../src/application/types.ts';
import { decodeBlock, blockHash as hashOf, isLastSlotOfTerm } from '../../src/chain/index.ts';
import type { ElectionState } from '../../src/chain/state.ts';
import type { Block, EvidenceItem, Hash, MemberRank } from '../../src/chain/types.ts';
import { fromHex, toHex } from '../../src/codec/index.ts';
import { electionList, seedOf, seedOfSignature } from '../../src/election/index.ts';
import { executeBlock } from '../../src/execution/index.ts';
import { executeSettlement, settlementContext } from '../../src/execution/settlement.ts';
import { draftOf } from '../../src/ledger/draft.ts';
import {
  consistent,
  ownFreshBlock,
  type ProposalMessage,
  proposalFor,
  resealed,
} from '../../src/misbehaviour/forgery.ts';
import type { MisbehaviourKit, PeerLike } from '../../src/misbehaviour/index.ts';
import { intercept, messageOf, resent } from '../../src/misbehaviour/interception.ts';
import type { Outgoing, PeerEvent, PeerOutput } from '../../src/peer/ports.ts';
import { poegParametersOf, signAnnouncement, singletonScoreWh } from '../../src/poeg/index.ts';
import { decodeMessage as decodeContribution, messageKey } from '../../src/poeg/messages.ts';
import { decodeMessage, encodeMessage, type Message } from '../../src/wire/messages.ts';
import type { WorldFault } from './world-options.ts';

/** Announcements, and blocks, among which a grinder chooses. */
const CHOICES = 8;
/** How long it waits for what the others announce. */
const PATIENCE_MS = 400;
const TIMER = 'grind/';

/**
 * A member that wants the next draw for itself or one of its accomplices, and does everything for it that its keys allow:
 * - it announces last, knowing the others' announcements, and chooses the forecast with which one of them would be drawn if
 *   the next seed were the one that everybody knows already;
 * - as the composer of a term's last settlement it chooses among blocks that differ in nothing but an idle accusation, the
 *   one by whose hash one of them would be drawn;
 * - when it has collected enough beacon shares to know the seed before anybody else, and does not like it, it keeps the votes
 *   to itself and proposes nothing more at that height.
 */
export function grinder(rank: MemberRank): WorldFault {
  /** The honest announcement of each slot, which is held back. */
  const honest = new Map<number, Uint8Array>();
  return {
    rank,
    source: (source) => ({
      contributions: (...now) =>
        source.contributions(...now).filter((bytes) => {
          const isAnnouncement = decodeContribution(bytes).type === 'announcement';
          if (isAnnouncement) honest.set(now[0], bytes);
          return !isAnnouncement;
        }),
    }),
    wrap: (peer, kit) => withholding(choosingBlocks(announcingLast(peer, kit, honest), kit), kit),
  };
}

/** Whether the draw that follows from a state's weights and a seed elects a colluder. */
function wins(
  { rules, accomplices }: MisbehaviourKit,
  election: Pick<ElectionState, 'candidates' | 'first'>,
  seed: Hash,
) {
  const { candidates, first } = election;
  const [head] = electionList({ members: rules.genesis.members.length, seed, candidates, first, demoted: [] });
  return head !== undefined && accomplices.includes(head.rank);
}

// ---------------------------------------------------------------- announcements

function announcingLast(peer: PeerLike, kit: MisbehaviourKit, honest: Map<number, Uint8Array>): PeerLike {
  const { genesis, chainId, application } = kit.rules;
  const heard = new Map<string, Contribution>();
  const waitsIn = new Set<number>();
  const chosen = (slot: number, own: Uint8Array): Uint8Array => {
    const { state, certificate } = peer.view;
    const header = { composer: kit.rank, composingRound: 0, chainTimeMs: state.chainTimeMs };
    const context = settlementContext(kit.rules, state, certificate, header);
    const others = [...heard.values()].filter(({ dueInSlot }) => dueInSlot === slot);
    const options = Array.from({ length: CHOICES }, (_, more) => nudged(kit, own, BigInt(more)));
    const best = options.find((bytes) => {
      const verdict = application.checkContribution(genesis, chainId, bytes, null);
      if (!verdict.ok) return false;
      const payload = application.prepare(context, [...others, verdict.contribution]);
      const outcome = executeSettlement(kit.rules, context, payload, draftOf(genesis, state.ledger));
      return wins(kit, outcome, seedOf(kit.rules, state, certificate));
    });
    return best ?? own;
  };
  return intercept(peer, {
    outbound: (output, event) => {
      const message = messageOf(event);
      if (message?.type === 'contribution') {
        const verdict = application.checkContribution(genesis, chainId, message.bytes, null);
        if (verdict.ok) heard.set(verdict.contribution.key, verdict.contribution);
      }
      const { slot, phase } = peer.view.state;
      const own = honest.get(slot);
      if (own === undefined || phase !== 'open') return output;
      const isLate = event.type === 'timer' && event.id === `${TIMER}${slot}`;
      const missing = [...genesis.members.keys()].filter(
        (other) =>
          !kit.accomplices.includes(other) &&
          !heard.has(messageKey({ type: 'announcement', slot: slot + 1, rank: other })),
      );
      if (missing.length > 0 && !isLate) {
        if (waitsIn.has(slot)) return output;
        waitsIn.add(slot);
        return { ...output, timers: [...output.timers, { id: `${TIMER}${slot}`, delayMs: PATIENCE_MS }] };
      }
      honest.delete(slot);
      const { nowMs } = event;
      return merged(output, peer.handle({ type: 'contribute', bytes: chosen(slot, own), nowMs }));
    },
  });
}

/** This member's announcement with a little more production. */
function nudged({ rules, signer }: MisbehaviourKit, bytes: Uint8Array, moreWh: bigint): Uint8Array {
  const message = decodeContribution(bytes);
  if (message.type !== 'announcement') return bytes;
  const { chainId, slot, rank, consumptionWh } = message;
  const balance = { rank, productionWh: message.productionWh + moreWh, consumptionWh };
  const scoreWh = singletonScoreWh(poegParametersOf(rules.genesis), balance);
  return signAnnouncement({ chainId, slot, ...balance, scoreWh }, signer.sign);
}

/** Two outputs as one, the second after the first. */
function merged(first: PeerOutput, second: PeerOutput): PeerOutput {
  const before = first.writes.length;
  const shifted = (sends: readonly Outgoing[], by: number, writes: number): Outgoing[] =>
    sends.map((send) => ({ ...send, afterWrites: by + (send.afterWrites ?? writes) }));
  return {
    ...first,
    writes: [...first.writes, ...second.writes],
    sends: [...shifted(first.sends, 0, before), ...shifted(second.sends, before, second.writes.length)],
    timers: [...first.timers, ...second.timers],
    notices: [...first.notices, ...second.notices],
  };
}

// ---------------------------------------------------------------- blocks

function choosingBlocks(peer: PeerLike, kit: MisbehaviourKit): PeerLike {
  /** What is proposed in place of a block that the peer has composed. */
  const instead = new Map<Hash, ProposalMessage>();
  const replace = (send: Outgoing, message: Message): readonly Outgoing[] => {
    const own = ownFreshBlock(kit, message);
    if (own !== null && fixesWeights(kit, own.block)) {
      const { blockHash } = own.proposal;
      const choice = instead.get(blockHash) ?? proposalFor(kit, bestOf(peer, kit, own.block));
      instead.set(blockHash, choice);
      return [resent(send, choice)];
    }
    if (message.type !== 'votes') return [send];
    // It has voted for the block that nobody is shown. The others' votes are enough.
    const votes = message.votes.filter(
      ({ voter, blockHash }) => voter !== kit.rank || blockHash === null || !instead.has(blockHash),
    );
    if (votes.length === message.votes.length) return [send];
    return votes.length === 0 ? [] : [resent(send, { type: 'votes', votes })];
  };
  return intercept(peer, {
    inbound: (event) => {
      const message = messageOf(event);
      if (message?.type !== 'proposal' || message.proposal.proposer !== kit.rank || event.type !== 'message')
        return event;
      // The honest peer inside would accuse itself of two proposals. The block alone it must have.
      return { ...event, bytes: encodeMessage({ type: 'block', block: message.block }) };
    },
    outbound: (output) => {
      // Votes for a block may stand before its proposal.
      for (const send of output.sends)
        if (decodeMessage(send.bytes).type === 'proposal') replace(send, decodeMessage(send.bytes));
      return { ...output, sends: output.sends.flatMap((send) => replace(send, decodeMessage(send.bytes))) };
    },
  });
}

function fixesWeights({ rules }: MisbehaviourKit, { header }: Block): boolean {
  return header.kind === 'settlement' && isLastSlotOfTerm(rules.genesis, header.slot);
}

/** Of several valid blocks the one by whose hash a colluder would be drawn. */
function bestOf(peer: PeerLike, kit: MisbehaviourKit, block: Block): Block {
  const { election } = executeBlock(kit.rules, peer.view.state, block, hashOf(block.header), peer.history);
  const votes = [{ voter: kit.rank, timestampMs: 0, signature: '00'.repeat(64) }];
  for (let height = 0; height < CHOICES; height += 1) {
    const idle: EvidenceItem = { type: 'timeout', height, round: 0, votes };
    const option = consistent(peer, kit, resealed({ ...block, evidence: [...block.evidence.slice(0, 15), idle] }));
    if (wins(kit, election, hashOf(option.header))) return option;
  }
  return block;
}

// ---------------------------------------------------------------- votes

function withholding(peer: PeerLike, kit: MisbehaviourKit): PeerLike {
  const { threshold, genesis } = kit.rules;
  const blocks = new Map<Hash, Block>();
  const shares = new Map<Hash, Map<MemberRank, Uint8Array>>();
  let spoiledHeight = 0;
  const look = (message: Message | null): void => {
    if (message?.type === 'proposal') blocks.set(message.proposal.blockHash, decodeBlock(message.block));
    if (message?.type !== 'votes') return;
    for (const { voter, blockHash, extension } of message.votes) {
      const share = extension?.beaconShare;
      if (blockHash === null || !share) continue;
      const known = shares.get(blockHash) ?? new Map<MemberRank, Uint8Array>();
      shares.set(blockHash, known.set(voter, fromHex(share)));
      const block = blocks.get(blockHash);
      if (known.size !== genesis.quorum || block?.header.height !== peer.view.state.height + 1) continue;
      const signature = toHex(threshold.combine([...known].map(([rank, bytes]) => ({ rank, share: bytes }))));
      const { election } = executeBlock(kit.rules, peer.view.state, block, blockHash, peer.history);
      if (!wins(kit, election, seedOfSignature(signature))) spoiledHeight = block.header.height;
    }
  };
  return intercept(peer, {
    inbound: (event: PeerEvent) => {
      look(messageOf(event));
      return event;
    },
    outbound: (output) => {
      const sends = output.sends.filter(({ bytes }) => {
        const message = decodeMessage(bytes);
        look(message);
        if (message.type === 'votes') return message.votes[0]?.height !== spoiledHeight;
        return message.type !== 'proposal' || message.proposal.height !== spoiledHeight;
      });
      return { ...output, sends };
    },
  });
}
