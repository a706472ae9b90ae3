import {
  createDigestSigner,
  createSignatureScheme,
  poegParametersOf,
  signAnnouncement,
  signReading,
  singletonScoreWh,
} from '@wattmesh/consensus';
import { describe, expect, it } from 'vitest';
import { worldChain } from '../../../consensus/test/world/genesis.ts';
import { type Household, HouseholdSource, intervalOfSlot } from '../../src/household/household.ts';

const chain = worldChain({ seed: 'home', members: 2, clock: 'wall', slotMs: 1_000, genesisTimeMs: 0 });
const { genesis, chainId, application } = chain.rules;
const RANK = 1;
const household: Household = {
  intervals: [
    { productionWh: 5_000, consumptionWh: 2_000, meteredProductionWh: 4_500, meteredConsumptionWh: 2_100 },
    { productionWh: 100, consumptionWh: 3_000 },
    { productionWh: 0, consumptionWh: 700 },
  ],
};
const signAsMember = chain.signers[RANK]?.sign as (digest: string) => string;
const signAsMeter = chain.meters[RANK]?.sign as (digest: string) => string;
const source = (meter: typeof signAsMeter | null): HouseholdSource =>
  new HouseholdSource({ household, genesis, chainId, rank: RANK, signAsMember, signAsMeter: meter });

describe('a household', () => {
  it('trades its first interval in slot 1 and starts again after its last', () => {
    expect([1, 2, 3, 4, 6, 7].map((slot) => intervalOfSlot(household, slot).consumptionWh)).toEqual([
      2_000, 3_000, 700, 2_000, 700, 2_000,
    ]);
  });

  it('announces the next slot with the score of its surplus, and lets its meter tell what was counted in the last', () => {
    // Slot 4 announces interval 2 (slot 5) and reads interval 3 (slot 3), of which the meter has nothing of its own to say.
    const balance = { rank: RANK, productionWh: 100n, consumptionWh: 3_000n };
    const scoreWh = singletonScoreWh(poegParametersOf(genesis), balance);
    const [announced, read] = source(signAsMeter).contributions(4);
    expect(announced).toEqual(signAnnouncement({ chainId, slot: 5, ...balance, scoreWh }, signAsMember));
    expect(read).toEqual(signReading({ chainId, slot: 3, rank: RANK, producedWh: 0n, consumedWh: 700n }, signAsMeter));
  });

  it('has its meter count what it counts, not what was announced', () => {
    const [, read] = source(signAsMeter).contributions(2);
    expect(read).toEqual(
      signReading({ chainId, slot: 1, rank: RANK, producedWh: 4_500n, consumedWh: 2_100n }, signAsMeter),
    );
  });

  it('has nothing to read before slot 2, and never without a meter', () => {
    expect(source(signAsMeter).contributions(0)).toHaveLength(1);
    expect(source(signAsMeter).contributions(1)).toHaveLength(1);
    expect(source(null).contributions(5)).toHaveLength(1);
  });

  it('says only what the chain accepts, and the chain refuses it from another meter', () => {
    for (const slot of [0, 1, 2, 9])
      for (const bytes of source(signAsMeter).contributions(slot))
        expect(application.checkContribution(genesis, chainId, bytes, slot)).toMatchObject({
          ok: true,
          contribution: { author: RANK, dueInSlot: slot },
        });
    const stranger = createDigestSigner(createSignatureScheme(), new Uint8Array(32).fill(9));
    const [, read] = source(stranger.sign).contributions(3);
    expect(application.checkContribution(genesis, chainId, read as Uint8Array, 3)).toMatchObject({ ok: false });
  });

  it('signs the same bytes whenever it is asked, so that a restart never makes a second statement', () => {
    expect(source(signAsMeter).contributions(6)).toEqual(source(signAsMeter).contributions(6));
  });
});
