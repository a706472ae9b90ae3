import type { SettlementContext } from '../application/types.ts';
import type { Genesis, Hash } from '../chain/types.ts';
import { CodecError, fromHex } from '../codec/index.ts';
import type { SignatureScheme } from '../crypto/ports.ts';
import { decodeMessage, dueInSlot, messageDigest, type PoegMessage } from './messages.ts';
import { poegParametersOf } from './parameters.ts';
import { singletonScoreWh } from './slot-market.ts';
import type { PoegState } from './state.ts';

/** Why a signed message is refused, wherever it shows up. */
export type PoegMessageCode =
  | 'POEG_MALFORMED_MESSAGE'
  | 'POEG_WRONG_CHAIN'
  | 'POEG_WRONG_SLOT'
  | 'POEG_UNKNOWN_MEMBER'
  | 'POEG_WRONG_SCORE_CLAIM'
  | 'POEG_BAD_SIGNATURE'
  | 'POEG_UNANNOUNCED_READING';

export type MessageVerdict =
  | { readonly ok: true; readonly message: PoegMessage }
  | { readonly ok: false; readonly code: PoegMessageCode; readonly reason: string };

/** The bootstrap slot 0 has no market, so nothing is announced for it and nothing read. */
const FIRST_MARKET_SLOT = 1;

/**
 * Opens a signed message: its form, its chain, its author, the claimed score and the signature, the cheap tests first. All
 * that can be told without knowing the chain's state.
 */
export function openMessage(
  signatures: SignatureScheme,
  genesis: Genesis,
  chainId: Hash,
  bytes: Uint8Array,
): MessageVerdict {
  let message: PoegMessage;
  try {
    message = decodeMessage(bytes);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return refuse('POEG_MALFORMED_MESSAGE', error.message);
  }
  const { type, rank, slot } = message;
  if (message.chainId !== chainId) return refuse('POEG_WRONG_CHAIN', `the ${type} is for chain ${message.chainId}`);
  if (slot < FIRST_MARKET_SLOT) return refuse('POEG_WRONG_SLOT', `slot ${slot} has no market`);
  const author = genesis.members[rank];
  if (author === undefined) return refuse('POEG_UNKNOWN_MEMBER', `there is no member of rank ${rank}`);
  if (message.type === 'announcement') {
    const scoreWh = singletonScoreWh(poegParametersOf(genesis), message);
    if (message.scoreWh !== scoreWh) {
      return refuse(
        'POEG_WRONG_SCORE_CLAIM',
        `member ${rank} claims ${message.scoreWh} Wh, its score is ${scoreWh} Wh`,
      );
    }
  }
  const key = type === 'announcement' ? author.publicKey : author.meterKey;
  if (!signatures.verify(fromHex(message.signature), fromHex(messageDigest(message)), fromHex(key))) {
    return refuse('POEG_BAD_SIGNATURE', `the ${type} of member ${rank} for slot ${slot} is not signed by its key`);
  }
  return { ok: true, message };
}

/** Whether an opened message may stand in the settlement that `context` describes. */
export function admitMessage(context: SettlementContext<PoegState>, message: PoegMessage): MessageVerdict {
  const { type, rank, slot } = message;
  if (dueInSlot(message) !== context.slot) {
    return refuse(
      'POEG_WRONG_SLOT',
      `the ${type} of member ${rank} is for slot ${slot}, the settlement of ${context.slot}`,
    );
  }
  if (!isAnnounced(context.state, message)) {
    // Its energy was never part of the market: it stays between the member and the EDC.
    return refuse('POEG_UNANNOUNCED_READING', `member ${rank} is metered in slot ${slot} but had announced nothing`);
  }
  return { ok: true, message };
}

/** Whether a reading is of a member that took part in the market it is held against; announcements need nothing. */
export function isAnnounced(state: PoegState, { type, rank }: PoegMessage): boolean {
  return type !== 'reading' || state.previous?.announced.some((one) => one.rank === rank) === true;
}

function refuse(code: PoegMessageCode, reason: string): MessageVerdict {
  return { ok: false, code, reason };
}
