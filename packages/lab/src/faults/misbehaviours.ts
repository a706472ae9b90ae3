/** What the rules do to a member that misbehaves (protocol section 6). */
export const CONSEQUENCES = {
  slashed: 'two signatures, or a signed block, prove it; a part of the stake is burned',
  penalised: 'a quorum saw that the member let its turn pass; it pays the refusal penalty',
  charged: 'no rule is broken, but the meter contradicts the announcement; the next settlement bills the deviation',
  borne: 'nothing proves who did it; the others have to go on all the same',
} as const;
export type Consequence = keyof typeof CONSEQUENCES;

export interface PlannedMisbehaviour {
  readonly what: string;
  readonly consequence: Consequence;
}

/** Every way in which a peer can be told to misbehave, by the name that its configuration knows. */
export const MISBEHAVIOURS = {
  refuse: { what: 'proposes nothing in its turn', consequence: 'penalised' },
  'invalid-block': { what: 'proposes blocks that break a rule (`kind`)', consequence: 'slashed' },
  equivocate: { what: 'proposes two different blocks in one round', consequence: 'slashed' },
  'double-vote': { what: 'adds a vote for nil to each of its votes for a block', consequence: 'slashed' },
  vouch: { what: 'votes for whatever its accomplices propose', consequence: 'borne' },
  'withhold-votes': { what: 'sends no vote of its own', consequence: 'borne' },
  'withhold-bundles': { what: 'passes no bundle of votes on', consequence: 'borne' },
  censor: { what: "ignores one member's transactions and announcements (`victim`, a rank)", consequence: 'borne' },
  delay: { what: 'holds back each message for a while (`delayMs`)', consequence: 'borne' },
  replay: { what: 'sends old messages of others again', consequence: 'borne' },
  flood: { what: 'sends more than anybody can use, part of it garbage', consequence: 'borne' },
  overstate: { what: 'announces more production than it will have (`percent`)', consequence: 'charged' },
  'announce-twice': { what: 'signs two different announcements for one slot', consequence: 'slashed' },
} as const satisfies Readonly<Record<string, PlannedMisbehaviour>>;

export type MisbehaviourName = keyof typeof MISBEHAVIOURS;
export const MISBEHAVIOUR_NAMES = Object.keys(MISBEHAVIOURS) as [MisbehaviourName, ...MisbehaviourName[]];
