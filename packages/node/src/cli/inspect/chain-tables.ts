import { styleText } from 'node:util';
import type { ChainDifference } from '../../inspect/chain-difference.ts';
import type { ElectionReport } from '../../inspect/election-report.ts';
import type { HeightFlow, VoteRow } from '../../inspect/height-flow.ts';
import type { Verification } from '../../inspect/verify-chain.ts';
import { print, printTable } from '../output.ts';
import { heading } from './block-tables.ts';

type NameOf = (rank: number) => string;

export function showElection(report: ElectionReport, name: NameOf): void {
  print(`${styleText('bold', `height ${report.height}`)}, term ${report.term}: ${report.reason}`);
  print(
    report.isEntitled
      ? `The list entitles ${report.composerName} to round ${report.composingRound}.`
      : `THE LIST DOES NOT ENTITLE ${report.composerName} to round ${report.composingRound}.`,
  );
  heading('Seed');
  print(`seed ${report.seed}`);
  if (report.beacon === null) print('term 0: the seed is the chain id');
  else {
    const { height, settlementHash, shares, combinesToSignature, isSignatureValid } = report.beacon;
    print(`SHA-256 of the combined signature in block ${height} over the settlement ${settlementHash.slice(0, 16)}`);
    printTable(
      [{ title: 'share of' }, { title: 'begins with' }, { title: 'valid' }],
      shares.map((share) => [share.name, share.share.slice(0, 16), share.isValid ? 'yes' : 'NO']),
    );
    print(
      `the shares combine to that signature: ${yesNo(combinesToSignature)}; it verifies: ${yesNo(isSignatureValid)}`,
    );
  }
  if (report.candidates.length > 0) {
    heading('Candidates');
    printTable(
      [
        { title: 'miner' },
        { title: 'members' },
        { title: 'weight', align: 'right' },
        { title: 'chance %', align: 'right' },
      ],
      report.candidates.map(({ miner, members, weight, sharePercent }) => [
        name(miner),
        members.map(name).join(' '),
        weight,
        sharePercent.toFixed(2),
      ]),
    );
  }
  heading('Draws');
  printTable(
    [
      { title: 'k', align: 'right' },
      { title: 'among' },
      { title: 'value', align: 'right' },
      { title: 'of', align: 'right' },
      { title: 'drawn interval' },
      { title: 'drawn' },
    ],
    report.draws.map(({ k, among, value, total, from, to, rank }) => [
      k,
      among,
      value,
      total,
      `${from} .. ${to}`,
      name(rank),
    ]),
  );
  print(`list: ${report.list.map((entry) => entry.name).join(', ')}`);
  print(`the draws give this list: ${yesNo(report.drawsAgree)}`);
}

export function showFlow(flow: HeightFlow, name: NameOf): void {
  print(`${styleText('bold', `height ${flow.height}`)}  ${flow.kind}  ${flow.hash}`);
  printTable(
    [{ title: 'round', align: 'right' }, { title: 'proposer' }, { title: 'outcome' }],
    flow.rounds.map((round) => [round.round, round.name, round.outcome]),
  );
  heading(`Precommits kept by this peer (within ${flow.spreadMs} ms by the voters' clocks)`);
  showVotes(flow.certificate);
  if (flow.embedded === null) print('\nno next block yet, which would embed the copy that all peers share');
  else {
    heading('Precommits in the next block');
    showVotes(flow.embedded);
  }
  if (flow.notSeen.length > 0)
    print(`\nin neither (a quorum was enough without them): ${flow.notSeen.map(name).join(', ')}`);
  if (flow.journal !== null && flow.journal.length > 0) {
    heading("This peer's journal of the height");
    printTable(
      [
        { title: 'round', align: 'right' },
        { title: 'made durable' },
        { title: 'block' },
        { title: 'signed at (UTC)' },
        { title: 'on prevotes of' },
      ],
      flow.journal.map((step) => [
        step.round,
        step.type,
        step.blockHash?.slice(0, 12) ?? 'nil',
        step.timestampMs === null ? '' : new Date(step.timestampMs).toISOString().slice(0, 23).replace('T', ' '),
        step.prevotesOf.map(name).join(' '),
      ]),
    );
  }
  if (flow.timing !== null) {
    const { composedMs, committedMs, viaSync } = flow.timing;
    const took = composedMs === null ? '' : `, ${committedMs - composedMs} ms after it had begun to compose it`;
    print(
      `durable on this peer at ${new Date(committedMs).toISOString()}${took}${viaSync ? ', fetched from another peer' : ''}`,
    );
  }
}

function showVotes(votes: readonly VoteRow[]): void {
  printTable(
    [
      { title: 'voter' },
      { title: 'signed at (UTC)' },
      { title: 'ms after the parent', align: 'right' },
      { title: 'beacon share' },
    ],
    votes.map((vote) => [
      vote.name,
      new Date(vote.timestampMs).toISOString().slice(0, 23).replace('T', ' '),
      vote.sinceParentMs,
      vote.hasBeaconShare ? 'yes' : '',
    ]),
  );
}

export function showDifference({ a, b, commonHeight, first, otherCertificates }: ChainDifference): void {
  print(`${a.label}: head ${a.head}\n${b.label}: head ${b.head}`);
  print(`same blocks up to height ${commonHeight}`);
  if (otherCertificates.length > 0)
    print(
      `at ${otherCertificates.length} of them they keep other votes of the same quorum, which is no difference of the chain`,
    );
  if (first === null) {
    const behind = a.head < b.head ? a.label : b.label;
    if (a.head !== b.head) print(`${behind} is behind by ${Math.abs(a.head - b.head)}`);
    return;
  }
  heading(`Height ${first.height} differs`);
  printTable(
    [{ title: 'field' }, { title: a.label }, { title: b.label }],
    first.fields.map((field) => [field.field, shortened(field.a), shortened(field.b)]),
  );
}

export function showVerification(report: Verification): void {
  const { label, chainId, head, verifiedHeights, transactions, votes, beaconShares, keptStates, problem } = report;
  print(`${label}: chain ${chainId.slice(0, 16)}, head ${head}`);
  print(`${verifiedHeights} heights verified from genesis: every check, every execution, every state root`);
  print(`${votes} votes, ${beaconShares} beacon shares, ${transactions} transactions, ${keptStates} kept states`);
  if (report.stateRoot !== null) print(`state root at height ${verifiedHeights}: ${report.stateRoot}`);
  if (problem !== null) print(`\nheight ${problem.height} fails ${problem.check}: ${problem.code}: ${problem.message}`);
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'NO';
}

function shortened(text: string): string {
  return text.length > 44 ? `${text.slice(0, 41)}...` : text;
}
