import { beforeEach, describe, expect, it } from 'vitest';
import {
  decodeBlock,
  decodeCertificate,
  encodeBlock,
  encodeCertificate,
  signProposal,
  signVote,
} from '../../src/chain/index.ts';
import type { ChainState } from '../../src/chain/state.ts';
import type { Block, EvidenceItem, Vote, VoteType } from '../../src/chain/types.ts';
import { decodeState, encodeState } from '../../src/execution/index.ts';
import type { CommitRecord, Outgoing } from '../../src/peer/ports.ts';
import { decodePayload, encodePayload } from '../../src/poeg/payload.ts';
import { encodeMessage, type Message } from '../../src/wire/messages.ts';
import { BundleMonitor } from './bundle-monitor.ts';
import { checkDraws, type Draw } from './draw-monitor.ts';
import { Monitors } from './monitors.ts';
import { POEG_LIFE } from './poeg-life.ts';
import { Rng } from './rng.ts';
import { worldOf } from './run.ts';
import { World } from './world.ts';
import { FAIR } from './world-options.ts';

const TIMELY = { deliveryMs: 20, repairMs: 2_000 };
const A = 'aa'.repeat(32);
const B = 'bb'.repeat(32);

/** A chain of four honest members, to be looked at by fresh monitors after something was done to it. */
const world = new World({ ...worldOf(1), members: 4, clock: 'ready', weather: FAIR, slotPaceMs: 20, stormMs: 1_500 });
world.storm();
const { rules, signers } = world.chain;
const { disk } = world.nodes[0] as World['nodes'][number];
const commits = disk.commits;
const indexOf = (matches: (block: Block) => boolean): number =>
  commits.findIndex(({ block, height }) => height > 4 && matches(decodeBlock(block)));
const SETTLEMENT = indexOf(({ header }) => header.kind === 'settlement');
const FIRST_OF_TERM = indexOf(({ header }) => header.seedSignature !== null);

let monitors: Monitors;
beforeEach(() => {
  monitors = new Monitors(rules, POEG_LIFE.signedBy, new Set(), TIMELY);
});

function send(rank: number, message: Message): void {
  const outgoing: Outgoing = { type: 'broadcast', topic: 'bundles', resend: false, bytes: encodeMessage(message) };
  monitors.sent(rank, outgoing);
}

function votesBehind({ block, certificate }: CommitRecord): readonly Vote[] {
  return [...(decodeBlock(block).parentCertificate?.votes ?? []), ...decodeCertificate(certificate).votes];
}

/** Commits the chain from its beginning, every vote having been seen, up to `last`, which `change` may alter. */
function replay(
  last: number,
  change: (commit: CommitRecord) => CommitRecord,
  seen: (vote: Vote) => Vote = (vote) => vote,
) {
  for (const [k, commit] of commits.slice(0, last + 1).entries()) {
    for (const vote of votesBehind(commit)) send(vote.voter, { type: 'votes', votes: [seen(vote)] });
    monitors.committed(0, k === last ? change(commit) : commit, disk);
  }
}

const withBlock =
  (change: (block: Block) => Partial<Block>) =>
  (commit: CommitRecord): CommitRecord => {
    const block = decodeBlock(commit.block);
    return { ...commit, block: encodeBlock({ ...block, ...change(block) }) };
  };
const withState =
  (change: (state: ChainState) => Partial<ChainState>) =>
  (commit: CommitRecord): CommitRecord => {
    const state = decodeState(rules, commit.state);
    return { ...commit, state: encodeState(rules, { ...state, ...change(state) }) };
  };
const same = (commit: CommitRecord): CommitRecord => commit;

function vote(voter: number, type: VoteType, round: number, hash: string | null): Vote {
  const extension = type === 'precommit' && hash !== null ? { beaconShare: null, held: '', overdue: [] } : null;
  const at = { height: 1, round, timestampMs: 0, extension };
  return signVote(rules.chainId, { type, ...at, blockHash: hash, voter }, signers[voter] as (typeof signers)[number]);
}

it('the monitors find nothing in a chain of honest members', () => {
  expect(SETTLEMENT).toBeGreaterThan(0);
  replay(commits.length - 1, same);
  expect(monitors.height).toBe(commits.length);
});

