import { styleText } from 'node:util';
import { provisionSyntheticEvs } from '../../cluster/create-ev-run.ts';
import {
  type EvDayReport,
  type EvRunReport,
  type HourReport,
  type RoundReport,
  runEvDays,
} from '../../cluster/ev-run.ts';
import type { ModelGain } from '../../cluster/model-gains.ts';
import { writeRunFolder } from '../../provision/run-folder.ts';
import { kWh, money, print, printJson, printTable, Table } from '../output.ts';

export interface EvDemoOptions {
  readonly nodes: number;
  readonly days: number;
  readonly roundsPerDay: number;
  readonly preset: 'paper' | 'sound';
  readonly rule?: { readonly name: 'mean' | 'median' | 'trim' | 'krum' | 'multikrum' | 'clip'; readonly f: number };
  readonly poisoned: number;
  readonly selfish: number;
  readonly evaluationDays: number;
  readonly slotMs: number;
  readonly seed: string;
  readonly json?: boolean;
}

const HOUR_COLUMNS = [
  { title: 'day', align: 'right', width: 3 },
  { title: 'hour', width: 5 },
  { title: 'EVs', align: 'right', width: 3 },
  { title: 'bought kWh', align: 'right' },
  { title: 'sold kWh', align: 'right' },
  { title: 'without grid kWh', align: 'right' },
  { title: 'V2V price', align: 'right' },
  { title: 'grid price', align: 'right' },
  { title: 'score kWh', align: 'right' },
] as const;

/** EVs that trade and learn for some days, each a process with its own chain. */
export async function demoEvs(options: EvDemoOptions, folder: string, signal: AbortSignal): Promise<void> {
  const { nodes, days, roundsPerDay, preset, rule, poisoned, selfish, evaluationDays, slotMs, seed, json } = options;
  const nowMs = Date.now();
  const network = provisionSyntheticEvs({
    nodes,
    seed,
    clock: 'ready',
    slotMs: 60_000,
    trainingWindowMs: 0,
    genesisTimeMs: nowMs,
    preset,
    roundsPerDay,
    poisoned,
    ...(rule === undefined ? {} : { rule }),
    ...(selfish === 0 ? {} : { selfish: { count: selfish, untilDay: Math.max(1, days - 1) } }),
  });
  const timing = { slotPaceMs: slotMs, readyTimeoutMs: slotMs + 20_000 };
  const run = await writeRunFolder(folder, network, { seed, createdMs: nowMs, timing });
  const table = new Table(HOUR_COLUMNS);
  if (!json) {
    print(
      `${nodes} EVs at one building, ${days} days with ${roundsPerDay} learning rounds each, preset ${preset}, seed ${seed}, quorum ${network.genesis.quorum}, chain ${network.chainId.slice(0, 12)}`,
    );
    print('starting the peers ...');
  }
  let up = 0;
  let rounds: RoundReport[] = [];
  const report = await runEvDays({
    folder,
    run,
    network,
    days,
    evaluationDays,
    signal,
    onPeer: (name, apiUrl) => {
      up += 1;
      if (json) printJson({ type: 'peer', name, apiUrl });
      else if (up === nodes) print(`all ${nodes} are up\n\n${table.header()}`);
    },
    onHour: (hour) => {
      if (json) printJson({ type: 'hour', ...hour });
      else if (hour.evs > 0) print(table.row(hourCells(hour)));
    },
    onRound: (round) => {
      rounds.push(round);
      if (json) printJson({ type: 'round', ...round });
    },
    onDay: (day) => {
      if (json) printJson({ type: 'day', ...day });
      else {
        print(dayText(day, rounds));
        if (day.day + 1 < days) print(table.header());
      }
      rounds = [];
    },
  });
  if (json) printJson({ type: 'summary', seed, chainId: network.chainId, ...report });
  else summarise(report, nodes);
}

