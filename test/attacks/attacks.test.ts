import { describe, expect, it } from 'vitest';
import { ATTACKS } from './catalogue.ts';
import { expectConsequence } from './expectations.ts';
import { runAttack } from './run-attack.ts';

/** One of each consequence; attacks.full.test.ts runs all of them. */
const HERE = ['refuse', 'invalid-block: wrong-trade', 'equivocate', 'double-vote', 'announce-twice', 'overstate'];

describe('a real network under attack', () => {
  it.each(ATTACKS.filter(({ id }) => HERE.includes(id)).map((attack) => [attack.id, attack] as const))(
    '%s has its consequence, and no honest member is punished',
    async (_, attack) => expectConsequence(await runAttack(attack)),
  );

  it('is every misbehaviour that there is, and every kind of invalid block', async () => {
    const { MISBEHAVIOURS } = await import('../../packages/consensus/src/index.ts');
    const choices = ATTACKS.flatMap((attack) => attack.choices);
    const kinds = MISBEHAVIOURS.flatMap(({ name, parameters: { kind } }) =>
      name === 'invalid-block' && kind?.kind === 'choice' ? kind.values : [],
    );
    expect(new Set(choices.map(({ name }) => name))).toEqual(new Set(MISBEHAVIOURS.map(({ name }) => name)));
    expect(kinds.length).toBeGreaterThan(5);
    expect(choices.flatMap(({ parameters }) => parameters?.kind ?? []).sort()).toEqual([...kinds].sort());
  });
});
