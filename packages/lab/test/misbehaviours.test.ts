import { MISBEHAVIOURS as OF_A_PEER } from '@wattmesh/consensus';
import { expect, it } from 'vitest';
import { MISBEHAVIOUR_NAMES } from '../src/faults/misbehaviours.ts';

it('a scenario knows every way in which a peer can misbehave, and what is done about it', () => {
  expect([...MISBEHAVIOUR_NAMES].sort()).toEqual(OF_A_PEER.map(({ name }) => name).sort());
});
