import { signBatch } from '../chain/transactions.ts';
import type { Block } from '../chain/types.ts';
import { decodePayload, encodePayload, type SettlementPayload } from '../poeg/payload.ts';
import { decodePayload as decodeEvPayload, encodePayload as encodeEvPayload } from '../posoc/payload.ts';
import { consistent, ownFreshBlock, type ProposalMessage, proposalFor, recomposed, resealed } from './forgery.ts';
import { intercept, mapSends, messageOf, resent } from './interception.ts';
import type { Misbehaviour, MisbehaviourKit, PeerLike } from './types.ts';

/** What can be wrong with a block. Each returns the altered block; null where the block offers nothing to alter. */
type Alteration = (block: Block, kit: MisbehaviourKit, peer: PeerLike) => Block | null;

const FORGED_ROOT = 'f0'.repeat(32);

const ALTERATIONS: Readonly<Record<string, Alteration>> = {
  'wrong-trade': (block, kit) =>
    withResults(block, kit, ({ trades: [first, ...rest] }) =>
      first === undefined ? null : { trades: [{ ...first, energyWh: first.energyWh + 1n }, ...rest] },
    ),
  'flow-not-optimal': (block, kit) =>
    withResults(block, kit, ({ trades }) => (trades.length === 0 ? null : { trades: trades.slice(1) })),
  'inflated-reward': (block, kit) =>
    withResults(block, kit, ({ rewards }) => ({
      rewards: { ...rewards, rewardMicro: rewards.rewardMicro + 1_000_000n },
    })),
  'wrong-state-root': (block) => resealed(block, { stateRoot: FORGED_ROOT }),
  'left-out-announcement': (block, kit, peer) => {
    if (block.header.kind !== 'settlement' || kit.rules.application.name !== 'poeg') return null;
    const own = `/${kit.rank}`;
    let isOut = false;
    // The first one that is not its own; the block is consistent in everything else.
    const omit = (key: string): boolean => {
      const isVictim = !isOut && key.startsWith('announcement/') && !key.endsWith(own);
      isOut ||= isVictim;
      return isVictim;
    };
    const altered = recomposed(peer, kit, block, omit).block;
    return isOut ? altered : null;
  },
  'overspent-transaction': (block, kit, peer) => withBatch(block, kit, peer, kit.rank),
  'wrong-model': withModel,
  'forged-signature': (block, kit, peer) =>
    withBatch(block, kit, peer, (kit.rank + 1) % kit.rules.genesis.members.length),
};

/** Proposes an invalid block of a kind, properly signed; for `wrong-election`, one in another member's turn. */
export const invalidBlock: Misbehaviour = {
  name: 'invalid-block',
  description: 'proposes blocks that break a rule',
  parameters: {
    kind: {
      kind: 'choice',
      values: [...Object.keys(ALTERATIONS), 'wrong-election'],
      fallback: 'wrong-state-root',
      what: 'the rule that is broken',
    },
  },
  wrap(peer, kit, { kind }) {
    if (kind === 'wrong-election') return usurper(peer, kit);
    const alter = ALTERATIONS[String(kind)];
    // What is sent again is the same proposal: a second, different one would be another offence.
    const altered = new Map<string, ProposalMessage | null>();
    return mapSends(peer, (send, message) => {
      const own = ownFreshBlock(kit, message);
      if (own === null) return [send];
      const { blockHash } = own.proposal;
      if (!altered.has(blockHash)) {
        const block = alter?.(own.block, kit, peer) ?? null;
        altered.set(blockHash, block === null ? null : proposalFor(kit, block));
      }
      const forged = altered.get(blockHash) ?? null;
      return [forged === null ? send : resent(send, forged)];
    });
  },
};

/** Answers another member's fresh proposal with its own of the same content, once a height. */
function usurper(peer: PeerLike, kit: MisbehaviourKit): PeerLike {
  let lastHeight = 0;
  return intercept(peer, {
    outbound: (output, event) => {
      const message = messageOf(event);
      if (message?.type !== 'proposal') return output;
      const { proposal } = message;
      const isFresh = proposal.polRound === -1 && proposal.height > lastHeight && proposal.proposer !== kit.rank;
      if (!isFresh || proposal.height !== peer.view.state.height + 1 || output.verdict !== 'accept') return output;
      const block = ownFreshBlock({ ...kit, rank: proposal.proposer }, message)?.block;
      if (block === undefined) return output;
      lastHeight = proposal.height;
      const forged = proposalFor(kit, resealed(block, { composer: kit.rank }));
      const send = { type: 'broadcast', topic: 'proposals', bytes: new Uint8Array(), resend: false } as const;
      return { ...output, sends: [...output.sends, resent(send, forged)] };
    },
  });
}

function withResults(
  block: Block,
  { rules }: MisbehaviourKit,
  change: (results: SettlementPayload['results']) => Partial<SettlementPayload['results']> | null,
): Block | null {
  if (block.header.kind !== 'settlement' || rules.application.name !== 'poeg') return null;
  const payload = decodePayload(block.payload);
  const changed = change(payload.results);
  if (changed === null) return null;
  const results = { ...payload.results, ...changed };
  return resealed({ ...block, payload: encodePayload({ ...payload, results }) });
}

/** The aggregator's settlement with another model than the one that its listed updates give, and all else fitting. */
function withModel(block: Block, kit: MisbehaviourKit, peer: PeerLike): Block | null {
  if (block.header.kind !== 'settlement' || kit.rules.application.name !== 'posoc') return null;
  const payload = decodeEvPayload(block.payload);
  const { model } = payload.results;
  if (model === null || !model.isAggregated) return null;
  const results = { ...payload.results, model: { ...model, hash: FORGED_ROOT } };
  return consistent(peer, kit, resealed({ ...block, payload: encodeEvPayload({ ...payload, results }) }));
}

/** Adds a transfer of more than anybody has, in the name of `victim` and signed by this member. */
function withBatch(block: Block, kit: MisbehaviourKit, peer: PeerLike, victim: number): Block | null {
  if (block.header.kind === 'settlement') return null;
  const account = peer.view.state.ledger.accounts[victim];
  const to = kit.rules.genesis.members[kit.rank]?.publicKey;
  if (account === undefined || to === undefined) return null;
  const earlier = block.batches
    .filter(({ sender }) => sender === account.publicKey)
    .reduce((sum, { operations }) => sum + operations.length, 0);
  const amount = victim === kit.rank ? account.uposMicro + 2n ** 40n : 1n;
  const content = {
    chainId: kit.rules.chainId,
    firstNonce: account.nonce + earlier,
    operations: [{ type: 'transfer', asset: 'upos', to, amount } as const],
  };
  const batch = { ...signBatch(content, kit.signer), sender: account.publicKey };
  return resealed({ ...block, batches: [...block.batches, batch] });
}
