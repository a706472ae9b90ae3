import { defaultIntegerBattery, projectActionWh, tensorBytes } from '@wattmesh/frl';
import { chainIdOf } from '../../src/genesis/index.ts';
import {
  createPosocApplication,
  encodePosocParameters,
  finiteWeights,
  layoutOf,
  type PosocState,
  placeOfSlot,
  posocParametersOf,
  signAction,
  signPayment,
  signUpdate,
  slotsPerDay,
} from '../../src/posoc/index.ts';
import { decodeMessage, messageKey } from '../../src/posoc/messages.ts';
import { posocParameters } from '../fixtures/posoc-chain.ts';
import { worldChain } from './genesis.ts';
import { Rng } from './rng.ts';
import type { WorldLife } from './world-options.ts';

export const ROUNDS_PER_DAY = 3;

/** EVs that come, trade by the hour, learn something tiny, and go. Rank 1 pays on odd days only. */
export const POSOC_LIFE: WorldLife = {
  chain(options) {
    const { rules, signers, meters } = worldChain(options);
    const base = posocParameters();
    const learning = { ...base.learning, roundsPerDay: ROUNDS_PER_DAY, trainingWindowMs: 900 };
    const [edc] = rules.genesis.accounts;
    // Keys that nobody uses: any two valid points that are not taken.
    const others = worldChain({ ...options, seed: `${options.seed}/accounts` }).rules.genesis.members;
    const genesis = {
      ...rules.genesis,
      members: rules.genesis.members.map((member) => ({ ...member, role: 'ev' as const })),
      accounts: [edc, ...others.slice(0, 2).map(({ publicKey }) => ({ publicKey, uposMicro: 0n }))] as NonNullable<
        typeof edc
      >[],
      slot: { ...rules.genesis.slot, slotsPerTerm: slotsPerDay(ROUNDS_PER_DAY) },
      application: { name: 'posoc' as const, parameters: encodePosocParameters({ ...base, learning }) },
    };
    const application = createPosocApplication(rules.signatures);
    return { rules: { ...rules, genesis, chainId: chainIdOf(genesis), application }, signers, meters };
  },

  signedBy(bytes) {
    const message = decodeMessage(bytes);
    return { key: messageKey(message), author: message.rank };
  },

  source({ rules, signers }, seed, rank) {
    const { chainId, genesis } = rules;
    const sign = (digest: string) => signers[rank]?.sign(digest) as string;
    const battery = defaultIntegerBattery('paper');
    return {
      contributions(slot, state) {
        const { day, hour, isLastOfDay } = placeOfSlot(genesis, slot);
        const rng = new Rng(`ev/${seed}/${rank}/${slot}`);
        const stay = (state as PosocState).stays[rank];
        const energyWh = stay?.energyWh ?? 15_000n;
        const isHere = hour !== null && hour >= 6 && hour < 18;
        const actionWh = projectActionWh(battery, energyWh, BigInt(rng.below(20_000) - 10_000));
        const ev = isHere ? { energyWh, actionWh, limitMicro: 100_000n } : null;
        return [
          ...(hour === null ? [] : [signAction({ chainId, slot, rank, ev }, sign)]),
          ...(isLastOfDay ? [signPayment({ chainId, slot, rank, pays: rank !== 1 || day % 2 === 1 }, sign)] : []),
        ];
      },
    };
  },

  later({ rules, signers }, seed, rank, peer) {
    const { chainId, genesis } = rules;
    const { state } = peer.view;
    const { slot } = state;
    if (placeOfSlot(genesis, slot).round === null) return null;
    const { learning } = posocParametersOf(genesis);
    const { modelHash, rounds } = state.app as PosocState;
    const bytes = peer.blobs.get(modelHash) ?? (rounds === 0 ? learning.initialModel : null);
    if (bytes === null) return null;
    const global = finiteWeights(bytes, layoutOf(learning).parameterCount) as Float64Array;
    const rng = new Rng(`update/${seed}/${rank}/${slot}`);
    const tensor = tensorBytes(global.map((weight) => weight + rng.unit() - 0.5));
    const shape = [learning.observationSize, ...learning.hidden];
    return signUpdate({ chainId, slot, rank, shape, tensor }, (digest) => signers[rank]?.sign(digest) as string);
  },
};
