import type { Policy } from './policy.ts';

/** Uncontrolled charging: at pMax from arrival until socMax, whatever the price. */
export const uncontrolledPolicy: Policy = {
  name: 'uncontrolled',
  act(_environment, command) {
    command.fill(1);
  },
};
