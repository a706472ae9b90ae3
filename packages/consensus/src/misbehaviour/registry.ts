import type { PeerModules } from '../peer/ports.ts';
import { announceTwice } from './announce-twice.ts';
import { censor } from './censor.ts';
import { delay } from './delay.ts';
import { doubleVote } from './double-vote.ts';
import { equivocate } from './equivocate.ts';
import { MisbehaviourError } from './errors.ts';
import { flood } from './flood.ts';
import { invalidBlock } from './invalid-block.ts';
import { overstate } from './overstate.ts';
import { refuse } from './refuse.ts';
import { replay } from './replay.ts';
import type { Misbehaviour, MisbehaviourChoice, MisbehaviourKit, Parameters, PeerLike } from './types.ts';
import { vouch } from './vouch.ts';
import { withholdBundles } from './withhold-bundles.ts';
import { withholdVotes } from './withhold-votes.ts';

/** Every way in which a member can be told to misbehave. */
export const MISBEHAVIOURS: readonly Misbehaviour[] = [
  refuse,
  invalidBlock,
  equivocate,
  doubleVote,
  vouch,
  withholdVotes,
  withholdBundles,
  censor,
  delay,
  replay,
  flood,
  overstate,
  announceTwice,
];

/**
 * The misbehaviour of a name, and its parameters with what was left out filled in.
 * @throws MisbehaviourError for a name or a parameter that there is not, or a value that is not allowed.
 */
export function chosen({ name, parameters = {} }: MisbehaviourChoice): {
  readonly misbehaviour: Misbehaviour;
  readonly parameters: Parameters;
} {
  const misbehaviour = MISBEHAVIOURS.find((one) => one.name === name);
  if (misbehaviour === undefined) {
    const names = MISBEHAVIOURS.map((one) => one.name).join(', ');
    throw new MisbehaviourError('MISBEHAVIOUR_UNKNOWN', `there is no misbehaviour ${name}: choose one of ${names}`);
  }
  const schema = misbehaviour.parameters;
  const stranger = Object.keys(parameters).find((key) => !Object.hasOwn(schema, key));
  if (stranger !== undefined) throw badParameter(name, stranger, 'there is no such parameter');
  const filled = Object.entries(schema).map(([key, rule]) => {
    const value = parameters[key] ?? rule.fallback;
    if (rule.kind === 'choice' && !rule.values.includes(String(value)))
      throw badParameter(name, key, `expected one of ${rule.values.join(', ')}, got ${value}`);
    const isInRange = rule.kind !== 'integer' || (Number.isInteger(value) && +value >= rule.min && +value <= rule.max);
    if (!isInRange) throw badParameter(name, key, `expected an integer from ${rule.min} to ${rule.max}, got ${value}`);
    return [key, value] as const;
  });
  return { misbehaviour, parameters: Object.fromEntries(filled) };
}

/**
 * Builds a peer that misbehaves in all the chosen ways; with none it is the honest peer itself. The first choice stands
 * next to the peer, the last one next to its shell.
 * @throws MisbehaviourError
 */
export function misbehavingPeer(
  choices: readonly MisbehaviourChoice[],
  kit: MisbehaviourKit,
  modules: PeerModules,
  build: (modules: PeerModules) => PeerLike,
): PeerLike {
  const all = choices.map(chosen);
  const ports = all.reduce((ports, { misbehaviour, parameters }) => {
    return misbehaviour.modules?.(ports, kit, parameters) ?? ports;
  }, modules);
  return all.reduce((peer, { misbehaviour, parameters }) => {
    return misbehaviour.wrap?.(peer, kit, parameters) ?? peer;
  }, build(ports));
}

function badParameter(name: string, key: string, reason: string): MisbehaviourError {
  return new MisbehaviourError('MISBEHAVIOUR_BAD_PARAMETER', `${name}.${key}: ${reason}`);
}
