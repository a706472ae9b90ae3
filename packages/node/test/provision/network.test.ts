import { chainIdOf, decodePoegParameters, validateGenesis } from '@wattmesh/consensus';
import { describe, expect, it } from 'vitest';
import { provisionSynthetic } from '../../src/cluster/create-run.ts';

const plan = { nodes: 5, seed: 'same', clock: 'ready', slotMs: 60_000, genesisTimeMs: 1_000 } as const;

describe('a network from a seed', () => {
  it('is the same twice: keys, beacon, households, places; only the time of genesis differs', () => {
    const first = provisionSynthetic(plan);
    const later = provisionSynthetic({ ...plan, genesisTimeMs: 2_000 });
    expect(later.members).toEqual(first.members);
    expect(later.edcSecretKey).toEqual(first.edcSecretKey);
    expect({ ...later.genesis, genesisTimeMs: 1_000 }).toEqual(first.genesis);
    expect(later.chainId).not.toBe(first.chainId);
    expect(provisionSynthetic(plan).chainId).toBe(first.chainId);
  });

  it('shares no key and no household with one from another seed', () => {
    const first = provisionSynthetic(plan);
    const other = provisionSynthetic({ ...plan, seed: 'other' });
    const secrets = ({ members, edcSecretKey }: typeof first): string[] =>
      [...members.flatMap((member) => [member.secretKey, member.beaconShare, member.meterSecretKey]), edcSecretKey].map(
        (secret) => Buffer.from(secret).toString('hex'),
      );
    expect(new Set([...secrets(first), ...secrets(other)]).size).toBe(2 * (3 * 5 + 1));
    for (const [rank, { household }] of first.members.entries())
      expect(other.members[rank]?.household).not.toEqual(household);
  });

  it('has a valid genesis with the fewest votes that decide, unless told otherwise', () => {
    const { genesis, chainId } = provisionSynthetic(plan);
    validateGenesis(genesis);
    expect(chainIdOf(genesis)).toBe(chainId);
    expect(genesis.quorum).toBe(4);
    expect(provisionSynthetic({ ...plan, quorum: 5 }).genesis.quorum).toBe(5);
    expect(provisionSynthetic({ ...plan, nodes: 1 }).genesis.quorum).toBe(1);
    expect(() => provisionSynthetic({ ...plan, quorum: 3 })).toThrow(
      expect.objectContaining({ code: 'GENESIS_INVALID' }),
    );
  });

  it('writes loss rates as integers that follow from the places: symmetric, zero to oneself, more for more distance', () => {
    const { genesis, members } = provisionSynthetic(plan);
    const { ratePpb, rateEdcPpb } = decodePoegParameters(genesis.application.parameters);
    const km = (a: { x: number; y: number }, b: { x: number; y: number }): number => Math.hypot(a.x - b.x, a.y - b.y);
    for (const [i, a] of members.entries()) {
      // 5.6 % over the half diagonal of a square of 20 km, the distribution company in its middle.
      const perKm = 56_000_000 / Math.hypot(10, 10);
      expect(Number(rateEdcPpb[i])).toBeCloseTo(perKm * km(a.position, { x: 10, y: 10 }), -1);
      for (const [j, b] of members.entries()) {
        expect(Number(ratePpb[i]?.[j])).toBeCloseTo(perKm * km(a.position, b.position), -1);
        expect(ratePpb[i]?.[j]).toBe(ratePpb[j]?.[i]);
      }
    }
  });

  it('gives every household a day of hours', () => {
    for (const { household } of provisionSynthetic({ ...plan, days: 2 }).members)
      expect(household.intervals).toHaveLength(48);
  });
});
