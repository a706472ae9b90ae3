import { projectActionWh } from '@wattmesh/frl';
import type { SettlementContext } from '../application/types.ts';
import type { Genesis, Hash } from '../chain/types.ts';
import { CodecError, fromHex } from '../codec/index.ts';
import type { SignatureScheme } from '../crypto/ports.ts';
import { sha256 } from '../crypto/sha256.ts';
import {
  actionDigest,
  decodeMessage,
  decodeStatement,
  type HourlyAction,
  type PosocMessage,
  type PosocStatement,
  paymentDigest,
  type UpdateHead,
  updateDigest,
} from './messages.ts';
import { layoutOf, type PosocParameters, posocParametersOf } from './parameters.ts';
import { placeOfSlot } from './schedule.ts';
import type { PosocState } from './state.ts';
import { finiteWeights } from './tensor.ts';

/** Why a signed message is refused, wherever it shows up. */
export type PosocMessageCode =
  | 'POSOC_MALFORMED_MESSAGE'
  | 'POSOC_WRONG_CHAIN'
  | 'POSOC_WRONG_SLOT'
  | 'POSOC_UNKNOWN_MEMBER'
  | 'POSOC_BAD_SIGNATURE'
  | 'POSOC_UPDATE_WRONG_SHAPE'
  | 'POSOC_UPDATE_WRONG_SIZE'
  | 'POSOC_UPDATE_WRONG_HASH'
  | 'POSOC_UPDATE_NON_FINITE'
  | 'POSOC_WRONG_ENERGY'
  | 'POSOC_INFEASIBLE_ACTION';

export interface Refusal {
  readonly ok: false;
  readonly code: PosocMessageCode;
  readonly reason: string;
}
export type MessageVerdict<T> = { readonly ok: true; readonly message: T } | Refusal;

/** Opens a signed message: all that can be told of it without knowing the chain's state, the cheap tests first. */
export function openMessage(
  signatures: SignatureScheme,
  genesis: Genesis,
  chainId: Hash,
  bytes: Uint8Array,
): MessageVerdict<PosocMessage> {
  let message: PosocMessage;
  try {
    message = decodeMessage(bytes);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return refuse('POSOC_MALFORMED_MESSAGE', error.message);
  }
  if (message.type === 'update') {
    const refusal = checkTensor(posocParametersOf(genesis), message.rank, message.tensorHash, message.tensor);
    return refusal ?? withSignature(signatures, genesis, chainId, message);
  }
  return withSignature(signatures, genesis, chainId, message);
}

/** Opens what evidence holds of a signed message. An update's tensor is not there, and need not be well formed. */
export function openStatement(
  signatures: SignatureScheme,
  genesis: Genesis,
  chainId: Hash,
  bytes: Uint8Array,
): MessageVerdict<PosocStatement> {
  try {
    return withSignature(signatures, genesis, chainId, decodeStatement(bytes));
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return refuse('POSOC_MALFORMED_MESSAGE', error.message);
  }
}

function withSignature<T extends PosocStatement>(
  signatures: SignatureScheme,
  genesis: Genesis,
  chainId: Hash,
  message: T,
): MessageVerdict<T> {
  const digest =
    message.type === 'action'
      ? actionDigest(message)
      : message.type === 'payment'
        ? paymentDigest(message)
        : updateDigest(message);
  const refusal = message.type === 'update' ? checkShape(posocParametersOf(genesis), message) : null;
  return refusal ?? checkAuthor(signatures, genesis, chainId, message, digest) ?? { ok: true, message };
}

/** Checks a listed head: its chain, shape, author and signature. The tensor is checked apart, by its hash. */
export function checkHead(
  signatures: SignatureScheme,
  genesis: Genesis,
  chainId: Hash,
  head: UpdateHead,
): Refusal | null {
  return (
    checkShape(posocParametersOf(genesis), head) ?? checkAuthor(signatures, genesis, chainId, head, updateDigest(head))
  );
}

