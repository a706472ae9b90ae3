import type { Block, Hash } from '../chain/types.ts';
import { keepBlock, type Transition, verdictOn, wantedBlocks } from './state.ts';
import { scheduleResend } from './timers.ts';
import { announceBundle } from './votes.ts';

/**
 * Rule: a quorum of precommits of one round for one block decides. A peer that would defer the block follows the quorum,
 * in which honest members have checked it; one that finds it invalid does not, whatever the quorum says.
 */
export function decide(t: Transition): boolean {
  const { commit } = t.state;
  if (commit === null) return false;
  const verdict = verdictOn(t, commit.blockHash);
  const block = t.state.blocks.get(commit.blockHash)?.block;
  if (block === undefined || verdict === 'invalid') return false;
  announceBundle(t, commit.round, 'precommit');
  t.effects.push({ type: 'decide', block, certificate: commit });
  t.state = { ...t.state, decision: { block, certificate: commit } };
  return true;
}

/** Rule: fetch each missing block; the resend timer asks again. */
export function fetchMissing(t: Transition): boolean {
  const fresh = wantedBlocks(t.state).filter((hash) => !t.state.missing.includes(hash));
  if (fresh.length === 0) return false;
  for (const blockHash of fresh) t.effects.push({ type: 'fetch-block', blockHash });
  t.state = { ...t.state, missing: wantedBlocks(t.state) };
  scheduleResend(t);
  return true;
}

/** A fetched block; kept only if it is still missing. */
export function receiveBlock(t: Transition, block: Block, blockHash: Hash): void {
  if (wantedBlocks(t.state).includes(blockHash)) keepBlock(t, blockHash, block);
}

/** Forgets every `defer`, so that the next rule that needs the verdict asks again. */
export function reconsiderBlocks(t: Transition): void {
  const blocks = new Map(t.state.blocks);
  for (const [hash, known] of blocks)
    if (known.verdict === 'defer') blocks.set(hash, { block: known.block, verdict: 'unjudged' });
  t.state = { ...t.state, blocks };
}
