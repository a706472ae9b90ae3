import { type Consequence, MISBEHAVIOURS } from '../faults/misbehaviours.ts';
import type { EventOf } from '../watch/events.ts';
import { type Check, holds, type RunFacts, unknown, violated } from './facts.ts';
import { firstCommits } from './liveness.ts';

/** A block that takes this share of the opening stake has slashed; a refusal costs far less (protocol section 6). */
const SLASH_FROM_PPM = 10_000n;

/** Peers that the scenario lets misbehave at some time. */
export function misbehavers({ faults }: Pick<RunFacts, 'faults'>): ReadonlySet<string> {
  return new Set(faults.filter(({ kind }) => kind === 'misbehave').flatMap(({ peers }) => peers));
}

/** Invariant 3: no honest member is slashed; none pays for a refusal that the experiment did not force on it. */
export const honestUnpunished: Check = {
  name: 'honest-unpunished',
  promise: 'No honest member is slashed, and none that nothing was done to pays for letting its turn pass.',
  judge: (facts) => {
    const dishonest = misbehavers(facts);
    // Before all peers are connected, turns pass because nobody is there.
    const honest = facts.penalties.filter(({ member, atMs }) => !dishonest.has(member) && atMs >= 0);
    for (const penalty of honest) {
      const { member, height, lostMicro, atMs } = penalty;
      if (isSlash(penalty)) return violated(`${member} was slashed by ${lostMicro} micro-EPOS`, { atMs, height });
      if (facts.scenario.checks.punishment.timely && !wasDisturbed(facts, member, atMs))
        return violated(`${member} paid ${lostMicro} micro-EPOS for a refusal that nobody made it commit`, {
          atMs,
          height,
        });
    }
    if (facts.auditedHeights === 0) return unknown('no height was seen');
    const forced =
      honest.length === 0 ? '' : `; ${honest.length} turns that passed under faults, or too slowly, were paid for`;
    return holds(`${facts.auditedHeights} heights executed again${forced}`);
  },
};

/** Whether a fault on the member, or on one of its links, had begun by then. */
function wasDisturbed({ faults }: RunFacts, member: string, atMs: number): boolean {
  return faults.some(({ kind, peers, beganMs }) => {
    return kind !== 'misbehave' && peers.includes(member) && beganMs !== null && beganMs <= atMs;
  });
}

/** Protocol section 6: what is done about misbehaviour that was planned. */
export const misbehaviourPunished: Check = {
  name: 'misbehaviour-punished',
  promise: 'Every planned misbehaviour that can be proven is detected and costs its author what the rules say.',
  judge: (facts) => {
    const { faults, scenario } = facts;
    const seen: string[] = [];
    for (const { misbehaviours, peers, beganMs, provenMs, endedMs } of faults) {
      if (beganMs === null) continue;
      // The restart takes its time, in which the others go on.
      const isOn = (atMs: number): boolean => provenMs !== null && atMs >= provenMs && atMs <= (endedMs ?? facts.endMs);
      const heights = firstCommits(facts).filter(({ atMs }) => isOn(atMs)).length;
      for (const member of peers)
        for (const name of misbehaviours) {
          const { consequence } = MISBEHAVIOURS[name];
          const found = consequenceOf(facts, consequence, member, beganMs);
          if (found === null && heights < scenario.checks.punishment.within)
            return unknown(`${member} was not ${consequence} for ${name} within ${heights} heights`);
          if (found === null)
            return violated(`${member} was not ${consequence} for ${name} within ${heights} heights`, {
              atMs: beganMs,
              height: null,
            });
          seen.push(`${member} ${found} (${name})`);
        }
    }
    return seen.length === 0 ? null : holds(seen.join('; '));
  },
};

/** What showed that a member bore the consequence; null when nothing did. */
function consequenceOf(
  { penalties, settlements }: RunFacts,
  consequence: Consequence,
  member: string,
  fromMs: number,
): string | null {
  if (consequence === 'borne') return 'was borne with';
  if (consequence === 'charged') {
    const charge = settlements
      .filter(({ atMs }) => atMs >= fromMs)
      .flatMap(({ members }) => members.filter(({ name }) => name === member))
      .reduce((sum, { deviationMicro }) => sum + BigInt(deviationMicro), 0n);
    return charge > 0n ? `was charged ${charge} micro for deviations` : null;
  }
  const paid = penalties.filter((one) => one.member === member && one.atMs >= fromMs);
  const fitting = paid.find((one) => consequence === 'penalised' || isSlash(one));
  return fitting === undefined
    ? null
    : `${isSlash(fitting) ? 'was slashed' : 'paid'} ${fitting.lostMicro} micro-EPOS at height ${fitting.height}`;
}

function isSlash({ lostMicro, openingMicro }: EventOf<'penalty'>): boolean {
  return BigInt(lostMicro) * 1_000_000n >= BigInt(openingMicro) * SLASH_FROM_PPM;
}