function checkAuthor(
  signatures: SignatureScheme,
  genesis: Genesis,
  chainId: Hash,
  message: Pick<UpdateHead, 'chainId' | 'rank' | 'slot' | 'signature'>,
  digest: Hash,
): Refusal | null {
  const { rank, slot, signature } = message;
  if (message.chainId !== chainId) return refuse('POSOC_WRONG_CHAIN', `the message is for chain ${message.chainId}`);
  const author = genesis.members[rank];
  if (author === undefined) return refuse('POSOC_UNKNOWN_MEMBER', `there is no member of rank ${rank}`);
  if (!signatures.verify(fromHex(signature), fromHex(digest), fromHex(author.publicKey)))
    return refuse('POSOC_BAD_SIGNATURE', `the message of member ${rank} for slot ${slot} is not signed by its key`);
  return null;
}

function checkShape({ learning }: PosocParameters, { rank, shape }: UpdateHead): Refusal | null {
  const expected = [learning.observationSize, ...learning.hidden].join('x');
  if (shape.join('x') === expected) return null;
  return refuse('POSOC_UPDATE_WRONG_SHAPE', `member ${rank} sends a model of ${shape.join('x')}, not ${expected}`);
}

/** Size, hash and finiteness of an update's bytes. */
export function checkTensor(
  { learning }: PosocParameters,
  rank: number,
  tensorHash: Hash,
  tensor: Uint8Array,
): Refusal | null {
  const { parameterCount } = layoutOf(learning);
  if (tensor.length !== parameterCount * 8)
    return refuse(
      'POSOC_UPDATE_WRONG_SIZE',
      `member ${rank} sends ${tensor.length} bytes, a model has ${parameterCount * 8}`,
    );
  if (sha256(tensor) !== tensorHash)
    return refuse('POSOC_UPDATE_WRONG_HASH', `the bytes of member ${rank} do not hash to what it has signed`);
  if (finiteWeights(tensor, parameterCount) === null)
    return refuse('POSOC_UPDATE_NON_FINITE', `the update of member ${rank} holds infinity or no number`);
  return null;
}

/** Whether an opened message of this kind may stand in the settlement that `context` describes. */
export function admitMessage(
  { genesis, slot, state }: Pick<SettlementContext<PosocState>, 'genesis' | 'slot' | 'state'>,
  type: PosocMessage['type'],
  message: Pick<HourlyAction, 'rank' | 'slot'> & Partial<Pick<HourlyAction, 'ev'>>,
): Refusal | null {
  const { rank } = message;
  if (message.slot !== slot)
    return refuse(
      'POSOC_WRONG_SLOT',
      `the ${type} of member ${rank} is for slot ${message.slot}, the settlement of ${slot}`,
    );
  const { hour, round } = placeOfSlot(genesis, slot);
  if ((type === 'action' && hour === null) || (type === 'update' && round === null))
    return refuse('POSOC_WRONG_SLOT', `slot ${slot} takes no ${type}`);
  return type === 'action' && message.ev ? checkBattery(posocParametersOf(genesis), state, rank, message.ev) : null;
}

/** The battery holds what the chain knows it to hold, and can do what is announced. */
function checkBattery(
  { battery }: PosocParameters,
  state: PosocState,
  rank: number,
  { energyWh, actionWh }: NonNullable<HourlyAction['ev']>,
): Refusal | null {
  const stay = state.stays[rank];
  if (stay ? energyWh !== stay.energyWh : energyWh < battery.minEnergyWh || energyWh > battery.maxEnergyWh)
    return refuse(
      'POSOC_WRONG_ENERGY',
      stay
        ? `member ${rank} claims ${energyWh} Wh, its actions have left ${stay.energyWh} Wh`
        : `member ${rank} arrives with ${energyWh} Wh, outside of ${battery.minEnergyWh} to ${battery.maxEnergyWh}`,
    );
  const feasibleWh = projectActionWh(battery, energyWh, actionWh);
  if (feasibleWh !== actionWh)
    return refuse(
      'POSOC_INFEASIBLE_ACTION',
      `member ${rank} announces ${actionWh} Wh, its battery can do ${feasibleWh}`,
    );
  return null;
}

function refuse(code: PosocMessageCode, reason: string): Refusal {
  return { ok: false, code, reason };
}
