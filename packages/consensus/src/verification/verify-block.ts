import { BlockRejection, type CheckName } from '../application/rejection.ts';
import type { ChainHistory } from '../chain/history.ts';
import type { ChainRules, ChainState } from '../chain/state.ts';
import type { Block, Hash } from '../chain/types.ts';
import { barredContributions } from '../evidence/index.ts';
import { finishBlock, hearingOf, startBlock, UNKNOWN_PAST } from '../execution/execute-block.ts';
import { checkBeacon } from './beacon.ts';
import { checkChainTime } from './chain-time.ts';
import { checkComposer } from './composer.ts';
import { checkInclusion } from './inclusion.ts';
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
 * `history` is the chain up to the parent, on which evidence of earlier heights is decided; by default nothing is known of
 * it. `blockHash` is what the block was announced as, `blockBytes` the length of its encoding. A verdict of
 * `BLOCK_NOT_OF_ITS_HASH` is about these bytes, not about the block of that hash (see `isBlockOf`).
 */
export function verifyBlock(
  rules: ChainRules,
  parent: ChainState,
  block: Block,
  blockHash: Hash,
  blockBytes: number,
  history: ChainHistory = UNKNOWN_PAST,
): BlockVerdict {
  return runChecks({ rules, parent, block, blockHash, blockBytes, history, inProof: false });
}

/**
 * The same checks on a block that stands in a proof (see `EvidenceItem`): why it is invalid, or null when everything holds
 * that can be told without the accusations that were left out of it.
 */
export function repeatChecks(
  rules: ChainRules,
  parent: ChainState,
  block: Block,
  blockHash: Hash,
  blockBytes: number,
  history: ChainHistory,
): BlockRejection | null {
  const verdict = runChecks({ rules, parent, block, blockHash, blockBytes, history, inProof: true });
  return verdict.ok ? null : verdict.rejection;
}

function runChecks(subject: Subject): BlockVerdict {
  const { rules, parent, block, blockHash, inProof } = subject;
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
    const hearing = hearingOf(rules, parent, block.parentCertificate, subject.history);
    const barred = run('inclusion', () => barredContributions(hearing, block.evidence));
    run('inclusion', () => checkInclusion(subject, barred));
    const settled = run('settlement', () => checkSettlement(subject, barred, draft));
    const state = run('state-root', () => finishBlock(hearing, block, blockHash, draft, settled));
    const isComplete = !inProof || block.evidence.every(({ type }) => type !== 'omitted');
    if (isComplete) run('state-root', () => checkStateRoot(subject, state));
    return { ok: true, state };
  } catch (error) {
    if (error instanceof BlockRejection) return { ok: false, rejection: error };
    // A check that breaks down on a block has not accepted it; the next block must still be judged.
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { ok: false, rejection: new BlockRejection(running, 'BLOCK_CHECK_FAILED', `check ${running}: ${reason}`) };
  }
}
