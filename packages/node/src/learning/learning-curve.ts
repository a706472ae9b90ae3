import { fleetWorlds, type TrainingSettings, worldOf } from './settings.ts';
import type { CurvePoint, RoundReturns } from './training-folder.ts';

/** A learning curve as CSV: one row a round, or one for each world (or EV) in rounds that evaluate. */
export function curveCsv(
  settings: TrainingSettings,
  curve: readonly CurvePoint[],
  returns: readonly RoundReturns[],
): string {
  const byRound = Map.groupBy(curve, ({ round }) => round);
  const rows = returns.flatMap(({ round, mean, least, most }) => {
    const common = [round, round * settings.daysPerRound, mean, least, most];
    const points = byRound.get(round);
    if (points === undefined) return [[...common, '', '', '', '', '', '']];
    return points.map((point) => [
      ...common,
      point.ev,
      100 * point.shapedGain,
      100 * point.objectiveGain,
      point.regret,
      point.cash,
      point.settled,
    ]);
  });
  const header =
    'round,days_per_ev,return_mean_cad,return_least_cad,return_most_cad,ev,shaped_gain_percent,objective_gain_percent,regret_cad,cash_cad,settled_cad';
  return `${[header, ...rows.map((row) => row.join(','))].join('\n')}\n`;
}

const SIZE = { width: 760, height: 620 };
const PLOT = { left: 72, right: 20 };
const GAIN = { top: 84, bottom: 324 };
const RETURNS = { top: 392, bottom: 572 };
const COLOURS = ['#0b6bcb', '#c4320a', '#1a7f37', '#8250df'];

interface Line {
  readonly name: string;
  readonly colour: string;
  readonly isDashed: boolean;
  readonly points: readonly (readonly [number, number])[];
  /** Shaded between the least and the most at each x. */
  readonly band?: readonly (readonly [x: number, least: number, most: number])[];
}

/**
 * A learning curve as one SVG file that needs nothing else: above the gain against the oracle on fixed days, below what
 * the EVs earned while they trained, shaded from the least to the most of them.
 */