describe('the monitor of invariant', () => {
  it('1 sees two blocks at one height', () => {
    replay(3, same);
    const [, , third] = commits as [CommitRecord, CommitRecord, CommitRecord];
    expect(() => monitors.committed(1, { ...third, blockHash: A }, disk)).toThrow(/^1: two blocks at height 3/);
  });

  it('2 sees two votes, two proposals and two contributions of an honest member', () => {
    send(1, { type: 'votes', votes: [vote(1, 'prevote', 0, A)] });
    expect(() => send(2, { type: 'votes', votes: [vote(1, 'prevote', 0, null)] })).toThrow(/^2: .* two votes/);
    const propose = (hash: string) => {
      const place = { height: 1, round: 0, blockHash: hash, polRound: -1, proposer: 1 };
      const proposal = signProposal(rules.chainId, place, signers[1] as (typeof signers)[number]);
      send(1, { type: 'proposal', proposal, block: (commits[0] as CommitRecord).block, polVotes: [] });
    };
    propose(A);
    expect(() => propose(B)).toThrow(/^2: .* two proposals/);
    const announce = (seed: string) => {
      const [bytes] = POEG_LIFE.source(world.chain, seed, 1).contributions(0, null, { get: () => null });
      send(1, { type: 'contribution', bytes: bytes as Uint8Array });
    };
    announce('x');
    expect(() => announce('y')).toThrow(/^2: .* two contributions/);
  });

  it('3 sees that an honest block is called invalid, and that an honest member is slashed or pays in fair weather', () => {
    expect(() => monitors.refused(0, 'member 1', 'BLOCK_WRONG_STATE_ROOT', 'so it is')).toThrow(/^3: .* invalid/);
    const outcome = { type: 'votes', member: 1, fault: null, slashedMicro: 1n } as const;
    const punish = withState(({ discipline }) => ({ discipline: { ...discipline, outcomes: [outcome] } }));
    expect(() => replay(4, punish)).toThrow(/^3: honest member 1 is slashed at height 5/);
  });

  it('3 sees a refusal penalty in fair weather, and 15 a second one', () => {
    const item: EvidenceItem = {
      type: 'timeout',
      height: 5,
      round: 0,
      votes: [{ voter: 0, timestampMs: 0, signature: '00'.repeat(64) }],
    };
    const outcome = { type: 'timeout', member: 1, fault: null, slashedMicro: 1n } as const;
    const penalise = (commit: CommitRecord): CommitRecord =>
      withBlock(() => ({ evidence: [item, item] }))(
        withState(({ discipline }) => ({ discipline: { ...discipline, outcomes: [outcome, outcome] } }))(commit),
      );
    expect(() => replay(4, penalise)).toThrow(/^15: two refusal penalties/);
    monitors = new Monitors(rules, POEG_LIFE.signedBy, new Set(), TIMELY);
    monitors.timelyFrom(5);
    expect(() => replay(4, penalise)).toThrow(/^3: honest member 1 is penalised for height 5, in fair weather/);
  });

  it('4 sees a certificate of too few votes', () => {
    const short = (commit: CommitRecord): CommitRecord => {
      const certificate = decodeCertificate(commit.certificate);
      return { ...commit, certificate: encodeCertificate({ ...certificate, votes: certificate.votes.slice(1) }) };
    };
    const plain = indexOf(({ header }) => header.kind !== 'settlement');
    expect(() => replay(plain, short)).toThrow(/^4: certificate of height/);
  });

  it('5 sees a prevote against a lock, unless a quorum of prevotes allows it', () => {
    send(1, { type: 'votes', votes: [vote(1, 'precommit', 0, A)] });
    const against = () => send(1, { type: 'votes', votes: [vote(1, 'prevote', 2, B)] });
    for (const voter of [2, 3]) send(voter, { type: 'votes', votes: [vote(voter, 'prevote', 1, B)] });
    expect(against).toThrow(/^5: member 1 prevoted/);
    monitors = new Monitors(rules, POEG_LIFE.signedBy, new Set(), TIMELY);
    send(1, { type: 'votes', votes: [vote(1, 'precommit', 0, A)] });
    for (const voter of [0, 2, 3]) send(voter, { type: 'votes', votes: [vote(voter, 'prevote', 1, B)] });
    expect(against).not.toThrow();
  });

  it('6 sees two election lists after one block', () => {
    replay(3, same);
    const moved = withState(({ election }) => ({ election: { ...election, demoted: [0] } }));
    const moreso = withState(({ election }) => ({ election: { ...election, demoted: [1] } }));
    const fourth = commits[3] as CommitRecord;
    expect(() => [moved, moreso].map((change) => monitors.committed(1, change(fourth), disk))).toThrow(
      /^6: two election/,
    );
  });

  it('7 sees other bytes than those that were committed, and a block that fails its checks', () => {
    expect(() =>
      replay(
        4,
        withBlock(({ header }) => ({ header: { ...header, composer: header.composer ^ 1 } })),
      ),
    ).toThrow(/^7: stored bytes of height 5/);
    monitors = new Monitors(rules, POEG_LIFE.signedBy, new Set(), TIMELY);
    const items: EvidenceItem[] = [{ type: 'omitted', hash: A }];
    expect(() =>
      replay(
        4,
        withBlock(() => ({ evidence: items })),
      ),
    ).toThrow(/^7: committed block 5 fails/);
  });

  it('8 sees that a world does not come to rest', () => {
    const short = new World({ ...worldOf(2), weather: FAIR, stormMs: 100 });
    short.storm();
    expect(() => short.calm(500, () => false)).toThrow(/^8: not at rest 500 ms after the storm/);
  });

  it('9 sees a transaction that is committed late', () => {
    const last = commits.findIndex(({ transactionIds }) => transactionIds.length > 0);
    const { transactionIds, height } = commits[last] as CommitRecord;
    const [id] = transactionIds as [string];
    monitors.promised(id, height);
    monitors.promised(id, height + 1);
    replay(last, same);
    monitors = new Monitors(rules, POEG_LIFE.signedBy, new Set(), TIMELY);
    monitors.promised(id, height - 1);
    expect(() => replay(last, same)).toThrow(/^9: a transaction due at height/);
  });

  it('10 sees an announcement that enough members held and that is not settled', () => {
    const without = withBlock(({ payload }) => {
      const claimed = decodePayload(payload);
      return { payload: encodePayload({ ...claimed, announcements: claimed.announcements.slice(1) }) };
    });
    expect(() => replay(SETTLEMENT, without)).toThrow(/^10: \d honest members held announcement/);
  });

  it('11 sees chain time fall, and run ahead', () => {
    const { chainTimeMs } = decodeState(rules, (commits[3] as CommitRecord).state);
    expect(() =>
      replay(
        4,
        withState(() => ({ chainTimeMs: chainTimeMs - 1 })),
      ),
    ).toThrow(/^11: chain time fell/);
    monitors = new Monitors(rules, POEG_LIFE.signedBy, new Set(), TIMELY);
    const ahead = withState((state) => ({ chainTimeMs: state.chainTimeMs + 60_000 }));
    expect(() => replay(4, ahead)).toThrow(/^11: chain time of height 5 is ahead/);
  });

  it('12 sees a seed of which too few shares were signed', () => {
    const hidden = (one: Vote): Vote => ({
      ...one,
      extension: one.extension === null ? null : { ...one.extension, beaconShare: null },
    });
    expect(() => replay(FIRST_OF_TERM, same, hidden)).toThrow(/^12: the seed of term \d+ after 0 shares/);
  });

  it('14 sees a state that the block does not give', () => {
    const more = withState(({ ledger }) => {
      const accounts = ledger.accounts.map((account, k) =>
        k === 0 ? { ...account, nonce: account.nonce + 1 } : account,
      );
      return { ledger: { ...ledger, accounts } };
    });
    expect(() => replay(4, more)).toThrow(/^14: re-execution of height 5/);
  });

  it('15 sees money out of nowhere', () => {
    const more = withState(({ ledger }) => {
      const accounts = ledger.accounts.map((one, k) => (k === 0 ? { ...one, uposMicro: one.uposMicro + 1n } : one));
      return { ledger: { ...ledger, accounts } };
    });
    expect(() => replay(4, more)).toThrow(/^15: upos: accounts hold/);
  });
});

