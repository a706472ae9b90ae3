/**
 * Misbehaviour that can be proven, and what it costs (protocol section 6).
 *
 * Whether an item proves anything follows from the item and the chain that its block follows, so every peer finds the
 * same. One that proves nothing, or something already punished, is a failed item: it is recorded and changes nothing else.
 */
export { applyEvidence, type Sanctions } from './apply-evidence.ts';
export { assessEvidence } from './assess-evidence.ts';
export { barredContributions, jailedMembers } from './discipline.ts';
export type { Assessment, EvidenceFault, Finding } from './finding.ts';