function hourCells({ day, hour, evs, boughtWh, soldWh, matchedWh, ...rest }: HourReport): (string | number)[] {
  return [
    day + 1,
    `${String(hour).padStart(2, '0')}:00`,
    evs,
    kWh(boughtWh),
    kWh(soldWh),
    kWh(matchedWh),
    rest.v2vPriceMicro === null ? '-' : (Number(rest.v2vPriceMicro) / 1e6).toFixed(4),
    (Number(rest.gridPriceMicro) / 1e6).toFixed(4),
    // Hundredths of nothing are no debt: without the sum, -0.00.
    (Math.round(Number(rest.scorePpmWh) / 1e7) / 100 + 0).toFixed(2),
  ];
}

function dayText(
  { day, aggregator, sharePercent, rewardMicro, modelHash, gains, members }: EvDayReport,
  rounds: readonly RoundReport[],
): string {
  const why =
    sharePercent === null
      ? 'next in a list without scores'
      : sharePercent === 0
        ? 'no score left to draw: all were equally likely'
        : `drawn with ${sharePercent.toFixed(1)} % of the scores`;
  const changed = rounds.filter(({ isAggregated }) => isAggregated).length;
  const listed = rounds.map(({ updates }) => updates);
  const [fewest, most] = [Math.min(...listed), Math.max(...listed)];
  const bills = members
    .map(({ name, profitMicro, escrowMicro }) => `${name} ${money(profitMicro)}${escrowMicro === '0' ? '' : ' (held)'}`)
    .join(', ');
  return `${styleText('bold', `day ${day + 1}`)}: aggregated by ${aggregator} (${why}), reward ${money(rewardMicro)}
  ${changed} of ${rounds.length} rounds changed the model, ${fewest === most ? most : `${fewest} to ${most}`} updates each; model ${modelHash.slice(0, 16)}
  gain of the model (doing nothing 0 %, perfect hindsight 100 %): ${gainText(gains)}
  profits in CAD: ${bills}
`;
}

function gainText(gains: readonly ModelGain[]): string {
  return gains
    .map(
      ({ group, shapedGain, objectiveGain }) =>
        `${nameOf(group)} ${percent(shapedGain)} in the return they train on, ${percent(objectiveGain)} in money`,
    )
    .join('; ');
}

function nameOf(group: string): string {
  return group === '' ? 'all' : `arriving ${group}`;
}

function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}

function summarise(report: EvRunReport, nodes: number): void {
  print(`${styleText('bold', 'After all days')} (CAD)`);
  printTable(
    [
      { title: 'EV' },
      { title: 'arrives' },
      { title: 'profit', align: 'right' },
      { title: 'fees', align: 'right' },
      { title: 'rewards', align: 'right' },
      { title: 'held', align: 'right' },
      { title: 'aggregated', align: 'right' },
      { title: 'training ms (median, max)', align: 'right' },
      { title: 'updates too late', align: 'right' },
      { title: 'loop lag ms (p99, max)', align: 'right' },
    ],
    report.members.map(({ name, group, learning, eventLoopLagMs, ...member }) => [
      name,
      group,
      money(member.profitMicro),
      money(member.feeMicro),
      money(member.rewardMicro),
      money(member.heldMicro),
      member.aggregated,
      learning === null ? '-' : `${learning.medianMs.toFixed(0)}, ${learning.maxMs.toFixed(0)}`,
      learning?.late ?? '-',
      `${eventLoopLagMs.p99.toFixed(0)}, ${eventLoopLagMs.max.toFixed(0)}`,
    ]),
  );
  const later = Math.max(...report.members.map(({ laterRounds }) => laterRounds));
  print(`
${kWh(BigInt(report.boughtWh) + BigInt(report.soldWh))} kWh traded by the EVs, ${kWh(report.matchedWh)} kWh of it with one another or the building: ${percent(report.v2vShare)}.
${report.aggregations} of ${report.rounds} learning rounds changed the model. The model's gain (doing nothing 0 %, perfect hindsight 100 %): ${gainText(report.gains)}.
A policy perfect in the return they train on would gain in money: ${report.attainable.map(({ group, objectiveGain }) => `${nameOf(group)} ${percent(objectiveGain)}`).join(', ')}.
Blocks decided in another round than the first (a vote or proposal was late): ${later} of ${report.height}. The run took ${(report.tookMs / 1_000).toFixed(0)} s.
All ${nodes} chains hold block ${report.headHash.slice(0, 16)} at height ${report.height}, model ${report.modelHash.slice(0, 16)}.`);
}