it('the monitors see that an acknowledged transaction is lost', () => {
  replay(commits.length - 1, same);
  monitors.checkAcknowledged(commits);
  const emptied = commits.map((commit) => ({ ...commit, transactionIds: [] }));
  expect(() => monitors.checkAcknowledged(emptied)).toThrow(/^acknowledged transaction/);
});

describe('the monitor of invariant 13', () => {
  const rng = new Rng('draws');
  const shares = [0.5, 0.3, 0.15, 0.05];
  const drawn = (): Draw => {
    const place = rng.unit();
    return { shares, colluders: [2, 3], winner: [0.5, 0.8, 0.95, 1].findIndex((upTo) => place < upTo) };
  };
  const draws = Array.from({ length: 400 }, drawn);

  it('accepts draws by weight', () => {
    expect(() => checkDraws(draws)).not.toThrow();
  });

  it('sees equal chances, and colluders that get their way in every other draw', () => {
    const uniform = draws.map((draw) => ({ ...draw, winner: rng.below(4) }));
    expect(() => checkDraws(uniform)).toThrow(/^13: of 400 draws/);
    const ground = draws.map((draw, k) => (k % 2 === 0 ? { ...draw, winner: 3 } : draw));
    expect(() => checkDraws(ground)).toThrow(/^13: of 400 draws/);
  });
});

