import { drawTable } from '../checks/election-fairness.ts';
import type { Result, RunSummary } from '../run/result.ts';
import { barChart, type ChartOptions, escapeHtml, lineChart } from './charts.ts';
import { faultTimeline } from './fault-timeline.ts';
import { FIGURE_LABELS, FIGURE_NAMES, figureText } from './figure-labels.ts';
import { firstOf, firstViolation } from './first-violation.ts';
import { messageDiagram, tracedHeights } from './message-diagram.ts';
import { box, page, table } from './page.ts';
import { ReportData } from './report-data.ts';

const SECTIONS = [
  ['verdicts', 'Verdicts'],
  ['faults', 'Faults'],
  ['measured', 'Charts'],
  ['messages', 'Messages'],
  ['penalties', 'Penalties'],
  ['origin', 'Origin'],
] as const;

/** More lines than this in one chart cannot be told apart. */
const MAX_LINES = 8;

/** One result as a page that needs nothing else. */
export function reportHtml(result: Result): string {
  const { summary } = result;
  const data = new ReportData(result);
  const body = [
    header(summary),
    verdicts(summary),
    firstViolation(summary, result.events),
    `<h2 id="faults">Faults, and what proves them</h2>${faultTimeline(summary)}`,
    charts(summary, data),
    messages(summary, data),
    penalties(summary, data),
    origin(summary),
  ];
  return page(`${summary.name}: ${summary.verdict}`, body.join('\n'));
}

function header({
  name,
  verdict,
  scenario,
  peers,
  quorum,
  seed,
  runtime,
  figures,
  checks,
  shortcomings,
}: RunSummary): string {
  const first = firstOf(checks);
  const jump =
    first === null
      ? ''
      : `<p><a href="#first-violation">The first violation: ${escapeHtml(first.check)}, ${seconds(first.atMs)}</a></p>`;
  const short = shortcomings.map((why) => `<p class="unknown">${escapeHtml(why)}</p>`).join('');
  return `<h1>${escapeHtml(name)}</h1><p><span class="verdict ${verdict}">${verdict}</span> <span class="soft">${peers.length} peers, quorum ${quorum}, seed ${escapeHtml(seed)}, ${runtime} runtime; ${figures.heights} heights and ${figures.slots} slots in ${figures.seconds} s</span></p><p>${escapeHtml(scenario.description)}</p>${jump}${short}<nav>${SECTIONS.map(([id, title]) => `<a href="#${id}">${title}</a>`).join('')}</nav>`;
}

function verdicts({ checks }: RunSummary): string {
  const rows = checks.map(
    ({ check, verdict, promise, detail, first }) =>
      `<tr id="check-${check}"><td><span class="verdict ${verdict}">${verdict}</span></td><td>${escapeHtml(check)}<br><span class="soft">${escapeHtml(promise)}</span></td><td>${escapeHtml(detail)}${first === null ? '' : `<br><span class="violated">first at ${seconds(first.atMs)}${first.height === null ? '' : `, height ${first.height}`}</span>`}</td></tr>`,
  );
  return `<h2 id="verdicts">Verdicts</h2><div class="wide"><table class="verdicts">${rows.join('')}</table></div>`;
}

function charts({ peers, checks, scenario }: RunSummary, data: ReportData): string {
  const first = firstOf(checks);
  const overTime = (y: string): ChartOptions => ({
    x: 'time, s',
    y,
    bands: data.bands,
    mark: first === null ? null : first.atMs / 1_000,
  });
  const some = peers.slice(0, MAX_LINES);
  const left = peers.length > some.length ? ` The first ${some.length} of ${peers.length} peers.` : '';
  const { members } = drawTable(data.of('draw'));
  const boxes = [
    box(
      'Latency over time',
      lineChart(data.latencyOverTime(), { ...overTime('ms'), yScale: 'log' }),
      'Blocks: from composition until the last peer had it on disk. Transactions: from when each was due.',
    ),
    box(
      'Latency, percentiles',
      lineChart(data.percentileCurves(), { x: 'share of the samples', y: 'ms', xScale: 'percentile', yScale: 'log' }),
      'That many of the samples were at most as slow; in brackets, how many there are.',
    ),
    box('Throughput', lineChart(data.throughput(), overTime('per second')), 'What was committed in each second.'),
    box('Height of each peer', lineChart(data.heights(some), overTime('height')), `What each has on its disk.${left}`),
    ...(scenario.load.length === 0
      ? []
      : [
          box(
            'Load',
            lineChart(data.load(), overTime('transactions')),
            'Summed: due by the scenario, taken by a peer, committed.',
          ),
        ]),
    ...(scenario.protocol === 'posoc' ? learning(peers, data) : trading(peers, data)),
    box(
      'Proof score',
      lineChart(data.scores(some), { x: 'slot', y: 'kWh' }),
      `Summed over the slots: what the right to mine is drawn by.${left}`,
    ),
    box(
      'Draws of the miner, against weights',
      barChart(
        members.map(({ name }) => name),
        [
          { name: 'drawn first', values: members.map(({ observed }) => observed) },
          { name: 'expected by weight', values: members.map(({ expected }) => expected) },
        ],
        { x: 'miner', y: 'draws' },
      ),
      'Draws that chance decided; where nobody has weight all are equal.',
    ),
    box('Memory of the peers', lineChart(data.memory(some), overTime('MB')), `Resident, of each process.${left}`),
  ];
  return `<h2 id="measured">Measured</h2><div class="grid-of">${boxes.join('')}</div>`;
}

