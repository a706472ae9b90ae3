import { decodeMessage as decodeContribution, signAnnouncement } from '../poeg/messages.ts';
import { poegParametersOf } from '../poeg/parameters.ts';
import { singletonScoreWh } from '../poeg/slot-market.ts';
import { decodeMessage as decodeEvMessage, signUpdate } from '../posoc/messages.ts';
import type { MisbehaviourKit } from './types.ts';

/**
 * This member's announcement with its production multiplied, the score that follows from it, and a valid signature; null
 * for anything else, such as what an EV says.
 */
export function inflated({ rules, signer }: MisbehaviourKit, bytes: Uint8Array, percent: number): Uint8Array | null {
  if (rules.application.name !== 'poeg') return null;
  const message = decodeContribution(bytes);
  if (message.type !== 'announcement') return null;
  const { chainId, slot, rank, consumptionWh } = message;
  const productionWh = (message.productionWh * BigInt(percent)) / 100n + 1n;
  const balance = { rank, productionWh, consumptionWh };
  const scoreWh = singletonScoreWh(poegParametersOf(rules.genesis), balance);
  return signAnnouncement({ chainId, slot, ...balance, scoreWh }, signer.sign);
}

/** Something else that this member signs in the same place: an announcement of more, or another model. Null for anything else. */
export function contradicting(kit: MisbehaviourKit, bytes: Uint8Array): Uint8Array | null {
  if (kit.rules.application.name !== 'posoc') return inflated(kit, bytes, 150);
  const message = decodeEvMessage(bytes);
  if (message.type !== 'update') return null;
  const { chainId, slot, rank, shape } = message;
  // Another order of the same weights: a model as good as the first one, by its form.
  const tensor = Uint8Array.of(...message.tensor.subarray(8), ...message.tensor.subarray(0, 8));
  return signUpdate({ chainId, slot, rank, shape, tensor }, kit.signer.sign);
}
