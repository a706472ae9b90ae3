import { poegParametersOf, signAnnouncement, signReading, singletonScoreWh } from '../../src/poeg/index.ts';
import { decodeMessage, messageKey } from '../../src/poeg/messages.ts';
import { worldChain } from './genesis.ts';
import { Rng } from './rng.ts';
import type { WorldLife } from './world-options.ts';

interface Energy {
  readonly productionWh: bigint;
  readonly consumptionWh: bigint;
}

/** Prosumers that announce for the next slot and whose meters tell what was counted. `energyOf`: a household's slot. */
export const prosumers = (energyOf: (rng: Rng) => Energy): WorldLife => ({
  chain: worldChain,
  signedBy(bytes) {
    const message = decodeMessage(bytes);
    return { key: messageKey(message), author: message.rank };
  },
  source({ rules, signers, meters }, seed, rank) {
    const { chainId, genesis } = rules;
    const energyWh = (slot: number): Energy => energyOf(new Rng(`household/${seed}/${rank}/${slot}`));
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
});

export const POEG_LIFE = prosumers((rng) => ({
  productionWh: BigInt(rng.below(9_000)),
  consumptionWh: BigInt(rng.below(9_000)),
}));
