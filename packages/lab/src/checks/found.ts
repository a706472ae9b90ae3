import { type Check, holds, type RunFacts, unknown, violated } from './facts.ts';

/** A check whose violations were found while the run went on; `covered` says on what it looked. */
function foundCheck(
  name: string,
  promise: string,
  covered: (facts: RunFacts) => { count: number; what: string },
): Check {
  return {
    name,
    promise,
    judge: (facts) => {
      const found = facts.findings.filter(({ check }) => check === name);
      const [first] = [...found].sort((a, b) => a.atMs - b.atMs);
      if (first !== undefined)
        return violated(`${first.message}${found.length === 1 ? '' : ` (and ${found.length - 1} more)`}`, first);
      const { count, what } = covered(facts);
      return count === 0 ? unknown(`no ${what} was seen`) : holds(`${count} ${what}`);
    },
  };
}

const executed = ({ auditedHeights }: RunFacts): { count: number; what: string } => ({
  count: auditedHeights,
  what: 'heights executed again',
});

/** Protocol section 10: invariant 1. */
export const agreement = foundCheck('agreement', 'No two peers hold different blocks at one height.', (facts) => ({
  count: facts.comparedHeights,
  what:
    facts.names.length === 1
      ? 'heights of the only peer'
      : `heights compared between two or more of ${facts.names.length} peers`,
}));
/** Invariants 6, 7 and 14. */
export const validity = foundCheck(
  'validity',
  'Every committed block passes every rule when it is executed again from genesis; settlements and rewards are equal to the unit.',
  executed,
);
/** Invariant 4. */
export const certificates = foundCheck(
  'certificates',
  'Every certificate holds the quorum of valid precommits of distinct members for one height, round and hash.',
  executed,
);
/** Invariant 11. */
export const chainTime = foundCheck(
  'chain-time',
  'Chain time never falls and never exceeds every timestamp that it is taken from.',
  executed,
);
/** Invariant 15. */
export const conservation = foundCheck(
  'conservation',
  'Every asset is conserved: what the accounts hold is what was minted less what was burned, and clearing adds up to 0.',
  executed,
);
