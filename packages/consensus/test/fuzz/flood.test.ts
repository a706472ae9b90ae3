import { describe, expect, it } from 'vitest';
import { blockHash, encodeBlock, encodeCertificate, signBatch, signProposal, signVote } from '../../src/chain/index.ts';
import type { Vote } from '../../src/chain/types.ts';
import { composeBlock } from '../../src/composition/index.ts';
import { beaconMessage } from '../../src/election/index.ts';
import { encodeMessage } from '../../src/wire/messages.ts';
import { expectBounded } from './campaign.ts';
import { Village } from './village.ts';

/** A village whose first peer waits for the settlement of a slot, whose precommits carry beacon shares. */
function atTheEndOfATerm(): Village {
  const village = new Village();
  village.settle(10_000, () => village.at(0).peer.view.state.slot >= 2);
  village.settle(10_000, () => village.at(0).peer.view.state.phase === 'closed');
  return village;
}

function goesOn(village: Village): void {
  const slot = village.at(0).peer.view.state.slot + 2;
  village.settle(10_000, () => village.villagers.every(({ peer }) => peer.view.state.slot >= slot));
}

describe('precommits for a block that a peer does not know, at the end of a term', () => {
  const precommit = (village: Village, voter: number, k: number): Vote =>
    signVote(
      village.chain.rules.chainId,
      {
        type: 'precommit',
        height: village.at(0).peer.view.state.height + 1,
        round: k,
        blockHash: k.toString(16).padStart(64, '0'),
        timestampMs: village.nowMs,
        extension: { beaconShare: null, held: '', overdue: [] },
        voter,
      },
      village.signer(village.hostile),
    );

  it('are kept of members only, and only when they are really theirs', () => {
    const village = atTheEndOfATerm();
    const timersBefore = village.at(0).timers.size;
    for (let voter = 0; voter < 400; voter += 4) {
      const votes = Array.from({ length: 4 }, (_, k) => precommit(village, voter + k, 1));
      village.attack(0, encodeMessage({ type: 'votes', votes }));
    }
    expectBounded(village);
    // In the name of others: enough of them for one hash would set the peer looking for a block that does not exist.
    for (let k = 1; k <= 50; k += 1) {
      const votes = [0, 1, 2].map((voter) => precommit(village, voter, k));
      village.attack(0, encodeMessage({ type: 'votes', votes }));
    }
    expect(village.at(0).timers.size).toBe(timersBefore);
    goesOn(village);
    expectBounded(village);
  });
});

describe('a message with more votes than the chain has members', () => {
  it('is not looked into: each vote would cost a signature check', () => {
    const village = new Village();
    village.elapse(300);
    const { chain, hostile } = village;
    const { height } = village.at(0).peer.view.state;
    const votes = Array.from({ length: 5 }, (_, round) =>
      signVote(
        chain.rules.chainId,
        {
          type: 'prevote',
          height: height + 1,
          round,
          blockHash: null,
          timestampMs: village.nowMs,
          extension: null,
          voter: hostile,
        },
        village.signer(hostile),
      ),
    );
    const verdictOn = (some: readonly Vote[]) => village.attack(0, encodeMessage({ type: 'votes', votes: some }));
    expect(verdictOn(votes)).toMatchObject({ verdict: 'ignore', code: 'VOTES_TOO_MANY' });
    expect(verdictOn(votes.slice(0, 4))).toMatchObject({ verdict: 'accept' });
  });
});

describe('proposals of a member whose turn it is not', () => {
  it('do not crowd out the block that is being voted on', () => {
    const village = atTheEndOfATerm();
    const { rules } = village.chain;
    let round = 0;
    /** More blocks than a peer keeps, each correctly signed; composed by the rules in all but what they promise. */
    const flood = (victim: number): void => {
      const { state, certificate } = village.at(victim).peer.view;
      const { block } = composeBlock(rules, state, {
        kind: 'closing',
        composer: village.hostile,
        composingRound: 0,
        parentCertificate: certificate,
        batches: [],
        contributions: [],
      });
      for (let k = 0; k < 33; k += 1) {
        round += 1;
        const header = { ...block.header, composingRound: round };
        const at = { height: state.height + 1, round, polRound: -1, proposer: village.hostile };
        const unsigned = { ...at, blockHash: blockHash(header) };
        const proposal = signProposal(rules.chainId, unsigned, village.signer(village.hostile));
        const encoded = encodeBlock({ ...block, header });
        village.attack(victim, encodeMessage({ type: 'proposal', proposal, block: encoded, polVotes: [] }));
      }
    };
    for (let k = 0; k < 25; k += 1) {
      for (const victim of [0, 1, 2]) if (village.at(victim).peer.view.state.phase === 'closed') flood(victim);
      village.elapse(4);
    }
    expectBounded(village);
    goesOn(village);
  });
});

describe('a block that nobody decided', () => {
  it('is not adopted with a certificate that its members did not sign', () => {
    const village = atTheEndOfATerm();
    const { rules } = village.chain;
    const { state, certificate } = village.at(0).peer.view;
    const { block, blockHash: hash } = composeBlock(rules, state, {
      kind: 'settlement',
      composer: village.at(0).peer.view.list[0]?.rank as number,
      composingRound: 0,
      parentCertificate: certificate,
      batches: [],
      contributions: [],
    });
    const at = { height: state.height + 1, round: 0, blockHash: hash };
    const share = village.signer(village.hostile).signBeaconShare(beaconMessage(rules.chainId, state.term + 1, hash));
    const votes = [0, 1, 2].map((voter) =>
      signVote(
        rules.chainId,
        {
          ...at,
          type: 'precommit',
          voter,
          timestampMs: village.nowMs,
          extension: { beaconShare: share, held: '', overdue: [] },
        },
        village.signer(village.hostile),
      ),
    );
    const forged = encodeCertificate({ ...at, votes });
    const items = [{ block: encodeBlock(block), certificate: forged }];
    expect(village.attack(0, encodeMessage({ type: 'blocks', items }))).toMatchObject({
      verdict: 'reject',
      writes: [],
    });
    goesOn(village);
  });
});

describe('one account', () => {
  it('cannot fill the pool with transactions that wait for one that never comes', () => {
    const village = new Village();
    village.elapse(300);
    const { chainId } = village.chain.rules;
    const operation = { type: 'transfer', asset: 'upos', to: village.keyOf(0), amount: 1n } as const;
    let firstNonce = 1;
    for (const count of [256, 256, 256, 256, 256, 256, 256, 208]) {
      const operations = Array.from({ length: count }, () => operation);
      const batch = signBatch({ chainId, firstNonce, operations }, village.signer(village.hostile));
      for (const victim of [0, 1, 2]) village.attack(victim, encodeMessage({ type: 'batch', batch }));
      firstNonce += count;
    }
    village.pay();
    village.settle(10_000, () => village.paid === 1);
  });
});

describe('a member that claims heights that nobody has', () => {
  it('takes little of the time in which others make blocks', () => {
    const village = new Village();
    village.elapse(300);
    const claim = encodeMessage({ type: 'status', height: Number.MAX_SAFE_INTEGER });
    const requests = [0, 0, 0];
    for (let k = 0; k < 600; k += 1) {
      for (const victim of [0, 1, 2]) {
        const { sends } = village.attack(victim, claim);
        requests[victim] = (requests[victim] ?? 0) + sends.length;
      }
      village.elapse(10);
    }
    // At the start, and after waits of 2, 4 and 8 timeouts of 400 ms; asked each time, it would be 15 requests.
    expect(requests).toEqual([3, 3, 3]);
    goesOn(village);
  });
});
