import { attackedSeeds, type Mutation, seeds, test } from './mutation.ts';

/** Engine: the rules of agreement. */
export const ENGINE: readonly Mutation[] = [
  {
    name: 'skip the lock rule',
    breaks: 'a locked peer prevotes whatever is proposed',
    file: 'consensus/src/engine/locking.ts',
    find: 'return locked === null || locked.blockHash',
    replace: 'return true || locked === null || locked.blockHash',
    catcher: test('engine/locking.test.ts', 'another block is refused without a quorum of prevotes'),
  },
  {
    name: 'unlock on a nil quorum',
    breaks: 'a quorum of nil prevotes makes a peer forget its lock',
    file: 'consensus/src/engine/locking.ts',
    find: "quorum.blockHash !== null) return false;\n  castVote(t, 'precommit', null);",
    replace:
      "quorum.blockHash !== null) return false;\n  t.state = { ...t.state, locked: null };\n  castVote(t, 'precommit', null);",
    catcher: test('engine/locking.test.ts', 'a quorum of nil prevotes precommits nil and keeps the lock'),
  },
  {
    name: 'lock late',
    breaks: 'a quorum of prevotes that came after the own precommit locks, without a record of it',
    file: 'consensus/src/engine/locking.ts',
    find: '  t.state = { ...t.state, valid: value };',
    replace: '  t.state = { ...t.state, valid: value, locked: value };',
    catcher: test('engine/locking.test.ts', 'after the own precommit it is a valid value and no lock'),
  },
  {
    name: 'accept a short quorum',
    breaks: 'q - 1 votes make a bundle',
    file: 'consensus/src/engine/round-votes.ts',
    find: 'if (voters.size === quorum) {',
    replace: 'if (voters.size === quorum - 1) {',
    catcher: seeds(3, /^4:/),
  },
  {
    name: 'count a vote twice',
    breaks: 'two votes of one member count as two',
    file: 'consensus/src/engine/round-votes.ts',
    find: 'if (!voters.has(vote.voter)) voters.set(vote.voter, vote);',
    replace: 'voters.set(voters.size, vote);',
    catcher: test('engine/round-votes.test.ts', 'repeating one voter makes no quorum'),
  },
  {
    name: 'vote without writing it down',
    breaks: 'votes are sent and not in the journal',
    file: 'consensus/src/engine/votes.ts',
    find: "  t.effects.push({ type: 'persist', record: { type: 'vote', vote } });\n",
    replace: '',
    catcher: seeds(80, /^(2|5):/),
  },
  {
    name: 'propose without writing it down',
    breaks: 'proposals are sent and not in the journal',
    file: 'consensus/src/engine/proposals.ts',
    find: "  t.effects.push({ type: 'persist', record: { type: 'proposal', proposal, block, polVotes } });\n",
    replace: '',
    catcher: test('engine/proposals.test.ts', 'the composed block is logged, proposed and prevoted'),
  },
  {
    name: 'lock without writing it down',
    breaks: 'a precommit is in the journal, the lock behind it is not',
    file: 'consensus/src/engine/locking.ts',
    find: "  if (locked?.round !== round) t.effects.push({ type: 'persist', record: { type: 'lock', ...value } });\n",
    replace: '',
    catcher: seeds(30, /^record .* without the lock/),
  },
  {
    name: 'write after sending',
    breaks: 'a step gives its messages before its records',
    file: 'consensus/src/engine/engine.ts',
    find: 'return [...effects.filter(isRecord), ...effects.filter((effect) => !isRecord(effect))];',
    replace: 'return [...effects.filter((effect) => !isRecord(effect)), ...effects.filter(isRecord)];',
    catcher: test('engine/votes.test.ts', 'records come before everything else of the step'),
  },
  {
    name: 'no resend',
    breaks: 'a lost vote is lost for good',
    file: 'consensus/src/engine/resend.ts',
    find: 'export function resend(t: Transition): void {\n',
    replace: 'export function resend(t: Transition): void {\n  if (t.nowMs >= 0) return;\n',
    catcher: seeds(80, /^8:/),
  },
  {
    name: 'no jump to a later round',
    breaks: 'a peer stays in its round when f + 1 members have left it',
    file: 'consensus/src/engine/round-change.ts',
    find: 'if (target === null) return false;',
    replace: 'if (target === null || target > 0) return false;',
    catcher: test('engine/rounds.test.ts', 'goes to the highest round that f + 1 members have reached'),
  },
  {
    name: 'keep a bundle to oneself',
    breaks: 'a peer that acts on a bundle leaves it to the proposer to tell the others',
    file: 'consensus/src/engine/votes.ts',
    find: "  t.effects.push({ type: 'broadcast-votes', votes: bundle.votes });",
    replace:
      "  if (t.context.proposer(round) === t.context.self)\n    t.effects.push({ type: 'broadcast-votes', votes: bundle.votes });",
    catcher: attackedSeeds(60, /^16:/),
  },
  {
    name: 'decide on an invalid block',
    breaks: 'a quorum decides for a peer that has found the block invalid',
    file: 'consensus/src/engine/decision.ts',
    find: "if (block === undefined || verdict === 'invalid') return false;",
    replace: 'if (block === undefined) return false;',
    catcher: test('engine/decision.test.ts', 'never makes an invalid block decided'),
  },
];

