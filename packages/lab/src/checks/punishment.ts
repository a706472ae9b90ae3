import type { EvidenceItem } from '@wattmesh/consensus';
import { MISBEHAVIOURS, type MisbehaviourName } from '../faults/misbehaviours.ts';
import type { MisbehaviourChoice } from '../scenario/schema.ts';
import type { EventOf } from '../watch/events.ts';
import { type Check, holds, type RunFacts, unknown, violated } from './facts.ts';
import { firstCommits } from './liveness.ts';
import { occasionsOf } from './occasions.ts';
import { starvation } from './timeliness.ts';

/** A block that takes this share of the opening stake has slashed; a refusal costs far less (protocol section 6). */
const SLASH_FROM_PPM = 10_000n;

/** From this share of its time on a peer that waits for a processor is not taken to be in time. */
const STARVED = 0.5;

/** The evidence that proves a misbehaviour, where something does. */
const EVIDENCE: Partial<Record<MisbehaviourName, EvidenceItem['type']>> = {
  refuse: 'timeout',
  'invalid-block': 'invalid-block',
  equivocate: 'proposals',
  'double-vote': 'votes',
  'announce-twice': 'contributions',
};

/** When a peer began to misbehave as the scenario wants; Infinity for one that is honest all the time. */
export function misbehavesFromMs({ faults }: Pick<RunFacts, 'faults'>, peer: string): number {
  return faults
    .filter(({ kind, peers }) => kind === 'misbehave' && peers.includes(peer))
    .reduce(
      (earliest, { beganMs }) => Math.min(earliest, beganMs ?? Number.POSITIVE_INFINITY),
      Number.POSITIVE_INFINITY,
    );
}

/** Invariant 3: no honest member is slashed; none pays for a refusal that the experiment did not force on it. */
export const honestUnpunished: Check = {
  name: 'honest-unpunished',
  promise: 'No honest member is slashed, and none that nothing was done to pays for letting its turn pass.',
  judge: (facts) => {
    // The heights that began before all peers were connected: turns pass because nobody is there.
    const began = firstCommits(facts).find(({ atMs }) => atMs >= 0)?.height ?? 0;
    const honest = facts.penalties.filter(
      (penalty) =>
        penalty.atMs < misbehavesFromMs(facts, penalty.member) && (isSlash(penalty) || penalty.height > began),
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
    // What cannot be said of one member must not hide that another went unpunished.
    const open: string[] = [];
    let isTested = false;
    for (const { label, misbehaviours, peers, beganMs, provenMs, endedMs } of faults) {
      if (beganMs === null) continue;
      // The restart takes its time, in which the others go on.
      const isOn = (atMs: number): boolean => provenMs !== null && atMs >= provenMs && atMs <= (endedMs ?? facts.endMs);
      for (const member of peers)
        for (const [k, choice] of misbehaviours.entries()) {
          const { name } = choice;
          const { consequence } = MISBEHAVIOURS[name];
          // Of two choices of one name each needs its own penalty.
          const earlier = misbehaviours.slice(0, k).filter((one) => one.name === name).length;
          const found = consequenceOf(facts, choice, member, beganMs, earlier);
          if (found === 'unclear') {
            open.push(
              `nothing tells whether ${member} was ${consequence} for ${name} or for something else (${label})`,
            );
            continue;
          }
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
          const firstMs = occasions.reduce((earliest, atMs) => Math.min(earliest, atMs));
          const heights = firstCommits(facts).filter(({ atMs }) => isOn(atMs) && atMs >= firstMs).length;
          const missing = `${member} was not ${consequence} for ${name} within ${heights} heights after the first of ${occasions.length} occasions`;
          if (heights < scenario.checks.punishment.within) open.push(missing);
          else return violated(missing, { atMs: firstMs, height: null });
        }
    }
    const [first] = open;
    if (first !== undefined) return unknown(first);
    // Who could not lie did nothing that is to be punished; but somebody must have lied.
    if (idle.length > 0 && !isTested) return unknown(idle.join('; '));
    return seen.length === 0 ? null : holds([...seen, ...idle].join('; '));
  },
};

/**
 * What showed that a member bore the consequence of a choice; null when nothing did, and `unclear` when it paid, but maybe for
 * something else that it was told to do.
 * @param earlier how many of its penalties belong to other choices of the same name
 */
function consequenceOf(
  { faults, penalties, settlements }: RunFacts,
  { name }: MisbehaviourChoice,
  member: string,
  fromMs: number,
  earlier: number,
): string | null {
  const { consequence } = MISBEHAVIOURS[name];
  if (consequence === 'borne') return 'was borne with';
  if (consequence === 'charged') {
    const charge = settlements
      .filter(({ atMs }) => atMs >= fromMs)
      .flatMap(({ members }) => members.filter(({ name }) => name === member))
      .reduce((sum, { deviationMicro }) => sum + BigInt(deviationMicro), 0n);
    return charge > 0n ? `was charged ${charge} micro for deviations` : null;
  }
  const paid = penalties.filter((one) => one.member === member && one.atMs >= fromMs);
  const fitting = paid.filter((one) => consequence === 'penalised' || isSlash(one));
  const hasOthers =
    faults
      .filter(({ beganMs, peers }) => beganMs !== null && peers.includes(member))
      .flatMap(({ misbehaviours }) => misbehaviours.filter((one) => one.name in EVIDENCE)).length > 1;
  const own = hasOthers ? fitting.filter(({ evidence }) => evidence?.includes(EVIDENCE[name] ?? 'omitted')) : fitting;
  const proof = own[earlier];
  if (proof === undefined) {
    const isUntold = fitting.some(({ evidence }) => evidence === undefined);
    return isUntold || own.length > 0 ? 'unclear' : null;
  }
  return `${isSlash(proof) ? 'was slashed' : 'paid'} ${epos(proof.lostMicro)} at height ${proof.height}`;
}

function epos(micro: string): string {
  return `${(Number(micro) / 1e6).toFixed(3)} EPOS`;
}

function isSlash({ lostMicro, openingMicro }: EventOf<'penalty'>): boolean {
  return BigInt(lostMicro) * 1_000_000n >= BigInt(openingMicro) * SLASH_FROM_PPM;
}
