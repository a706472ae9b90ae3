import { type ApplicationRejectionCode, BlockRejection } from '../application/rejection.ts';
import type { Application, Contribution, SettlementContext } from '../application/types.ts';
import type { Hash, MemberRank } from '../chain/types.ts';
import { CodecError, encode } from '../codec/index.ts';
import type { SignatureScheme } from '../crypto/ports.ts';
import { sha256 } from '../crypto/sha256.ts';
import type { LedgerDraft } from '../ledger/types.ts';
import { aggregate, type ModelResult } from './aggregation.ts';
import { admitMessage, checkHead, openMessage, openStatement } from './contributions.ts';
import { describeSettlement } from './description.ts';
import type { AnnouncedAction } from './hour-market.ts';
import { decodeMessage, messageKey, type PosocMessage, statementOf, type UpdateHead } from './messages.ts';
import { POSOC_ACCOUNTS, posocParametersOf } from './parameters.ts';
import { decodePayload, encodePayload, type PayloadResults, resultCodecs, type SettlementPayload } from './payload.ts';
import { placeOfSlot, slotEndOffsetMs } from './schedule.ts';
import { type SettlementInputs, type SettlementResults, settleSlot } from './settlement.ts';
import { decodePosocState, encodePosocState, type PosocState, posocGenesisState } from './state.ts';

const WRONG_RESULT: { readonly [Part in keyof PayloadResults]: ApplicationRejectionCode } = {
  hour: 'POSOC_WRONG_TRADES',
  day: 'POSOC_WRONG_REWARDS',
  releases: 'POSOC_WRONG_RELEASES',
  model: 'POSOC_WRONG_MODEL',
};

type Context = SettlementContext<PosocState>;

/** Proof of State of Charge as an application of the chain (protocol section 8). `signatures` checks its messages. */
export function createPosocApplication(signatures: SignatureScheme): Application<PosocState> {
  return {
    name: 'posoc',
    genesisState: posocGenesisState,
    encodeState: encodePosocState,
    decodeState: decodePosocState,
    slotEndOffsetMs,

    checkContribution(genesis, chainId, bytes, currentSlot) {
      const verdict = openMessage(signatures, genesis, chainId, bytes);
      if (!verdict.ok) return verdict;
      const { message } = verdict;
      // One slot ahead: the author may have seen a settlement that has not reached this peer yet.
      if (currentSlot !== null && (message.slot < currentSlot || message.slot > currentSlot + 1)) {
        const reason = `a message for the settlement of slot ${message.slot} is of no use in slot ${currentSlot}`;
        return { ok: false, code: 'POSOC_WRONG_SLOT', reason };
      }
      return { ok: true, contribution: contributionOf(message, bytes) };
    },

    statementOf,

    checkStatement(genesis, chainId, bytes) {
      const verdict = openStatement(signatures, genesis, chainId, bytes);
      if (!verdict.ok) return verdict;
      const { slot, rank } = verdict.message;
      return {
        ok: true,
        statement: { key: messageKey(verdict.message), author: rank, signedBy: 'member', dueInSlot: slot },
      };
    },

    admits(genesis, state, slot, { bytes }) {
      const message = decodeMessage(bytes);
      return isRecorded(message) && admitMessage({ genesis, slot, state }, message.type, message) === null;
    },

    included(payload) {
      const { actions, payments, updates } = openPayload(payload);
      return new Set([
        ...[...actions, ...payments].map((bytes) => messageKey(openIncluded(bytes))),
        ...updates.map(({ slot, rank }) => messageKey({ type: 'update', slot, rank })),
      ]);
    },

    owed(genesis, slot, rank) {
      const { hour, round, isLastOfDay } = placeOfSlot(genesis, slot);
      const key = (type: PosocMessage['type']) => messageKey({ type, slot, rank });
      return [
        ...(hour === null ? [] : [key('action')]),
        ...(round === null ? [] : [key('update')]),
        ...(isLastOfDay ? [key('payment')] : []),
      ];
    },

    neededBlobs(genesis, slot, state, payload) {
      if (placeOfSlot(genesis, slot).round === null) return [];
      const updates = payload === null ? [] : (tryOpenPayload(payload)?.updates ?? []);
      return [...modelBlob(genesis, state), ...updates.map(({ tensorHash }) => tensorHash)];
    },

    wantedBlobs: modelBlob,

    keptBlobs(payload) {
      const claimed = tryOpenPayload(payload);
      if (claimed === null) return [];
      const { model } = claimed.results;
      return [...claimed.updates.map(({ tensorHash }) => tensorHash), ...(model === null ? [] : [model.hash])];
    },

    prepare(context, contributions) {
      const usable = usableMessages(signatures, context, contributions);
      const statements = (type: PosocMessage['type']) => usable.filter(({ message }) => message.type === type);
      const updates = usable.flatMap(({ message }) => {
        if (message.type !== 'update') return [];
        const { type: _, tensor: __, ...head } = message;
        context.blobs?.add(message.tensor);
        return [head];
      });
      const model = roundOf(context, updates, null);
      const { results } = settleSlot(context, inputsOf(usable.map(({ message }) => message)), model);
      return encodePayload({
        actions: statements('action').map(({ bytes }) => bytes),
        payments: statements('payment').map(({ bytes }) => bytes),
        updates,
        results: { ...results, model },
      });
    },

    execute(context, payload, ledger) {
      const claimed = openPayload(payload);
      const inputs = checkedInputs(signatures, context, claimed);
      const model = roundOf(context, claimed.updates, claimed.results.model);
      const { results, state, candidates } = settleSlot(context, inputs, model);
      const computed: PayloadResults = { ...results, model };
      for (const part of Object.keys(resultCodecs) as (keyof PayloadResults)[]) {
        if (samePart(part, claimed.results, computed)) continue;
        throw reject(WRONG_RESULT[part], `the block's ${part} is not what its messages give`);
      }
      bookSettlement(ledger, results, context.jailed);
      return { state, candidates, first: null };
    },

    describe(context, payload) {
      const claimed = openPayload(payload);
      return describeSettlement(context, claimed, checkedInputs(signatures, context, claimed));
    },
  };
}

