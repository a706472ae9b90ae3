import { expect } from 'vitest';
import { DEFAULT_PENALTIES } from '../../packages/node/src/provision/network.ts';
import type { AttackResult } from './run-attack.ts';

/** Holds a run against what the protocol says of its misbehaviour (sections 4 to 6). */
export function expectConsequence(result: AttackResult): void {
  const { attack, evidence, slashedMicro, isJailed, deviationMicro, punishedHonest, detectedBy } = result;
  expect(punishedHonest).toEqual([]);
  const offences = evidence.filter((type) => type !== 'timeout');
  const { consequence } = attack;
  switch (consequence.kind) {
    case 'offence':
      expect(offences).toEqual([...consequence.evidence].sort());
      expect(isJailed).toBe(true);
      expect(slashedMicro).toBeGreaterThanOrEqual(STAKE_PART_MICRO);
      return;
    case 'refusal':
      expect(evidence).toEqual(['timeout']);
      expect(isJailed).toBe(false);
      expect(slashedMicro % DEFAULT_PENALTIES.refusalPenaltyMicro).toBe(0n);
      expect(slashedMicro).toBeGreaterThan(0n);
      return;
    case 'deviation':
      expect(deviationMicro).toBeGreaterThan(0n);
      break;
    case 'dropped':
      expect(detectedBy).toContain('TRANSPORT_PENALISED');
      break;
    case 'none':
      break;
  }
  // What only looks like a bad network may cost the place in the list and the refusal penalty, never the stake.
  expect(offences).toEqual([]);
  expect(isJailed).toBe(false);
  expect(slashedMicro % DEFAULT_PENALTIES.refusalPenaltyMicro).toBe(0n);
}

/** A tenth of 100 EPOS; refusals before it may have made it a little less. */
const STAKE_PART_MICRO = 9_900_000n;
