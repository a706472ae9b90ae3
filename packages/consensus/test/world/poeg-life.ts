import { poegParametersOf, signAnnouncement, signReading, singletonScoreWh } from '../../src/poeg/index.ts';
import { decodeMessage, messageKey } from '../../src/poeg/messages.ts';
import { worldChain } from './genesis.ts';
import { Rng } from './rng.ts';
import type { WorldLife } from './world.ts';

/** Prosumers that announce for the next slot and whose meters tell what was counted. */
export const POEG_LIFE: WorldLife = {
  chain: worldChain,
  signedBy(bytes) {
    const message = decodeMessage(bytes);
    return { key: messageKey(message), author: message.rank };
  },
  source({ rules, signers, meters }, seed, rank) {
    const { chainId, genesis } = rules;
    const energyWh = (slot: number): { productionWh: bigint; consumptionWh: bigint } => {
      const rng = new Rng(`household/${seed}/${rank}/${slot}`);
      return { productionWh: BigInt(rng.below(9_000)), consumptionWh: BigInt(rng.below(9_000)) };
    };
    return {
      contributions: (slot) => {
        const balance = { rank, ...energyWh(slot + 1) };
        const scoreWh = singletonScoreWh(poegParametersOf(genesis), balance);
        const messages = [
          signAnnouncement({ chainId, slot: slot + 1, ...balance, scoreWh }, (d) => signers[rank]?.sign(d) as string),
        ];
        if (slot < 2) return messages;
        const { productionWh, consumptionWh } = energyWh(slot - 1);
        const reading = { chainId, slot: slot - 1, rank, producedWh: productionWh, consumedWh: consumptionWh + 10n };
        return [...messages, signReading(reading, (d) => meters[rank]?.sign(d) as string)];
      },
    };
  },
};