/**
 * What a slot does to the model: nothing in an hour before the last. Without blobs a certificate has decided the block,
 * and then its word is taken, as far as it can be checked without the bytes.
 */
function roundOf(context: Context, updates: readonly UpdateHead[], claimed: ModelResult | null): ModelResult | null {
  const { genesis, slot, state, blobs } = context;
  if (placeOfSlot(genesis, slot).round === null) return null;
  const parameters = posocParametersOf(genesis);
  const round = state.rounds + 1;
  if (blobs !== null) return aggregate(parameters, withGenesisModel(context), state.modelHash, round, updates);
  const { rule } = parameters.learning;
  const isAggregated = claimed?.isAggregated === true;
  return { round, rule, isAggregated, hash: isAggregated ? claimed.hash : state.modelHash };
}

/** The current model, unless genesis holds it. */
function modelBlob(genesis: Context['genesis'], state: PosocState): readonly Hash[] {
  return isGenesisModel(genesis, state) ? [] : [state.modelHash];
}

function isGenesisModel(genesis: Context['genesis'], { modelHash }: PosocState): boolean {
  return modelHash === sha256(posocParametersOf(genesis).learning.initialModel);
}

/** The first model stands in genesis: everybody has it. */
function withGenesisModel({ genesis, state, blobs }: Context): NonNullable<Context['blobs']> {
  const source = blobs as NonNullable<Context['blobs']>;
  if (!isGenesisModel(genesis, state)) return source;
  const { initialModel } = posocParametersOf(genesis).learning;
  return {
    get: (hash) => (hash === state.modelHash ? initialModel : source.get(hash)),
    add: (bytes) => source.add(bytes),
  };
}

function contributionOf(message: PosocMessage, bytes: Uint8Array): Contribution {
  const common = {
    key: messageKey(message),
    kind: message.type,
    author: message.rank,
    signedBy: 'member',
    dueInSlot: message.slot,
    bytes,
  } as const;
  return message.type === 'update'
    ? { ...common, topic: 'updates', blob: { hash: message.tensorHash, bytes: message.tensor } }
    : common;
}

interface OpenedMessage {
  readonly message: PosocMessage;
  readonly bytes: Uint8Array;
}

/** Whether a message says something that a settlement records: being away and not paying are what silence means as well. */
function isRecorded(message: PosocMessage): boolean {
  if (message.type === 'action') return message.ev !== null;
  return message.type === 'update' || message.pays;
}

/**
 * What the composer may put into the block, in canonical order. Of several messages under one key the one with the
 * smallest bytes counts, so that the order in which they came in decides nothing.
 */
function usableMessages(
  signatures: SignatureScheme,
  context: Context,
  contributions: readonly Contribution[],
): readonly OpenedMessage[] {
  const byKey = new Map<string, OpenedMessage>();
  for (const { bytes } of contributions) {
    const opened = openMessage(signatures, context.genesis, context.chainId, bytes);
    if (!opened.ok || !isRecorded(opened.message)) continue;
    const { message } = opened;
    if (admitMessage(context, message.type, message) !== null) continue;
    const key = messageKey(message);
    if (context.barred.has(key)) continue;
    const held = byKey.get(key);
    if (held === undefined || compareBytes(bytes, held.bytes) < 0) byKey.set(key, { message, bytes });
  }
  return [...byKey.values()].sort((a, b) => a.message.rank - b.message.rank);
}

function inputsOf(messages: readonly PosocMessage[]): SettlementInputs {
  return {
    actions: messages.flatMap((message): AnnouncedAction[] =>
      message.type === 'action' && message.ev !== null ? [{ rank: message.rank, ...message.ev }] : [],
    ),
    paid: new Set(messages.flatMap((message) => (message.type === 'payment' && message.pays ? [message.rank] : []))),
  };
}

