import type { Policy } from './policy.ts';

/** Does nothing; the zero of the gain scale. */
export const idlePolicy: Policy = {
  name: 'idle',
  act(_environment, command) {
    command.fill(0);
  },
};
