import type { ChainState } from '../chain/state.ts';
import { stateRoot } from '../execution/state-root.ts';
import { ensure, type Subject } from './subject.ts';

/** The header commits to the state that executing the block gives. */
export function checkStateRoot({ rules, block }: Subject, state: ChainState): void {
  const root = stateRoot(rules, state);
  ensure(block.header.stateRoot === root, 'state-root', 'BLOCK_WRONG_STATE_ROOT', () => {
    return `the block promises state ${block.header.stateRoot}, executing it gives ${root}`;
  });
}
