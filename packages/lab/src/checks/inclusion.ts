import { durationText } from '../scenario/quantities.ts';
import { type Check, holds, unknown, violated } from './facts.ts';

/** Invariant 9, as far as clients see it: what was sent comes into a block when nothing is in the way any more. */
export const inclusion: Check = {
  name: 'inclusion',
  promise: 'Every transaction of the load is in a block once faults and load are over.',
  judge: ({ scenario, load, restMs, endMs }) => {
    if (scenario.load.length === 0) return null;
    const { within } = scenario.checks.recovery;
    const { committed, outstanding } = load;
    if (outstanding === 0)
      return committed === 0 ? unknown('nothing was sent') : holds(`all ${committed} transactions`);
    const found = `${outstanding} of ${committed + outstanding} transactions were in no block ${durationText(within)} after the end of load and faults`;
    return restMs >= within
      ? violated(found, { atMs: endMs, height: null })
      : unknown(`the chain was not followed until ${outstanding} transactions came into a block`);
  },
};
