/** What protocol section 10 promises and a world has broken; the message starts with the invariant's number. */
export class InvariantViolation extends Error {}