describe('the monitor of invariant 16', () => {
  const options = { members: 4, quorum: 3, corrupt: new Set([3]), ...TIMELY };
  const act = { type: 'prevote', height: 1, round: 0, blockHash: A } as const;
  const prevotes = [0, 1, 2].map((voter) => vote(voter, 'prevote', 0, A));
  const precommits = [0, 1, 2].map((voter) => vote(voter, 'precommit', 0, A));
  let bundles: BundleMonitor;
  beforeEach(() => {
    bundles = new BundleMonitor(options);
  });

  it('waits for the votes of a quorum, in whichever way they come, on every honest peer', () => {
    bundles.timely(0, 1);
    bundles.acted(100, 0, act, false);
    bundles.arrived(0, prevotes);
    bundles.arrived(1, prevotes);
    for (const one of prevotes.slice(0, 2)) bundles.arrived(2, [one]);
    bundles.check(120);
    expect(() => bundles.check(121)).toThrow(/^16: the prevotes of 1\/0 on which member 0 acted have not reached 2 /);
    bundles.arrived(2, prevotes.slice(2));
    bundles.check(121);
  });

  it('counts no vote twice, none for another block or round, and none from before a restart', () => {
    bundles.timely(0, 1);
    bundles.acted(100, 0, act, false);
    for (const rank of [0, 1]) bundles.arrived(rank, prevotes);
    bundles.arrived(
      2,
      [0, 0, 0].map((voter) => vote(voter, 'prevote', 0, A)),
    );
    bundles.arrived(
      2,
      [0, 1, 2].map((voter) => vote(voter, 'prevote', 0, B)),
    );
    bundles.arrived(2, precommits);
    expect(() => bundles.check(121)).toThrow(/^16:/);
    bundles.arrived(2, prevotes);
    bundles.started(2, 0);
    expect(() => bundles.check(121)).toThrow(/^16:/);
  });

  it('is content when the height is decided there, or newer prevotes have come; not with those for a decision', () => {
    bundles.timely(0, 1);
    bundles.acted(100, 0, act, false);
    bundles.acted(100, 0, { ...act, type: 'precommit' }, false);
    bundles.arrived(0, [...prevotes, ...precommits]);
    bundles.decided(1, 1);
    bundles.arrived(
      2,
      [0, 1, 2].map((voter) => vote(voter, 'prevote', 1, B)),
    );
    expect(() => bundles.check(121)).toThrow(/^16: the precommits of 1\/0 .* have not reached 2 /);
    bundles.decided(2, 1);
    bundles.check(121);
  });

  it('gives time to repair what was lost before, or learned by catching up; none to liars', () => {
    bundles.acted(100, 0, act, false);
    bundles.acted(100, 3, { ...act, round: 5 }, false);
    bundles.check(9_000);
    bundles.timely(10_000, 2);
    bundles.acted(10_500, 1, { ...act, height: 2 }, true);
    bundles.check(12_000);
    expect(() => bundles.check(12_001)).toThrow(/^16: the prevotes of 1\/0/);
    for (const rank of [0, 1, 2]) bundles.decided(rank, 1);
    bundles.check(12_500);
    expect(() => bundles.check(12_501)).toThrow(/^16: the prevotes of 2\/0/);
  });
});
