import { type ApplicationRejectionCode, BlockRejection } from '../application/rejection.ts';
import type { Application, Contribution, SettlementContext } from '../application/types.ts';
import type { MemberRank } from '../chain/types.ts';
import { CodecError, encode } from '../codec/index.ts';
import type { SignatureScheme } from '../crypto/ports.ts';
import type { LedgerDraft } from '../ledger/types.ts';
import { admitMessage, isAnnounced, openMessage } from './contributions.ts';
import { describeSettlement } from './description.ts';
import { type Announcement, decodeMessage, dueInSlot, messageKey, type PoegMessage, type Reading } from './messages.ts';
import { poegParametersOf } from './parameters.ts';
import { decodePayload, encodePayload, resultCodecs, type SettlementPayload } from './payload.ts';
import { type Settled, type SettlementInputs, type SettlementResults, settleSlot } from './settlement.ts';
import { decodePoegState, encodePoegState, type PoegState, poegGenesisState } from './state.ts';

/** EPOS that one Wh of proof score earns, 10^-6 tokens. */
const EPOS_MICRO_PER_WH = 1000n;

const WRONG_RESULT: { readonly [Part in keyof SettlementResults]: ApplicationRejectionCode } = {
  rewards: 'POEG_WRONG_REWARDS',
  deviations: 'POEG_WRONG_DEVIATIONS',
  partition: 'POEG_WRONG_PARTITION',
  trades: 'POEG_WRONG_TRADES',
  scores: 'POEG_WRONG_SCORES',
};

/** Proof of Energy Generation as an application of the chain (protocol section 8). `signatures` checks its messages. */
export function createPoegApplication(signatures: SignatureScheme): Application<PoegState> {
  return {
    name: 'poeg',

    genesisState(genesis) {
      poegParametersOf(genesis);
      return poegGenesisState(genesis);
    },
    encodeState: encodePoegState,
    decodeState: decodePoegState,

    checkContribution(genesis, chainId, bytes, currentSlot) {
      const verdict = openMessage(signatures, genesis, chainId, bytes);
      if (!verdict.ok) return verdict;
      const { message } = verdict;
      const due = dueInSlot(message);
      // One slot ahead: the author may have seen a settlement that has not reached this peer yet.
      if (currentSlot !== null && (due < currentSlot || due > currentSlot + 1)) {
        const reason = `a message for the settlement of slot ${due} is of no use in slot ${currentSlot}`;
        return { ok: false, code: 'POEG_WRONG_SLOT', reason };
      }
      return { ok: true, contribution: contributionOf(message, bytes) };
    },

    admits(_genesis, state, slot, { bytes, dueInSlot: due }) {
      return due === slot && isAnnounced(state, decodeMessage(bytes));
    },

    included(payload) {
      const { announcements, readings } = openPayload(payload);
      return new Set([...announcements, ...readings].map((bytes) => messageKey(openIncluded(bytes))));
    },

    owed(_genesis, slot, rank) {
      const announcement = messageKey({ type: 'announcement', slot: slot + 1, rank });
      return slot < 2 ? [announcement] : [announcement, messageKey({ type: 'reading', slot: slot - 1, rank })];
    },

    prepare(context, contributions) {
      const usable = usableMessages(signatures, context, contributions);
      const { results } = settleSlot(context, inputsOf(usable.map(({ message }) => message)));
      const bytesOf = (type: PoegMessage['type']) =>
        usable.filter(({ message }) => message.type === type).map(({ bytes }) => bytes);
      return encodePayload({ announcements: bytesOf('announcement'), readings: bytesOf('reading'), results });
    },

    execute(context, payload, ledger) {
      const claimed = openPayload(payload);
      const settled = settleSlot(context, inputsOf(checkedMessages(signatures, context, claimed)));
      for (const part of Object.keys(resultCodecs) as (keyof SettlementResults)[]) {
        if (samePart(part, claimed.results, settled.results)) continue;
        throw reject(WRONG_RESULT[part], `the block's ${part} are not those that its announcements and readings give`);
      }
      bookSettlement(ledger, settled, context.jailed);
      const { state, candidates, first } = settled;
      return { state, candidates, first };
    },

    describe(context, payload) {
      const claimed = openPayload(payload);
      const inputs = inputsOf(checkedMessages(signatures, context, claimed));
      return describeSettlement(context, inputs, settleSlot(context, inputs));
    },
  };
}

function contributionOf(message: PoegMessage, bytes: Uint8Array): Contribution {
  return {
    key: messageKey(message),
    kind: message.type,
    author: message.rank,
    signedBy: message.type === 'announcement' ? 'member' : 'meter',
    dueInSlot: dueInSlot(message),
    bytes,
  };
}

interface OpenedMessage {
  readonly message: PoegMessage;
  readonly bytes: Uint8Array;
}