/** The payload's messages, each checked. @throws BlockRejection of the first that may not stand there. */
function checkedInputs(
  signatures: SignatureScheme,
  context: Context,
  { actions, payments, updates }: SettlementPayload,
): SettlementInputs {
  const { genesis, chainId } = context;
  const inOrder = (type: PosocMessage['type'], ranks: readonly number[]): void => {
    const misplaced = ranks.findIndex((rank, k) => k > 0 && rank <= (ranks[k - 1] as number));
    if (misplaced < 0) return;
    throw reject('POSOC_NOT_CANONICAL', `${type} ${misplaced} is out of its place: one of each EV, in ascending rank`);
  };
  const check = (type: 'action' | 'payment', items: readonly Uint8Array[]): PosocMessage[] => {
    const messages = items.map((bytes, k) => {
      const opened = openMessage(signatures, genesis, chainId, bytes);
      if (!opened.ok) throw reject(opened.code, `${type} ${k}: ${opened.reason}`);
      const { message } = opened;
      if (message.type !== type || !isRecorded(message))
        throw reject('POSOC_NOT_CANONICAL', `${type} ${k} is another message, or one that is not recorded`);
      const refusal = admitMessage(context, type, message);
      if (refusal !== null) throw reject(refusal.code, `${type} ${k}: ${refusal.reason}`);
      refuseBarred(context, message);
      return message;
    });
    inOrder(
      type,
      messages.map(({ rank }) => rank),
    );
    return messages;
  };
  const statements = [...check('action', actions), ...check('payment', payments)];
  updates.forEach((head, k) => {
    const refusal = checkHead(signatures, genesis, chainId, head) ?? admitMessage(context, 'update', head);
    if (refusal !== null) throw reject(refusal.code, `update ${k}: ${refusal.reason}`);
    refuseBarred(context, { ...head, type: 'update' });
  });
  inOrder(
    'update',
    updates.map(({ rank }) => rank),
  );
  return inputsOf(statements);
}

function refuseBarred({ barred }: Context, message: Pick<PosocMessage, 'type' | 'slot' | 'rank'>): void {
  const key = messageKey(message);
  if (barred.has(key))
    throw reject('POSOC_BARRED_MESSAGE', `the author of ${key} is proven to have signed another one`);
}

function openIncluded(bytes: Uint8Array): PosocMessage {
  try {
    return decodeMessage(bytes);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw reject('POSOC_MALFORMED_MESSAGE', error.message);
  }
}

function openPayload(payload: Uint8Array): SettlementPayload {
  try {
    return decodePayload(payload);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw reject('POSOC_MALFORMED_PAYLOAD', error.message);
  }
}

function tryOpenPayload(payload: Uint8Array): SettlementPayload | null {
  try {
    return openPayload(payload);
  } catch {
    return null;
  }
}

function samePart<Part extends keyof PayloadResults>(
  part: Part,
  claimed: PayloadResults,
  computed: PayloadResults,
): boolean {
  return compareBytes(encode(resultCodecs[part], claimed[part]), encode(resultCodecs[part], computed[part])) === 0;
}

/**
 * Money to the clearing balances, EPOS for the day's positive scores (none for the jailed). Held profits lie on the
 * escrow's account.
 */
function bookSettlement(
  ledger: LedgerDraft,
  { hour, day, releases }: SettlementResults,
  jailed: ReadonlySet<MemberRank>,
): void {
  const building = ledger.edc + POSOC_ACCOUNTS.building;
  const escrow = ledger.edc + POSOC_ACCOUNTS.escrow;
  if (hour !== null)
    ledger.post([
      ...hour.rows.map(({ rank, cashMicro }) => ({ account: rank, payMicro: -cashMicro })),
      { account: building, payMicro: -hour.buildingCashMicro },
      { account: ledger.edc, payMicro: -hour.edcMicro },
    ]);
  for (const { rank, miner, profitMicro, feeMicro } of releases)
    ledger.post([
      { account: escrow, payMicro: profitMicro },
      { account: rank, payMicro: feeMicro - profitMicro },
      { account: miner, payMicro: -feeMicro },
    ]);
  if (day === null) return;
  for (const { rank, score, feeMicro, escrowMicro } of day.rows) {
    if (score > 0n && !jailed.has(rank)) ledger.mint('proof-score', 'epos', rank, score);
    if (escrowMicro > 0n)
      ledger.post([
        { account: rank, payMicro: escrowMicro },
        { account: escrow, payMicro: -escrowMicro },
      ]);
    else if (feeMicro > 0n && day.miner !== null)
      ledger.post([
        { account: rank, payMicro: feeMicro },
        { account: day.miner, payMicro: -feeMicro },
      ]);
  }
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let k = 0; k < shared; k += 1) {
    const difference = (a[k] as number) - (b[k] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function reject(code: ApplicationRejectionCode, message: string): BlockRejection {
  return new BlockRejection('settlement', code, message);
}
