import { linearScale, logScale, number, percentileScale, type Scale } from './axes.ts';

/**
 * Charts as SVG text, drawn when the report is made: nothing has to run or load in a browser. One chart is 360 units wide, the
 * width of a phone, so that its letters can be read there; wider windows show several side by side.
 */
const WIDTH = 360;
const HEIGHT = 200;
const PLOT = { left: 50, right: 12, top: 8, bottom: 34 };
/** Half the width of a letter: a label at the edge is moved so that it is not cut off. */
const LABEL_HALF = 3.3;
const COLOURS = ['#0b6bcb', '#c4320a', '#1a7f37', '#8250df', '#9a6700', '#0a7ea4', '#bf3989', '#57606a'];

export interface Series {
  readonly name: string;
  /** A y of NaN breaks a line: nothing is known there. */
  readonly points: readonly (readonly [number, number])[];
  /** `dots` where a line would claim something between the points. */
  readonly style?: 'line' | 'dots' | 'steps';
}

/** A span of the x axis that is shaded: a fault that was on. */
export interface Band {
  readonly from: number;
  readonly to: number;
  readonly label: string;
}

export interface ChartOptions {
  readonly x: string;
  readonly y: string;
  /** `percentile`: shares of samples in per cent, each further nine as wide as the one before. */
  readonly xScale?: 'linear' | 'percentile';
  /** `log` where values of very different size are to be read; needs values above 0. */
  readonly yScale?: 'linear' | 'log';
  readonly bands?: readonly Band[];
  /** After so many series colours begin anew: the same thing shown in two ways. */
  readonly colours?: number;
  /** Marks one x: the first violation. */
  readonly mark?: number | null;
}

/** Lines or dots over a common x axis. */
export function lineChart(series: readonly Series[], options: ChartOptions): string {
  const points = series.flatMap((one) => one.points).filter(([, y]) => !Number.isNaN(y));
  if (points.length === 0) return empty();
  const [sx, x1] = xScaleOf(
    points.map(([x]) => x),
    options,
  );
  const sy = yScaleOf(
    points.map(([, y]) => y),
    options.yScale ?? 'linear',
  );
  const bands = options.bands ?? [];
  const count = options.colours ?? series.length;
  const body = [
    ...bands.map((band) => bandSvg(band, sx, x1)),
    ...axes(sx, sy, options),
    ...(options.mark == null
      ? []
      : [
          `<line x1="${f(sx.at(options.mark))}" x2="${f(sx.at(options.mark))}" y1="${PLOT.top}" y2="${HEIGHT - PLOT.bottom}" class="mark"/>`,
        ]),
    ...series.map((one, k) => seriesSvg(one, colour(k % count), sx, sy)),
  ];
  const keys = series
    .map(({ name, style }, k) => ({ name, svg: key(name, style === 'dots' ? 'dot' : 'line', colour(k % count)) }))
    .filter(({ name }, k) => series.findIndex((one) => one.name === name) === k)
    .map((one) => one.svg);
  return (
    svg(body, options) +
    legend([
      ...(series.length > 1 ? keys : []),
      ...(bands.length > 0 ? ['<span><i class="band-key"></i>a fault is on</span>'] : []),
      ...(options.mark == null ? [] : ['<span><i class="mark-key"></i>first violation</span>']),
    ])
  );
}

/** Groups of bars, one group a label. A value of null has no bar: it was not measured. */
export function barChart(
  labels: readonly string[],
  series: readonly { readonly name: string; readonly values: readonly (number | null)[] }[],
  options: ChartOptions,
): string {
  const all = series.flatMap(({ values }) => values);
  const known = all.filter((value) => value !== null);
  if (labels.length === 0 || known.length === 0) return empty();
  const sy = yScaleOf(known, 'linear');
  const group = (WIDTH - PLOT.left - PLOT.right) / labels.length;
  const bar = Math.min(18, (group * 0.8) / series.length);
  const every = Math.ceil(labels.length / 10);
  const body = [
    ...yAxis(sy, options.y),
    `<line x1="${PLOT.left}" x2="${WIDTH - PLOT.right}" y1="${f(sy.at(0))}" y2="${f(sy.at(0))}" class="axis"/>`,
    ...labels.flatMap((label, k) => {
      const middle = PLOT.left + group * (k + 0.5);
      const bars = series.map(({ values }, s) => {
        const value = values[k] ?? null;
        if (value === null) return '';
        const x = middle + (s - series.length / 2) * bar;
        const [top, bottom] = value >= 0 ? [sy.at(value), sy.at(0)] : [sy.at(0), sy.at(value)];
        return `<rect x="${f(x)}" y="${f(top)}" width="${f(bar * 0.92)}" height="${f(bottom - top)}" fill="${colour(s)}"><title>${escapeHtml(label)}: ${number(value)}</title></rect>`;
      });
      const text =
        k % every === 0
          ? [`<text x="${f(middle)}" y="${HEIGHT - PLOT.bottom + 16}" text-anchor="middle">${escapeHtml(label)}</text>`]
          : [];
      return [...bars, ...text];
    }),
    xTitle(options.x),
  ];
  return (
    svg(body, options) +
    legend([
      ...series.map(({ name }, k) => key(name, 'bar', colour(k))),
      ...(known.length < all.length ? ['<span>no bar: not measured</span>'] : []),
    ])
  );
}

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