/** Peer: what surrounds the engine. */
export const PEER: readonly Mutation[] = [
  {
    name: 'ignore stored votes after a restart',
    breaks: 'the journal is read and its votes are not used',
    file: 'consensus/src/peer/agreement.ts',
    find: 'heightOf(record) <= this.#modules.standing.state.height) return;',
    replace: 'heightOf(record) > 0) return;',
    catcher: seeds(30, /^(2|5):/),
  },
  {
    name: 'never forgive a lost answer',
    breaks: 'a member whose answer to a sync request was lost is not asked again',
    file: 'consensus/src/peer/synchroniser.ts',
    find: 'if (disappointment === undefined) return true;',
    replace: 'if (disappointment === undefined) return true;\n    if (disappointment.times > 0) return false;',
    catcher: test('peer/synchroniser.test.ts', 'is asked again after a while'),
  },
  {
    name: 'sync without certificates',
    breaks: 'a block is adopted with a certificate that nobody signed',
    file: 'consensus/src/peer/peer.ts',
    find: 'verifyCertificate(rules, certificate, this.#standing.beaconTermOf(block));',
    replace: '',
    catcher: test('fuzz/flood.test.ts', 'certificate that its members did not sign'),
  },
  {
    name: 'keep unsigned precommits',
    breaks: 'precommits for unknown blocks are kept as they come',
    file: 'consensus/src/peer/vote-desk.ts',
    find: 'verifyVote(standing.rules, vote, seeding);',
    replace: '',
    catcher: test('fuzz/flood.test.ts', 'are kept of members only'),
  },
  {
    name: 'serve a pool to one account',
    breaks: 'one account may fill the whole pool',
    file: 'consensus/src/peer/mempool.ts',
    find: '> this.#maxPerSender)',
    replace: '> 2 ** 40)',
    catcher: test('fuzz/flood.test.ts', 'one account'),
  },
  {
    name: 'serve a pool to a third of the accounts',
    breaks: 'as many accounts as hostile members may have fill the pool together',
    file: 'consensus/src/peer/mempool.ts',
    find: '(2 * maxTransactions)',
    replace: '(4 * maxTransactions)',
    catcher: test('peer/mempool-crowding.test.ts', 'cannot fill the pool together'),
  },
];

/** Shell: what carries out a peer's answers. */
export const SHELL: readonly Mutation[] = [
  {
    name: 'send before it is on the disk',
    breaks: 'a process sends its votes while their records are still being written',
    file: 'node/src/shell/peer-shell.ts',
    find: 'if (writes.length > durable) await this.#ports.write(writes.slice(durable));',
    replace: 'if (writes.length > durable) void this.#ports.write(writes.slice(durable));',
    catcher: {
      type: 'test',
      file: 'node/test/shell/peer-shell.test.ts',
      name: 'only after every write before it is durable',
    },
  },
];
