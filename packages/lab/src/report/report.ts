import { drawTable } from '../checks/election-fairness.ts';
import type { Result, RunSummary } from '../run/result.ts';
import { barChart, type ChartOptions, escapeHtml, lineChart } from './charts.ts';
import { messageDiagram, tracedHeights } from './message-diagram.ts';
import { box, page, table } from './page.ts';
import { ReportData } from './report-data.ts';

/** More lines than this in one chart cannot be told apart. */
const MAX_LINES = 8;

/** One result as a page that needs nothing else. */
export function reportHtml(result: Result): string {
  const { summary } = result;
  const data = new ReportData(result);
  const body = [
    header(summary),
    verdicts(summary),
    charts(summary, data),
    messages(summary, data),
    tables(summary, data),
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
  const first = checks.find((check) => check.verdict === 'violated');
  const jump =
    first === undefined
      ? ''
      : `<p><a href="#check-${first.check}">The first violation: ${escapeHtml(first.check)}${first.first === null ? '' : `, ${seconds(first.first.atMs)}`}</a></p>`;
  const short = shortcomings.map((why) => `<p class="unknown">${escapeHtml(why)}</p>`).join('');
  return `<h1>${escapeHtml(name)}</h1><p><span class="verdict ${verdict}">${verdict}</span> <span class="soft">${peers.length} peers, quorum ${quorum}, seed ${escapeHtml(seed)}, ${runtime} runtime; ${figures.heights} heights and ${figures.slots} slots in ${figures.seconds} s</span></p><p>${escapeHtml(scenario.description)}</p>${jump}${short}`;
}

function verdicts({ checks }: RunSummary): string {
  const rows = checks.map(
    ({ check, verdict, promise, detail, first }) =>
      `<tr id="check-${check}"><td><span class="verdict ${verdict}">${verdict}</span></td><td>${escapeHtml(check)}<br><span class="soft">${escapeHtml(promise)}</span></td><td>${escapeHtml(detail)}${first === null ? '' : `<br><span class="violated">first at ${seconds(first.atMs)}${first.height === null ? '' : `, height ${first.height}`}</span>`}</td></tr>`,
  );
  return `<h2>Verdicts</h2><div class="wide"><table class="verdicts">${rows.join('')}</table></div>`;
}

function charts({ peers, checks, scenario }: RunSummary, data: ReportData): string {
  const firstMs = checks.flatMap(({ first }) => first?.atMs ?? []).sort((a, b) => a - b)[0];
  const overTime = (y: string): ChartOptions => ({
    x: 'seconds',
    y,
    bands: data.bands,
    mark: firstMs === undefined ? null : firstMs / 1_000,
  });
  const some = peers.slice(0, MAX_LINES);
  const { members } = drawTable(data.of('draw'));
  const boxes = [
    box('Latency over time', lineChart(data.latencyOverTime(), overTime('ms'))),
    box('Latency, percentiles', lineChart(data.percentileCurves(), { x: 'percentile', y: 'ms' })),
    box('Throughput', lineChart(data.throughput(), overTime('a second'))),
    box('Height of each peer', lineChart(data.heights(some), overTime('height'))),
    ...(scenario.load.length === 0 ? [] : [box('Load', lineChart(data.load(), overTime('transactions')))]),
    ...(scenario.protocol === 'posoc' ? learning(peers, data) : trading(peers, data)),
    box('Proof score, summed', lineChart(data.scores(some), { x: 'slot', y: 'kWh' })),
    box(
      'First in the draw, against weights',
      barChart(
        members.map(({ name }) => name),
        [
          { name: 'drawn', values: members.map(({ observed }) => observed) },
          { name: 'expected by weight', values: members.map(({ expected }) => expected) },
        ],
        { x: 'miner', y: 'draws' },
      ),
    ),
    box('Memory of the peers', lineChart(data.memory(some), overTime('MB'))),
  ];
  const bands = data.bands.length === 0 ? '' : '<p class="soft">Shaded: while a fault was on.</p>';
  return `<h2>Measured</h2>${bands}<div class="grid-of">${boxes.join('')}</div>`;
}

function trading(peers: readonly string[], data: ReportData): string[] {
  return [
    box('Energy', lineChart(data.energy('produced', 'consumed'), { x: 'slot', y: 'kWh' })),
    box('Bills of the members', barChart(peers, data.money(peers), { x: 'member', y: 'currency' })),
  ];
}

function learning(peers: readonly string[], data: ReportData): string[] {
  return [
    box('Learning: gain against the oracle', lineChart(data.gains(), { x: 'round', y: '%' })),
    box('Energy', lineChart(data.energy('sold', 'bought'), { x: 'slot', y: 'kWh' })),
    box('Profits of the EVs', barChart(peers, data.profits(peers), { x: 'EV', y: 'CAD' })),
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
  return `<h2>Messages of one height</h2><p class="soft">Each row is one message, in the order of arrival. Dashed: sent, and not seen to arrive.</p>${diagrams.join('')}`;
}

function tables({ faults }: RunSummary, data: ReportData): string {
  const penalties = data.of('penalty');
  const faultRows = faults.map(({ label, beganMs, endedMs, proof, failure }) => [
    escapeHtml(label),
    beganMs === null ? '' : seconds(beganMs),
    endedMs === null ? '' : seconds(endedMs),
    failure === null ? escapeHtml(proof ?? 'nothing was seen') : `<span class="violated">${escapeHtml(failure)}</span>`,
  ]);
  const penaltyRows = penalties.map(({ height, member, lostMicro, stakeMicro, openingMicro }) => [
    escapeHtml(member),
    String(height),
    ...[lostMicro, stakeMicro, openingMicro].map((micro) => (Number(micro) / 1e6).toFixed(1)),
  ]);
  return `<h2>Faults</h2>${faultRows.length === 0 ? '<p class="none">None.</p>' : table(['fault', 'began', 'ended', 'proof that it took effect'], faultRows)}<h2>Penalties</h2>${penaltyRows.length === 0 ? '<p class="none">Nobody was penalised.</p>' : table(['member', 'height', 'EPOS burned', 'stake left', 'in genesis'], penaltyRows, [2, 3, 4])}`;
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
    ...Object.entries(figures).map(([name, value]) => [name, String(value ?? 'not measured')]),
  ];
  return `<h2>Where this comes from</h2>${table(
    ['', ''],
    rows.map((row) => row.map(escapeHtml)),
  )}<h2>Scenario, with defaults</h2><pre>${escapeHtml(JSON.stringify(scenario, null, 2))}</pre>`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