export function colour(k: number): string {
  return COLOURS[k % COLOURS.length] as string;
}

function empty(): string {
  return '<p class="none">Nothing was measured.</p>';
}

function svg(body: readonly string[], { x, y }: ChartOptions): string {
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(`${y} by ${x}`)}">${body.join('')}</svg>`;
}

function f(value: number): string {
  return value.toFixed(1);
}

/** With the largest x that is shown. */
function xScaleOf(xs: readonly number[], { xScale }: ChartOptions): [Scale, number] {
  const [start, end] = [PLOT.left, WIDTH - PLOT.right];
  const [first, last] = extremes(xs);
  if (xScale === 'percentile') return [percentileScale(last, start, end), last];
  return [linearScale(Math.min(0, first), last, start, end, 6), last];
}

function yScaleOf(ys: readonly number[], scale: 'linear' | 'log'): Scale {
  const [start, end] = [HEIGHT - PLOT.bottom, PLOT.top];
  const [least, highest] = extremes(ys);
  if (scale === 'linear') return linearScale(Math.min(0, least), Math.max(0, highest) * 1.05, start, end, 5);
  const positive = ys.filter((y) => y > 0);
  const lowest = positive.length === 0 ? 1 : extremes(positive)[0];
  return logScale(lowest * 0.9, Math.max(highest, lowest) * 1.2, start, end);
}

/** Smallest and largest. A run of days has more values than one call can take as arguments. */
function extremes(values: readonly number[]): [number, number] {
  return values.reduce<[number, number]>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
}

function axes(sx: Scale, sy: Scale, options: ChartOptions): string[] {
  const base = HEIGHT - PLOT.bottom;
  return [
    ...yAxis(sy, options.y),
    `<line x1="${PLOT.left}" x2="${WIDTH - PLOT.right}" y1="${base}" y2="${base}" class="axis"/>`,
    ...sx.ticks.flatMap(({ value, label }) => [
      `<line x1="${f(sx.at(value))}" x2="${f(sx.at(value))}" y1="${base}" y2="${base + 3}" class="axis"/>`,
      `<text x="${f(Math.min(sx.at(value), WIDTH - LABEL_HALF * label.length))}" y="${base + 16}" text-anchor="middle">${label}</text>`,
    ]),
    xTitle(options.x),
  ];
}

function xTitle(title: string): string {
  return `<text x="${(PLOT.left + WIDTH) / 2}" y="${HEIGHT - 4}" text-anchor="middle" class="title">${escapeHtml(title)}</text>`;
}

function yAxis(sy: Scale, title: string): string[] {
  return [
    ...sy.ticks.flatMap(({ value, label }) => [
      `<line x1="${PLOT.left}" x2="${WIDTH - PLOT.right}" y1="${f(sy.at(value))}" y2="${f(sy.at(value))}" class="grid"/>`,
      `<text x="${PLOT.left - 4}" y="${f(sy.at(value) + 4)}" text-anchor="end">${label}</text>`,
    ]),
    `<text transform="translate(11 ${(PLOT.top + HEIGHT - PLOT.bottom) / 2}) rotate(-90)" text-anchor="middle" class="title">${escapeHtml(title)}</text>`,
  ];
}

function bandSvg({ from, to, label }: Band, sx: Scale, end: number): string {
  const x = sx.at(Math.min(from, end));
  const width = Math.max(1.5, sx.at(Math.min(to, end)) - x);
  return `<rect x="${f(x)}" y="${PLOT.top}" width="${f(width)}" height="${HEIGHT - PLOT.top - PLOT.bottom}" class="band"><title>${escapeHtml(label)}</title></rect>`;
}

function seriesSvg(series: Series, stroke: string, sx: Scale, sy: Scale): string {
  const known = series.points.filter(([, y]) => !Number.isNaN(y));
  if (series.style === 'dots')
    return known.map(([x, y]) => `<circle cx="${f(sx.at(x))}" cy="${f(sy.at(y))}" r="1.6" fill="${stroke}"/>`).join('');
  const path = series.points.map(([x, y], k) => {
    if (Number.isNaN(y)) return '';
    const [left, top] = [f(sx.at(x)), f(sy.at(y))];
    if (k === 0 || Number.isNaN(series.points[k - 1]?.[1])) return `M${left} ${top}`;
    return series.style === 'steps' ? `H${left}V${top}` : `L${left} ${top}`;
  });
  // A line through one point would not be seen.
  const [only] = known;
  if (known.length === 1 && only !== undefined)
    return `<circle cx="${f(sx.at(only[0]))}" cy="${f(sy.at(only[1]))}" r="2.4" fill="${stroke}"/>`;
  return `<path d="${path.join('')}" fill="none" stroke="${stroke}" stroke-width="1.5"/>`;
}

function key(name: string, shape: 'line' | 'dot' | 'bar', paint: string): string {
  return `<span><i class="${shape}-key" style="background:${paint}"></i>${escapeHtml(name)}</span>`;
}

function legend(items: readonly string[]): string {
  return items.length === 0 ? '' : `<div class="legend">${items.join('')}</div>`;
}