export function curveSvg(
  settings: TrainingSettings,
  curve: readonly CurvePoint[],
  returns: readonly RoundReturns[],
): string {
  const lastRound = Math.max(1, ...returns.map(({ round }) => round));
  const sx = scale(0, lastRound, PLOT.left, SIZE.width - PLOT.right);
  const gains = gainLines(settings, curve);
  const members = settings.mode === 'centralised' ? 'all EVs together' : 'mean of the EVs';
  const training: Line = {
    name: returns.some(({ least, most }) => most > least) ? `${members}; shaded: from the least to the most` : members,
    colour: '#57606a',
    isDashed: false,
    points: returns.map(({ round, mean }) => [round, mean]),
    band: returns.map(({ round, least, most }) => [round, least, most]),
  };
  const title = describe(settings);
  const body = [
    `<rect width="${SIZE.width}" height="${SIZE.height}" fill="#ffffff"/>`,
    `<text x="${PLOT.left}" y="24" font-size="16" font-weight="600">${escapeXml(title)}</text>`,
    ...panel(gains, { ...GAIN, sx, lastRound, yTitle: 'gain against the oracle, %', include: [100] }),
    ...panel([training], {
      ...RETURNS,
      sx,
      lastRound,
      yTitle: settings.useDelta ? 'shaped return, CAD a day' : 'return, CAD a day',
      include: [],
    }),
    `<text x="${(PLOT.left + SIZE.width - PLOT.right) / 2}" y="${SIZE.height - 10}" text-anchor="middle">learning rounds (each ${settings.daysPerRound} days of every EV)</text>`,
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" width="${SIZE.width}" height="${SIZE.height}" role="img" font-family="system-ui, sans-serif" font-size="13" fill="#1f2328">
<title>${escapeXml(`Learning curve: ${title}`)}</title>
${body.join('\n')}
</svg>
`;
}

/** One line a world; in local training one for the mean of the EVs, shaded from the worst to the best of them. */
function gainLines(settings: TrainingSettings, curve: readonly CurvePoint[]): Line[] {
  const worlds = fleetWorlds(settings.fleet, settings.preset, settings.useDelta);
  return worlds.flatMap(({ name }, index) => {
    const colour = COLOURS[index % COLOURS.length] as string;
    const rounds = Map.groupBy(
      curve.filter(({ ev }) => worldOf(ev, settings.evs, worlds.length) === index),
      ({ round }) => round,
    );
    const line = (measure: 'shapedGain' | 'objectiveGain', label: string, isDashed: boolean): Line => {
      const each = [...rounds].map(([round, points]) => ({
        round,
        values: points.map((point) => 100 * point[measure]),
      }));
      const points = each.map(({ round, values }) => [round, mean(values)] as const);
      const band = each.map(
        ({ round, values }) => [round, Math.min(...values), Math.max(...values)] as [number, number, number],
      );
      const hasMany = each.some(({ values }) => values.length > 1);
      return {
        name: `${worlds.length > 1 ? `${name}, ` : ''}${label}${hasMany && !isDashed ? ' (shaded: every EV)' : ''}`,
        colour,
        isDashed,
        points,
        ...(hasMany && !isDashed && { band }),
      };
    };
    const money = line('objectiveGain', 'money (U)', settings.useDelta);
    return settings.useDelta ? [line('shapedGain', 'shaped return', false), money] : [money];
  });
}

interface PanelOptions {
  readonly top: number;
  readonly bottom: number;
  readonly sx: (x: number) => number;
  readonly lastRound: number;
  readonly yTitle: string;
  /** Values that the axis must show in any case. */
  readonly include: readonly number[];
}

function panel(lines: readonly Line[], { top, bottom, sx, lastRound, yTitle, include }: PanelOptions): string[] {
  const values = lines.flatMap(({ points, band }) => [
    ...points.map(([, y]) => y),
    ...(band ?? []).flatMap(([, least, most]) => [least, most]),
  ]);
  const right = SIZE.width - PLOT.right;
  const middle = (top + bottom) / 2;
  const label = `<text x="18" y="${middle}" text-anchor="middle" transform="rotate(-90 18 ${middle})">${escapeXml(yTitle)}</text>`;
  const shown = [...values, ...include].filter(Number.isFinite);
  if (values.length === 0)
    return [label, `<text x="${(PLOT.left + right) / 2}" y="${middle}" text-anchor="middle">not evaluated</text>`];
  const yTicks = ticks(Math.min(...shown), Math.max(...shown), 5);
  const [low, high] = [yTicks[0] as number, yTicks.at(-1) as number];
  const sy = scale(low, high, bottom, top);
  return [
    ...yTicks.flatMap((y) => [
      `<line x1="${PLOT.left}" x2="${right}" y1="${f(sy(y))}" y2="${f(sy(y))}" stroke="#d8dee4"/>`,
      `<text x="${PLOT.left - 8}" y="${f(sy(y) + 4)}" text-anchor="end">${short(y)}</text>`,
    ]),
    ...ticks(0, lastRound, 8)
      .filter((x) => x <= lastRound && Number.isInteger(x))
      .flatMap((x) => [
        `<line x1="${f(sx(x))}" x2="${f(sx(x))}" y1="${bottom}" y2="${bottom + 5}" stroke="#57606a"/>`,
        `<text x="${f(sx(x))}" y="${bottom + 20}" text-anchor="middle">${short(x)}</text>`,
      ]),
    `<line x1="${PLOT.left}" x2="${right}" y1="${bottom}" y2="${bottom}" stroke="#57606a"/>`,
    label,
    ...lines.flatMap((line) => lineSvg(line, sx, sy)),
    ...lines.map((line, k) => legendSvg(line, k, lines.length, top)),
  ];
}

function lineSvg({ points, band, colour, isDashed }: Line, sx: (x: number) => number, sy: (y: number) => number) {
  const at = (x: number, y: number): string => `${f(sx(x))},${f(sy(y))}`;
  const shade = band?.filter(([, least, most]) => Number.isFinite(least) && Number.isFinite(most)) ?? [];
  const area =
    shade.length === 0
      ? []
      : [
          `<polygon fill="${colour}" fill-opacity="0.18" points="${[
            ...shade.map(([x, , most]) => at(x, most)),
            ...shade.toReversed().map(([x, least]) => at(x, least)),
          ].join(' ')}"/>`,
        ];
  const drawn = points.filter(([, y]) => Number.isFinite(y));
  const dots =
    drawn.length > 60
      ? []
      : drawn.map(([x, y]) => `<circle cx="${f(sx(x))}" cy="${f(sy(y))}" r="2" fill="${colour}"/>`);
  return [
    ...area,
    `<polyline fill="none" stroke="${colour}" stroke-width="1.8"${isDashed ? ' stroke-dasharray="6 4"' : ''} points="${drawn.map(([x, y]) => at(x, y)).join(' ')}"/>`,
    ...dots,
  ];
}

/** Entries above the panel, two a row. */
function legendSvg({ name, colour, isDashed }: Line, k: number, entries: number, top: number): string {
  const x = PLOT.left + (k % 2) * 360;
  const rowsBelow = Math.ceil(entries / 2) - 1 - Math.floor(k / 2);
  const y = top - 12 - 18 * rowsBelow;
  return `<line x1="${x}" x2="${x + 26}" y1="${y - 4}" y2="${y - 4}" stroke="${colour}" stroke-width="2.5"${isDashed ? ' stroke-dasharray="6 4"' : ''}/><text x="${x + 32}" y="${y}">${escapeXml(name)}</text>`;
}

/** A run in a line: `federated, 10 EVs, paper, multikrum f=3, seed 1`. */
export function describe(settings: TrainingSettings): string {
  const { mode, evs, preset, rule, poisoning, fleet, useDelta, seed } = settings;
  return [
    mode,
    `${evs} ${evs === 1 ? 'EV' : 'EVs'}`,
    preset,
    ...(fleet === 'equal' ? [] : [`fleet ${fleet}`]),
    ...(mode === 'federated' ? ['f' in rule ? `${rule.name} f=${rule.f}` : rule.name] : []),
    ...(useDelta ? [] : ['without delta']),
    ...(poisoning === null ? [] : [`${poisoning.members} poisoned (${poisoning.attack.kind})`]),
    `seed ${seed}`,
  ].join(', ');
}

/** Round steps (1, 2, 2.5 or 5 times a power of ten) from at most `low` to at least `high`. */
function ticks(low: number, high: number, count: number): number[] {
  const span = high > low ? high - low : Math.max(1, Math.abs(high)) / 10;
  const power = 10 ** Math.floor(Math.log10(span / count));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((one) => one >= span / count) as number;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, k) => (first + k) * step);
}

function scale(from: number, to: number, start: number, end: number): (value: number) => number {
  return (value) => start + ((value - from) / (to - from)) * (end - start);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function short(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function f(value: number): string {
  return value.toFixed(1);
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