/**
 * What the composer may put into the block, in canonical order. Of several messages under one key the one with the
 * smallest bytes counts, so that the order in which they came in decides nothing.
 */
function usableMessages(
  signatures: SignatureScheme,
  context: SettlementContext<PoegState>,
  contributions: readonly Contribution[],
): readonly OpenedMessage[] {
  const byKey = new Map<string, OpenedMessage>();
  for (const { bytes } of contributions) {
    const opened = openMessage(signatures, context.genesis, context.chainId, bytes);
    if (!opened.ok || !admitMessage(context, opened.message).ok) continue;
    const key = messageKey(opened.message);
    if (context.barred.has(key)) continue;
    const held = byKey.get(key);
    if (held === undefined || compareBytes(bytes, held.bytes) < 0) byKey.set(key, { message: opened.message, bytes });
  }
  return [...byKey.values()].sort((a, b) => a.message.rank - b.message.rank);
}

/** The payload's messages, each checked. @throws BlockRejection of the first that may not stand there. */
function checkedMessages(
  signatures: SignatureScheme,
  context: SettlementContext<PoegState>,
  { announcements, readings }: SettlementPayload,
): readonly PoegMessage[] {
  const check = (type: PoegMessage['type'], items: readonly Uint8Array[]) => {
    let lastRank = -1;
    return items.map((bytes, k) => {
      const opened = openMessage(signatures, context.genesis, context.chainId, bytes);
      const verdict = opened.ok ? admitMessage(context, opened.message) : opened;
      if (!verdict.ok) throw reject(verdict.code, `${type} ${k}: ${verdict.reason}`);
      const { message } = verdict;
      if (message.type !== type || message.rank <= lastRank) {
        throw reject('POEG_NOT_CANONICAL', `${type} ${k} is out of its place: one of each member, in ascending rank`);
      }
      if (context.barred.has(messageKey(message))) {
        throw reject(
          'POEG_BARRED_MESSAGE',
          `${type} ${k}: member ${message.rank} is proven to have signed another one`,
        );
      }
      lastRank = message.rank;
      return message;
    });
  };
  return [...check('announcement', announcements), ...check('reading', readings)];
}

function inputsOf(messages: readonly PoegMessage[]): SettlementInputs {
  return {
    announced: messages
      .filter((message): message is Announcement => message.type === 'announcement')
      .map(({ rank, productionWh, consumptionWh }) => ({ rank, productionWh, consumptionWh })),
    metered: messages
      .filter((message): message is Reading => message.type === 'reading')
      .map(({ rank, producedWh, consumedWh }) => ({ rank, producedWh, consumedWh })),
  };
}

function openIncluded(bytes: Uint8Array): PoegMessage {
  try {
    return decodeMessage(bytes);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw reject('POEG_MALFORMED_MESSAGE', error.message);
  }
}

function openPayload(payload: Uint8Array): SettlementPayload {
  try {
    return decodePayload(payload);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw reject('POEG_MALFORMED_PAYLOAD', error.message);
  }
}

function samePart<Part extends keyof SettlementResults>(
  part: Part,
  claimed: SettlementResults,
  computed: SettlementResults,
): boolean {
  return compareBytes(encode(resultCodecs[part], claimed[part]), encode(resultCodecs[part], computed[part])) === 0;
}

/** Bills to the clearing balances, EPOS for proof scores (none for the jailed), credits for surplus; sold surplus goes on to its buyer. */
function bookSettlement(ledger: LedgerDraft, { results, formed }: Settled, jailed: ReadonlySet<MemberRank>): void {
  const { bills, edcMicro } = results.rewards;
  ledger.post([
    ...bills.map(({ rank, billMicro }) => ({ account: rank, payMicro: billMicro })),
    { account: ledger.edc, payMicro: edcMicro },
  ]);
  for (const { rank, memberMicro } of results.deviations) {
    ledger.post([
      { account: rank, payMicro: memberMicro },
      { account: ledger.edc, payMicro: -memberMicro },
    ]);
  }
  for (const { rank, proofScoreWh } of results.scores) {
    if (!jailed.has(rank)) ledger.mint('proof-score', 'epos', rank, proofScoreWh * EPOS_MICRO_PER_WH);
  }
  formed.input.balanceWh.forEach((balanceWh, place) => {
    if (balanceWh > 0n) ledger.mint('surplus', 'credit', formed.ranks[place]!, balanceWh);
  });
  for (const { seller, buyer, energyWh } of results.trades) ledger.move('credit', seller, buyer, energyWh);
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let k = 0; k < shared; k += 1) {
    const difference = a[k]! - b[k]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function reject(code: ApplicationRejectionCode, message: string): BlockRejection {
  return new BlockRejection('settlement', code, message);
}
