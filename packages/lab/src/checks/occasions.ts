import type { MisbehaviourChoice } from '../scenario/schema.ts';
import type { RunFacts } from './facts.ts';
import { firstCommits } from './liveness.ts';

/** Kinds of invalid blocks that need something in the block to be wrong about. */
const NEEDS_SETTLEMENT = new Set(['inflated-reward', 'left-out-announcement', 'wrong-model']);
const NEEDS_TRADES = new Set(['wrong-trade', 'flow-not-optimal']);
const NEEDS_BATCHES = new Set(['overspent-transaction', 'forged-signature']);

/**
 * When a member could have misbehaved as it was told to, by what the chain says: a lie about trades needs its turn to settle a
 * slot in which somebody traded. What it never could do is not a crime that nobody punished.
 */
export function occasionsOf(facts: RunFacts, { name, parameters }: MisbehaviourChoice, member: string): number[] {
  const turns = facts.blocks.filter(({ turn }) => turn === member);
  switch (name) {
    case 'refuse':
    case 'equivocate':
      return turns.map(({ atMs }) => atMs);
    case 'invalid-block': {
      const kind = String(parameters.kind ?? '');
      if (kind === 'wrong-election') return facts.blocks.filter(({ turn }) => turn !== member).map(({ atMs }) => atMs);
      const traded = new Set(facts.settlements.filter(({ tradedWh }) => tradedWh !== '0').map(({ height }) => height));
      return turns
        .filter(({ kind: ofBlock, height }) => {
          if (NEEDS_TRADES.has(kind)) return traded.has(height);
          if (NEEDS_SETTLEMENT.has(kind)) return ofBlock === 'settlement';
          return !NEEDS_BATCHES.has(kind) || ofBlock !== 'settlement';
        })
        .map(({ atMs }) => atMs);
    }
    case 'overstate':
      return facts.settlements
        .filter(({ members }) => members.some((one) => one.name === member && one.producedWh !== '0'))
        .map(({ atMs }) => atMs);
    default:
      return firstCommits(facts).map(({ atMs }) => atMs);
  }
}
