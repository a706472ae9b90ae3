/**
 * `node test/attacks/table.ts [PART OF A NAME]` attacks a real network in every way, one after the other, and prints what
 * came of it. Without an argument it also writes docs/attacks.md, up to the end of the table's own text. The status is 1 when an honest member was punished.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { MISBEHAVIOURS } from '../../packages/consensus/src/index.ts';
import { DEFAULT_PENALTIES } from '../../packages/node/src/provision/network.ts';
import { ATTACKS, NOBODY } from './catalogue.ts';
import { type AttackResult, runAttack } from './run-attack.ts';

const PAGE = join(import.meta.dirname, '../../docs/attacks.md');

/** One row of the table. */
function rowOf(result: AttackResult): string {
  const { attack, detectedBy, evidence, punishedHonest, lostRounds, secondsPerSlot, heights } = result;
  const offences = evidence.filter((type) => type !== 'timeout');
  const cells = [
    `\`${attack.id}\``,
    whatItDoes(attack.choices[0]?.name ?? ''),
    detectedBy.map((code) => `\`${code}\``).join(', ') || howElse(result),
    [...offences, ...(evidence.includes('timeout') ? ['timeout certificate'] : [])].join(', ') || 'none',
    penaltyOf(result),
    `${lostRounds} of ${heights + lostRounds} rounds`,
    secondsPerSlot === null ? 'under one slot' : secondsPerSlot.toFixed(1),
    punishedHonest.length === 0 ? 'none' : `**${punishedHonest.join(', ')}**`,
  ];
  return `| ${cells.join(' | ')} |`;
}

function whatItDoes(name: string): string {
  return MISBEHAVIOURS.find((one) => one.name === name)?.description ?? 'four honest members';
}

function howElse({ attack, evidence, deviationMicro }: AttackResult): string {
  if (attack.choices.length === 0) return 'nothing to detect';
  if (evidence.includes('timeout')) return 'nil votes of a quorum';
  if (evidence.length > 0) return 'its signature on the block, outside of its turn';
  return deviationMicro > 0n ? "the meter's reading" : 'cannot be told from a bad network';
}

function penaltyOf({ slashedMicro, isJailed, deviationMicro }: AttackResult): string {
  const parts = [
    ...(slashedMicro > 0n ? [`${(Number(slashedMicro) / 1e6).toFixed(2)} EPOS burned`] : []),
    ...(isJailed ? ['jailed'] : []),
    ...(deviationMicro > 0n ? [`${(Number(deviationMicro) / 1e6).toFixed(2)} CAD deviation charge`] : []),
  ];
  return parts.join(', ') || 'none';
}

/** The table as a page of the documentation. */
function pageOf(rows: readonly string[]): string {
  const { refusalPenaltyMicro, slashPpm, evidenceBlocks } = DEFAULT_PENALTIES;
  return `# Attacks

Each row is one run of four peers, each a process with its own store and sockets, one of which misbehaves with its real keys
from the start until its consequence has come and another slot is settled. The attacker is the member with the most to say:
the prosumer whose surplus wins nearly every draw, or the first aggregator among electric vehicles. What happened is read
from an honest peer's chain and from the logs of all honest peers. Made by:

\`\`\`sh
node test/attacks/table.ts
\`\`\`

\`npm test\` runs some of the rows, \`npm run test:full\` all of them, and both fail when an honest member is punished or the
consequence is another one. The same misbehaviours run in the seeded world, alone and colluding
(\`packages/consensus/test/world\`). In a configuration or a scenario they are chosen by the names in the first column.

A member stakes 100 EPOS. A refusal costs ${Number(refusalPenaltyMicro) / 1e6} EPOS, once a term, and the place in the election list; an offence that
its signature proves costs ${slashPpm / 10_000} % of what is staked, all weight and all rewards. One thing is punished once, so a member that lies
several times before the first proof is committed pays several times. Evidence is taken for ${evidenceBlocks} heights. The last columns but one are what it cost: rounds that decided nothing (a proposal is
waited for 3 s here), and how long a slot took, from the first block to the last; with four honest members, in the first row,
it is what the chosen pace and the machine (${availableParallelism()} cores for all four peers) allow.

| misbehaviour | what it does | detected by | evidence on the chain | penalty | rounds lost | seconds per slot | honest members punished |
| --- | --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}

A member that withholds votes or bundles, delays, replays or ignores somebody does nothing that its signature would prove:
the network bears it, with the rounds above, as long as no more than \`n - q\` members do so. A transaction that one composer
ignores is reported as overdue by the others and must then be in the block: in the run with \`censor\` the victim's transfer was
committed.

`;
}

/** What people have written below the table. */
function restOf(page: string): string {
  const start = page.indexOf('## What leaves no proof');
  if (start < 0) throw new Error('docs/attacks.md has lost its part about what leaves no proof');
  return page.slice(start);
}

const [only] = process.argv.slice(2);
const rows: string[] = [];
for (const attack of [NOBODY, ...ATTACKS].filter(({ id }) => only === undefined || id.includes(only))) {
  const result = await runAttack(attack);
  if (result.punishedHonest.length > 0) process.exitCode = 1;
  rows.push(rowOf(result));
  console.log(rows.at(-1));
}
if (only === undefined) writeFileSync(PAGE, pageOf(rows) + restOf(readFileSync(PAGE, 'utf8')));
