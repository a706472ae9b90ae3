export type LabErrorCode =
  | 'SCENARIO_UNREADABLE'
  /** Not YAML, a misspelt key, a wrong value, an impossible timeline: the message names line and column. */
  | 'SCENARIO_INVALID'
  /** A result folder is not what a command needs. */
  | 'RESULT_UNREADABLE'
  | 'RESULT_EXISTS'
  | 'SWEEP_BAD_OPTION'
  /** The engine or the compose program is missing, or did not do what it was told. */
  | 'DOCKER_FAILED'
  /** The network did not come up; nothing was tested. */
  | 'LAB_NOT_STARTED';

/** An experiment that cannot be done as asked; the message says where it is wrong and what to do. */
export class LabError extends Error {
  readonly code: LabErrorCode;

  constructor(code: LabErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LabError';
    this.code = code;
  }
}
