import type { Block, Hash, MemberRank, Proposal, Vote, VoteType } from '../../src/chain/types.ts';
import {
  type EngineEffect,
  type EngineEvent,
  type EngineState,
  type HeightContext,
  type LogRecord,
  restoreHeight,
  startHeight,
  step,
  type TimerName,
} from '../../src/engine/index.ts';
import {
  deepFreeze,
  type FakeBlock,
  type FakeContextOptions,
  fakeContext,
  fakeProposal,
  fakeVotes,
  HEIGHT,
} from './fake-chain.ts';

type Bare<T> = T extends unknown ? Omit<T, 'nowMs'> : never;
type EffectOf<T extends EngineEffect['type']> = Extract<EngineEffect, { type: T }>;

/** One engine with every given state frozen, so that a write to it would throw; keeps the log as a peer would. */
export class Bench {
  readonly context: HeightContext;
  state: EngineState;
  readonly log: LogRecord[] = [];
  nowMs = 1000;

  constructor(options: FakeContextOptions) {
    this.context = fakeContext(options);
    this.state = startHeight(this.context);
  }

  step(event: Bare<EngineEvent>): Effects {
    deepFreeze(this.state);
    deepFreeze(event);
    const { state, effects } = step(this.context, this.state, { ...event, nowMs: this.nowMs } as EngineEvent);
    this.state = state;
    for (const effect of effects) if (effect.type === 'persist') this.log.push(effect.record);
    return new Effects(effects);
  }

  /** Loses everything but the first `records` entries of the log and starts again. */
  restart(records = this.log.length): Effects {
    this.log.length = records;
    const { state, effects } = restoreHeight(this.context, deepFreeze([...this.log]));
    this.state = state;
    return new Effects(effects);
  }

  proposal(proposal: Proposal, block: Block, polVotes: readonly Vote[] = []): Effects {
    return this.step({ type: 'proposal', proposal, block, polVotes });
  }

  /** A fresh block, proposed by its composer in its composing round. */
  fresh(block: FakeBlock): Effects {
    const { composer, composingRound } = block.block.header;
    return this.proposal(fakeProposal(composer, composingRound, block.blockHash), block.block);
  }

  /** The block again, proposed by the proposer of a later round. */
  again(block: FakeBlock, round: number, polRound: number, voters: readonly MemberRank[] = [0, 1, 2]): Effects {
    const proposal = fakeProposal(this.context.proposer(round), round, block.blockHash, polRound);
    return this.proposal(proposal, block.block, fakeVotes('prevote', voters, polRound, block.blockHash));
  }

  votes(type: VoteType, voters: readonly MemberRank[], round: number, blockHash: Hash | null): Effects {
    return this.step({ type: 'votes', votes: fakeVotes(type, voters, round, blockHash) });
  }

  timer(name: TimerName, round: number, height = HEIGHT): Effects {
    return this.step({ type: 'timer', timer: { name, height, round } });
  }

  /** Lets the timers of rounds end until the peer is in `round`, with the other voters voting nil. */
  advanceTo(round: number, others: readonly MemberRank[]): void {
    while (this.state.round < round) {
      const current = this.state.round;
      this.timer('propose', current);
      this.votes('prevote', others, current, null);
      this.votes('precommit', others, current, null);
      this.timer('precommit', current);
      if (this.state.round === current) throw new Error(`the peer stays in round ${current}`);
    }
  }
}

export class Effects {
  readonly all: readonly EngineEffect[];

  constructor(all: readonly EngineEffect[]) {
    this.all = all;
  }

  of<T extends EngineEffect['type']>(type: T): EffectOf<T>[] {
    return this.all.filter((effect): effect is EffectOf<T> => effect.type === type);
  }

  /** Hashes that were signed now, by type of vote; undefined when none was. */
  signed(type: VoteType): Hash | null | undefined {
    const votes = this.records('vote').map(({ vote }) => vote);
    return votes.find((vote) => vote.type === type)?.blockHash;
  }

  records<T extends LogRecord['type']>(type: T): Extract<LogRecord, { type: T }>[] {
    const records = this.of('persist').map(({ record }) => record);
    return records.filter((record): record is Extract<LogRecord, { type: T }> => record.type === type);
  }

  get timers(): string[] {
    return this.of('schedule').map(({ timer, delayMs }) => `${timer.name} ${timer.round} in ${delayMs}`);
  }

  /** `type round voters hash` of each broadcast list of votes. */
  get broadcasts(): string[] {
    return this.of('broadcast-votes').map(({ votes }) =>
      votes.map((vote) => `${vote.type} ${vote.round} ${vote.voter} ${vote.blockHash ?? 'nil'}`).join(', '),
    );
  }
}
