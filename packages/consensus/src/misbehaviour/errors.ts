/** `MISBEHAVIOUR_UNKNOWN`: no such name. `MISBEHAVIOUR_BAD_PARAMETER`: a parameter that is not in the schema, or its value. */
export type MisbehaviourErrorCode = 'MISBEHAVIOUR_UNKNOWN' | 'MISBEHAVIOUR_BAD_PARAMETER';

/** A choice of misbehaviour that cannot be carried out. */
export class MisbehaviourError extends Error {
  readonly code: MisbehaviourErrorCode;

  constructor(code: MisbehaviourErrorCode, reason: string) {
    super(`${code}: ${reason}`);
    this.name = 'MisbehaviourError';
    this.code = code;
  }
}
