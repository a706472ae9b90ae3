import { BlockRejection, type CheckName } from '../application/rejection.ts';
import type { ChainRules, ChainState } from '../chain/state.ts';
import type { Block, Hash } from '../chain/types.ts';
import { finishBlock, startBlock } from '../execution/execute-block.ts';
import { checkBeacon } from './beacon.ts';
import { checkChainTime } from './chain-time.ts';
import { checkComposer } from './composer.ts';
import { checkKind } from './kind.ts';
import { checkParent } from './parent.ts';
import { checkSettlement } from './settlement.ts';
import { checkStateRoot } from './state-root.ts';
import { checkStructure } from './structure.ts';
import type { Subject } from './subject.ts';
import { checkTransactions } from './transactions.ts';

export type BlockVerdict =
  | { readonly ok: true; readonly state: ChainState }
  | { readonly ok: false; readonly rejection: BlockRejection };

/**
 * The checks of protocol section 5 in their order, up to the first that fails. Objective: the verdict depends on the rules,
 * the parent's state and the block only, so it is the same on every peer, whenever it is asked for. Never throws.
 *
 * `blockHash` is what the block was announced as, `blockBytes` the length of its encoding. A verdict of
 * `BLOCK_NOT_OF_ITS_HASH` is about these bytes, not about the block of that hash (see `isBlockOf`).
 */
export function verifyBlock(
  rules: ChainRules,
  parent: ChainState,
  block: Block,
  blockHash: Hash,
  blockBytes: number,
): BlockVerdict {
  const subject: Subject = { rules, parent, block, blockHash, blockBytes };
  let running: CheckName = 'structure';
  const run = <T>(name: CheckName, check: () => T): T => {
    running = name;
    return check();
  };
  try {
    run('structure', () => checkStructure(subject));
    run('parent', () => checkParent(subject));
    run('composer', () => checkComposer(subject));
    run('beacon', () => checkBeacon(subject));
    run('chain-time', () => checkChainTime(subject));
    run('kind', () => checkKind(subject));
    const draft = startBlock(rules, parent);
    run('transactions', () => checkTransactions(subject, draft));
    const settled = run('settlement', () => checkSettlement(subject, draft));
    const state = finishBlock(rules, parent, block.header, blockHash, draft.finish(), settled);
    run('state-root', () => checkStateRoot(subject, state));
    return { ok: true, state };
  } catch (error) {
    if (error instanceof BlockRejection) return { ok: false, rejection: error };
    // A check that breaks down on a block has not accepted it; the next block must still be judged.
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { ok: false, rejection: new BlockRejection(running, 'BLOCK_CHECK_FAILED', `check ${running}: ${reason}`) };
  }
}
