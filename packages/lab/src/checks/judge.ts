import { durability } from './durability.ts';
import { electionFairness } from './election-fairness.ts';
import type { Check, CheckResult, RunFacts, Verdict } from './facts.ts';
import { agreement, certificates, chainTime, conservation, validity } from './found.ts';
import { inclusion } from './inclusion.ts';
import { modelGain, unpaidHeld } from './learning.ts';
import { liveness } from './liveness.ts';
import { blockLatency, latency, loadShortfall, progress, throughput } from './measured.ts';
import { presence } from './presence.ts';
import { honestUnpunished, misbehaviourPunished } from './punishment.ts';
import { recovery } from './recovery.ts';
import { singleSigning } from './single-signing.ts';

/** Every check, in the order of the report. Those that return null were not asked for. */
export const CHECKS: readonly Check[] = [
  agreement,
  validity,
  certificates,
  chainTime,
  conservation,
  durability,
  inclusion,
  singleSigning,
  honestUnpunished,
  misbehaviourPunished,
  liveness,
  recovery,
  presence,
  latency,
  blockLatency,
  throughput,
  progress,
  modelGain,
  unpaidHeld,
  electionFairness,
];

/** Faults and loads of the scenario that were not what it asks for. */
export function shortcomings(facts: RunFacts): string[] {
  const faults = facts.faults.flatMap(({ label, proof, failure, beganMs }) => {
    if (failure !== null) return [`${label} failed: ${failure}`];
    if (beganMs === null) return [`the moment of ${label} did not come`];
    return proof === null ? [`nothing showed that ${label} took effect`] : [];
  });
  const load = loadShortfall(facts);
  return [
    ...faults,
    ...(load === null ? [] : [load]),
    ...(facts.reachedEnd ? [] : ['the run did not come as far as `until` within its limit']),
  ];
}

/**
 * The verdict on each check. What holds in a run whose faults or load did not take effect is unknown: it was not put to the
 * test. A violation stays one.
 */
export function judge(facts: RunFacts): CheckResult[] {
  const short = shortcomings(facts);
  return CHECKS.flatMap((check) => {
    const result = check.judge(facts);
    if (result === null) return [];
    const { name, promise } = check;
    if (result.verdict === 'holds' && short.length > 0)
      return [
        { check: name, promise, verdict: 'unknown', detail: `${short[0]} (seen: ${result.detail})`, first: null },
      ];
    return [{ check: name, promise, ...result }];
  });
}

/** Of a whole run, or of several. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('violated')) return 'violated';
  return verdicts.includes('unknown') || verdicts.length === 0 ? 'unknown' : 'holds';
}
