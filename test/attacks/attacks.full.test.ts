import { describe, it } from 'vitest';
import { ATTACKS } from './catalogue.ts';
import { expectConsequence } from './expectations.ts';
import { runAttack } from './run-attack.ts';

describe('a real network under every attack', () => {
  it.each(ATTACKS.map((attack) => [attack.id, attack] as const))(
    '%s has its consequence, and no honest member is punished',
    async (_, attack) => expectConsequence(await runAttack(attack)),
  );
});
