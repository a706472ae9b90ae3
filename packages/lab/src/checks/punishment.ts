import { type Consequence, MISBEHAVIOURS } from '../faults/misbehaviours.ts';
import type { EventOf } from '../watch/events.ts';
import { type Check, holds, type RunFacts, unknown, violated } from './facts.ts';
import { firstCommits } from './liveness.ts';
import { occasionsOf } from './occasions.ts';
import { starvation } from './timeliness.ts';

/** A block that takes this share of the opening stake has slashed; a refusal costs far less (protocol section 6). */
const SLASH_FROM_PPM = 10_000n;

/** From this share of its time on a peer that waits for a processor is not taken to be in time. */
const STARVED = 0.5;

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
    // The heights that began before all peers were connected: turns pass because nobody is there.
    const began = firstCommits(facts).find(({ atMs }) => atMs >= 0)?.height ?? 0;
    const honest = facts.penalties.filter(
      (penalty) => !dishonest.has(penalty.member) && (isSlash(penalty) || penalty.height > began),
    );
    const slow: string[] = [];
    for (const penalty of honest) {
      const { member, height, lostMicro, atMs } = penalty;
      if (isSlash(penalty)) return violated(`${member} was slashed by ${epos(lostMicro)}`, { atMs, height });
      if (!facts.scenario.checks.punishment.timely || wasDisturbed(facts, member, atMs)) continue;
      const paid = `${member} paid ${epos(lostMicro)} for a refusal`;
      const starved = starvation(facts.samples, atMs);
      if (starved === null || starved < STARVED)
        return violated(`${paid} that nobody made it commit`, { atMs, height });
      slow.push(`${paid} when a peer waited for a processor for ${Math.round(100 * starved)} % of a second`);
    }
    const [first] = slow;
    if (first !== undefined) return unknown(`${first}: the network was not timely`);
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
    const idle: string[] = [];
    let isTested = false;
    for (const { misbehaviours, peers, beganMs, provenMs, endedMs } of faults) {
      if (beganMs === null) continue;
      // The restart takes its time, in which the others go on.
      const isOn = (atMs: number): boolean => provenMs !== null && atMs >= provenMs && atMs <= (endedMs ?? facts.endMs);
      for (const member of peers)
        for (const choice of misbehaviours) {
          const { name } = choice;
          const { consequence } = MISBEHAVIOURS[name];
          const found = consequenceOf(facts, consequence, member, beganMs);
          if (found !== null) {
            isTested ||= consequence !== 'borne';
            seen.push(`${member} ${found} (${name})`);
            continue;
          }
          const occasions = occasionsOf(facts, choice, member).filter(isOn);
          if (occasions.length === 0) {
            idle.push(`${member} had no occasion for ${name}`);
            continue;
          }
          const firstMs = Math.min(...occasions);
          const heights = firstCommits(facts).filter(({ atMs }) => isOn(atMs) && atMs >= firstMs).length;
          const missing = `${member} was not ${consequence} for ${name} within ${heights} heights after the first of ${occasions.length} occasions`;
          if (heights < scenario.checks.punishment.within) return unknown(missing);
          return violated(missing, { atMs: firstMs, height: null });
        }
    }
    // Who could not lie did nothing that is to be punished; but somebody must have lied.
    if (idle.length > 0 && !isTested) return unknown(idle.join('; '));
    return seen.length === 0 ? null : holds([...seen, ...idle].join('; '));
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
    : `${isSlash(fitting) ? 'was slashed' : 'paid'} ${epos(fitting.lostMicro)} at height ${fitting.height}`;
}

function epos(micro: string): string {
  return `${(Number(micro) / 1e6).toFixed(3)} EPOS`;
}

function isSlash({ lostMicro, openingMicro }: EventOf<'penalty'>): boolean {
  return BigInt(lostMicro) * 1_000_000n >= BigInt(openingMicro) * SLASH_FROM_PPM;
}
