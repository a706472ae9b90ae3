import type { MisbehaviourChoice } from '../../packages/consensus/src/index.ts';

/** What the chain must have done about it by the end. */
export type Consequence =
  /** Stake slashed, jailed: it signed a proof against itself, of one of these kinds. */
  | { readonly kind: 'offence'; readonly evidence: readonly string[] }
  /** The refusal penalty and the end of the list. */
  | { readonly kind: 'refusal' }
  /** Nothing that could be told from a bad network: the network must go on at the stated pace. */
  | { readonly kind: 'none' }
  /** The meter's reading: the ledger charges the deviation. */
  | { readonly kind: 'deviation' }
  /** Others no longer listen to it. */
  | { readonly kind: 'dropped' };

export interface Attack {
  readonly id: string;
  readonly choices: readonly MisbehaviourChoice[];
  readonly consequence: Consequence;
  readonly protocol: 'poeg' | 'posoc';
  /** A transaction of the first honest member must be committed all the same. */
  readonly submits?: boolean;
}

const OFFENCE = (...evidence: string[]): Consequence => ({ kind: 'offence', evidence });
const invalid = (kind: string, protocol: Attack['protocol'] = 'poeg'): Attack => ({
  id: `invalid-block: ${kind}`,
  choices: [{ name: 'invalid-block', parameters: { kind } }],
  consequence: OFFENCE('invalid-block'),
  protocol,
});
const attack = (name: string, consequence: Consequence, more: Partial<Attack> = {}): Attack => ({
  id: name,
  choices: [{ name }],
  consequence,
  protocol: 'poeg',
  ...more,
});

/** Four honest members, to compare with. */
export const NOBODY = attack('nobody', { kind: 'none' }, { choices: [] });

/** Every misbehaviour, and every kind of invalid block. */
export const ATTACKS: readonly Attack[] = [
  attack('refuse', { kind: 'refusal' }),
  invalid('wrong-trade'),
  invalid('flow-not-optimal'),
  invalid('inflated-reward'),
  invalid('wrong-election'),
  invalid('wrong-state-root'),
  invalid('left-out-announcement'),
  invalid('overspent-transaction'),
  invalid('forged-signature'),
  invalid('wrong-model', 'posoc'),
  attack('equivocate', OFFENCE('proposals')),
  attack('double-vote', OFFENCE('votes')),
  attack('vouch', OFFENCE('votes'), {
    id: 'vouch for both blocks of an equivocation',
    choices: [{ name: 'equivocate' }, { name: 'vouch' }],
    consequence: OFFENCE('proposals', 'votes'),
  }),
  attack('withhold-votes', { kind: 'none' }),
  attack('withhold-bundles', { kind: 'none' }),
  attack('censor', { kind: 'none' }, { choices: [{ name: 'censor', parameters: { victim: 1 } }], submits: true }),
  attack('delay', { kind: 'none' }, { choices: [{ name: 'delay', parameters: { delayMs: 400 } }] }),
  attack('replay', { kind: 'none' }),
  attack('flood', { kind: 'dropped' }, { choices: [{ name: 'flood', parameters: { perBurst: 400, everyMs: 100 } }] }),
  attack('overstate', { kind: 'deviation' }),
  attack('announce-twice', OFFENCE('contributions')),
];
