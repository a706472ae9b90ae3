export type LearningErrorCode =
  /** The folder holds a run already. */
  | 'TRAIN_FOLDER_IN_USE'
  | 'TRAIN_FOLDER_UNWRITABLE'
  /** There is nothing to go on from. */
  | 'TRAIN_NO_CHECKPOINT'
  /** The state or the checkpoint is not what was written: cut, changed, or of another program. */
  | 'TRAIN_CHECKPOINT_CORRUPT'
  /** A whole checkpoint, but of a run with other settings. */
  | 'TRAIN_CHECKPOINT_MISMATCH'
  | 'TRAIN_INVALID_OPTION'
  /** A model or what Adam remembers is no longer a number, and never will be again. */
  | 'TRAIN_DIVERGED'
  | 'EVALUATE_UNKNOWN_POLICY'
  | 'EVALUATE_INVALID_OPTION'
  /** The model observes other features than the world that it is to be measured in. */
  | 'EVALUATE_WRONG_WORLD'
  /** The file of stays or prices has no day that an EV can play. */
  | 'EVALUATE_NO_DAYS'
  /** What a peer's learner has kept is of another member, chain or model. */
  | 'EV_LEARNER_MISMATCH';

/** Training or evaluation that cannot be done; the message says why and what to do. */
export class LearningError extends Error {
  readonly code: LearningErrorCode;

  constructor(code: LearningErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LearningError';
    this.code = code;
  }
}
