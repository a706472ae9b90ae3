import { expect } from 'vitest';
import type { EvidenceItem, Hash, Proposal, Vote } from '../../src/chain/types.ts';
import { signProposal, signVote } from '../../src/chain/votes.ts';
import { electionListOf, proposerAt } from '../../src/election/index.ts';
import { assessEvidence } from '../../src/evidence/index.ts';
import { timeoutOf } from '../../src/evidence/timeout.ts';
import { PoegChain, type PoegChainOptions, WORKED4 } from '../fixtures/poeg-chain.ts';

export const HASHES = ['aa'.repeat(32), 'bb'.repeat(32)] as const;
/** The faults found so far by the tests of one file: vitest loads this module anew for each. */
const seen = new Set<string>();

/** In slot 1, after its first block: the list is drawn from the coalition's and the households' scores. */
export function grown(options: PoegChainOptions = {}): PoegChain {
  const chain = new PoegChain(WORKED4, options);
  chain.settle(WORKED4.map((home, rank) => chain.announcement(1, rank, home)));
  const payer = chain.network.accounts[0]!;
  const pay = { type: 'transfer', asset: 'upos', to: payer.publicKey, amount: 1n } as const;
  chain.grow('transactions', { batches: [chain.batch(payer, 0, [pay])] });
  return chain;
}

export const vote = (chain: PoegChain, voter: number, height: number, round: number, hash: Hash | null): Vote =>
  signVote(
    chain.rules.chainId,
    { type: 'prevote', height, round, blockHash: hash, timestampMs: 5, extension: null, voter },
    chain.network.signers[voter]!,
  );

export const proposalOf = (chain: PoegChain, proposer: number, height: number, round: number, hash: Hash): Proposal =>
  signProposal(
    chain.rules.chainId,
    { height, round, blockHash: hash, polRound: -1, proposer },
    chain.network.signers[proposer]!,
  );

export const timeout = (chain: PoegChain, height: number, round: number, voters = [0, 1, 2]) =>
  timeoutOf(voters.map((voter) => vote(chain, voter, height, round, null)));

export const doubleVote = (chain: PoegChain, voter: number, height = chain.state.height, round = 0): EvidenceItem => ({
  type: 'votes',
  first: vote(chain, voter, height, round, HASHES[0]),
  second: vote(chain, voter, height, round, null),
});

export const faultOf = (chain: PoegChain, item: EvidenceItem): string => {
  const { rules, state: parent, certificate } = chain;
  const history = { at: (h: number) => (h === parent.height ? { state: parent, certificate } : chain.history.at(h)) };
  const assessment = assessEvidence({ rules, parent, history }, item);
  if (assessment.ok) return 'proven';
  expect(assessment.reason).not.toBe('');
  seen.add(assessment.fault);
  return assessment.fault;
};

export const proposer = (chain: PoegChain, round = 0): number =>
  proposerAt(electionListOf(chain.rules, chain.state, chain.certificate), round);

export const stake = (chain: PoegChain, rank: number): bigint => chain.state.ledger.accounts[rank]!.stakeMicro;

/** For the end of a file: these faults have been found in it, and no others. */
export function expectFaultsFound(...faults: readonly string[]): void {
  expect([...seen].sort()).toEqual([...faults].sort());
}