function trading(peers: readonly string[], data: ReportData): string[] {
  return [
    box(
      'Energy',
      lineChart(data.energy('produced', 'consumed'), { x: 'slot', y: 'kWh' }),
      'As announced for each hourly slot, and what of it was traded in coalitions.',
    ),
    box(
      'Bills of the members',
      barChart(peers, data.money(peers), { x: 'member', y: 'currency' }),
      'Over the whole run. Below 0: the member is paid.',
    ),
  ];
}

function learning(peers: readonly string[], data: ReportData): string[] {
  return [
    box(
      'Learning curve',
      lineChart(data.gains(), { x: 'round', y: 'gain, % of the oracle' }),
      'What the global model gains on days that nobody trains on, for each group of EVs.',
    ),
    box(
      'Energy',
      lineChart(data.energy('sold', 'bought'), { x: 'slot', y: 'kWh' }),
      'Of all EVs, in each hourly slot.',
    ),
    box('Profits of the EVs', barChart(peers, data.profits(peers), { x: 'EV', y: 'CAD' }), 'Over all days.'),
  ];
}

function messages({ peers }: RunSummary, data: ReportData): string {
  const traces = data.of('trace');
  const blocks = data.of('block');
  const heights = tracedHeights(traces);
  // The first full height that was recorded, and the last: before the first fault and under it.
  const chosen = [...new Set([heights[1] ?? heights[0], heights.at(-1)])].filter((height) => height !== undefined);
  if (chosen.length === 0) return '';
  const diagrams = chosen.map((height) => {
    const block = blocks.find((one) => one.height === height);
    const title = `Height ${height}${block === undefined ? '' : `: a ${block.kind} block of ${block.composer}, slot ${block.slot}, round ${block.round}`}`;
    return box(title, messageDiagram(height, peers, traces));
  });
  return `<h2 id="messages">Messages of one height</h2><p class="soft">Each row is one message, in the order of arrival. Dashed: sent, and not seen to arrive.</p><div class="grid-of">${diagrams.join('')}</div>`;
}

function penalties({ peers }: RunSummary, data: ReportData): string {
  const all = data.of('penalty');
  if (all.length === 0) return '<h2 id="penalties">Penalties</h2><p class="none">Nobody was penalised.</p>';
  const epos = (micro: string | undefined): string => (Number(micro ?? 0) / 1e6).toFixed(1);
  const sums = peers.flatMap((peer) => {
    const own = all.filter(({ member }) => member === peer);
    if (own.length === 0) return [];
    const lost = own.reduce((sum, { lostMicro }) => sum + BigInt(lostMicro), 0n);
    const [first] = own;
    return [
      [
        escapeHtml(peer),
        String(own.length),
        String(first?.height),
        epos(String(lost)),
        epos(own.at(-1)?.stakeMicro),
        epos(first?.openingMicro),
      ],
    ];
  });
  const rows = all.map(({ height, member, lostMicro, stakeMicro }) => [
    escapeHtml(member),
    String(height),
    epos(lostMicro),
    epos(stakeMicro),
  ]);
  const header = ['member', 'penalties', 'first at height', 'EPOS burned', 'stake left', 'in genesis'];
  return `<h2 id="penalties">Penalties</h2>${table(header, sums, [1, 2, 3, 4, 5])}<details><summary>Every penalty</summary>${table(['member', 'height', 'EPOS burned', 'stake left'], rows, [1, 2, 3])}</details>`;
}

function origin({ host, startedAt, chainId, dataSha256, figures, scenario }: RunSummary): string {
  const rows = [
    ['began', startedAt],
    ['chain', chainId],
    ['data (SHA-256)', dataSha256],
    ['commit', host.commit ?? 'not in a clone'],
    ['machine', `${host.cpu}, ${host.cores} cores, ${(host.memoryBytes / 2 ** 30).toFixed(0)} GiB, ${host.platform}`],
    ['load of the machine before', host.loadBefore.toFixed(1)],
    ['Node', host.node],
    ...FIGURE_NAMES.map((name) => [FIGURE_LABELS[name].label, figureText(figures, name)]),
  ];
  return `<h2 id="origin">Where this comes from</h2>${table(
    ['', ''],
    rows.map((row) => row.map(escapeHtml)),
  )}<details><summary>The scenario, with defaults</summary><pre>${escapeHtml(JSON.stringify(scenario, null, 2))}</pre></details>`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
