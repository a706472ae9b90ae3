import type { BatchEnvironment } from '../environment/batch-environment.ts';

/** Chooses, for every EV present, the share of pMax to request in its next slot: [-1, 1], positive charges. */
export interface Policy {
  readonly name: string;
  act(environment: BatchEnvironment, command: Float64Array): void;
}

/** Plays `environment` to the last departure. */
export function playOut(environment: BatchEnvironment, policy: Policy): void {
  const command = new Float64Array(environment.days.count);
  do {
    policy.act(environment, command);
  } while (environment.step(command) > 0);
}
