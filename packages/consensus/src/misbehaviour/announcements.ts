import { decodeMessage as decodeContribution, signAnnouncement } from '../poeg/messages.ts';
import { poegParametersOf } from '../poeg/parameters.ts';
import { singletonScoreWh } from '../poeg/slot-market.ts';
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
