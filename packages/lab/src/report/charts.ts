/**
 * Charts as SVG text, drawn when the report is made: nothing has to run or load in a browser. One chart is 360 units wide, the
 * width of a phone, so that its letters can be read there; wider windows show several side by side.
 */
const WIDTH = 360;
const HEIGHT = 200;
const PLOT = { left: 46, right: 8, top: 8, bottom: 34 };
const COLOURS = ['#0b6bcb', '#c4320a', '#1a7f37', '#8250df', '#9a6700', '#0a7ea4', '#bf3989', '#57606a'];

export interface Series {
  readonly name: string;
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
  readonly bands?: readonly Band[];
  readonly yFrom?: number;
  /** Marks one x: the first violation. */
  readonly mark?: number | null;
}

/** Lines or dots over a common x axis. */
export function lineChart(series: readonly Series[], options: ChartOptions): string {
  const points = series.flatMap((one) => one.points);
  if (points.length === 0) return empty();
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [x0, x1] = widened(Math.min(0, ...xs), Math.max(...xs));
  const [y0, y1] = widened(options.yFrom ?? Math.min(0, ...ys), Math.max(...ys) * 1.05);
  const sx = scale(x0, x1, PLOT.left, WIDTH - PLOT.right);
  const sy = scale(y0, y1, HEIGHT - PLOT.bottom, PLOT.top);
  const body = [
    ...(options.bands ?? []).map((band) => bandSvg(band, sx, x1)),
    ...axes({ x0, x1, y0, y1 }, sx, sy, options),
    ...(options.mark == null
      ? []
      : [
          `<line x1="${f(sx(options.mark))}" x2="${f(sx(options.mark))}" y1="${PLOT.top}" y2="${HEIGHT - PLOT.bottom}" class="mark"/>`,
        ]),
    ...series.map((one, k) => seriesSvg(one, colour(k), sx, sy)),
  ];
  return svg(body) + legend(series.map(({ name }) => name));
}

/** Groups of bars, one group a label. */
export function barChart(
  labels: readonly string[],
  series: readonly { readonly name: string; readonly values: readonly number[] }[],
  options: ChartOptions,
): string {
  if (labels.length === 0) return empty();
  const all = series.flatMap(({ values }) => values);
  const [y0, y1] = widened(Math.min(0, ...all), Math.max(0, ...all) * 1.05);
  const sy = scale(y0, y1, HEIGHT - PLOT.bottom, PLOT.top);
  const group = (WIDTH - PLOT.left - PLOT.right) / labels.length;
  const bar = Math.min(18, (group * 0.8) / series.length);
  const every = Math.ceil(labels.length / 10);
  const body = [
    ...yAxis(y0, y1, sy, options.y),
    ...labels.flatMap((label, k) => {
      const middle = PLOT.left + group * (k + 0.5);
      const bars = series.map(({ values }, s) => {
        const value = values[k] ?? 0;
        const x = middle + (s - series.length / 2) * bar;
        const [top, bottom] = value >= 0 ? [sy(value), sy(0)] : [sy(0), sy(value)];
        return `<rect x="${f(x)}" y="${f(top)}" width="${f(bar * 0.92)}" height="${f(Math.max(0.5, bottom - top))}" fill="${colour(s)}"><title>${escapeHtml(label)}: ${number(value)}</title></rect>`;
      });
      const text =
        k % every === 0
          ? [`<text x="${f(middle)}" y="${HEIGHT - PLOT.bottom + 13}" text-anchor="middle">${escapeHtml(label)}</text>`]
          : [];
      return [...bars, ...text];
    }),
    `<text x="${(PLOT.left + WIDTH) / 2}" y="${HEIGHT - 4}" text-anchor="middle">${escapeHtml(options.x)}</text>`,
  ];
  return svg(body) + legend(series.map(({ name }) => name));
}

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** A number as short as its size allows. */
export function number(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${trimmed(value / 1e6)}M`;
  if (size >= 1e4) return `${trimmed(value / 1e3)}k`;
  return size !== 0 && size < 1 ? value.toPrecision(2) : trimmed(value);
}

export function colour(k: number): string {
  return COLOURS[k % COLOURS.length] as string;
}

function trimmed(value: number): string {
  return value.toFixed(1).replace(/\.0$/, '');
}

function empty(): string {
  return '<p class="none">Nothing was measured.</p>';
}

function svg(body: readonly string[]): string {
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">${body.join('')}</svg>`;
}

function f(value: number): string {
  return value.toFixed(1);
}

function widened(low: number, high: number): [number, number] {
  return high > low ? [low, high] : [low, low + 1];
}

function scale(from: number, to: number, start: number, end: number): (value: number) => number {
  return (value) => start + ((value - from) / (to - from)) * (end - start);
}

/** Round steps: 1, 2 or 5 times a power of ten. */
function ticks(from: number, to: number, count: number): number[] {
  const rough = (to - from) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough) ?? rough;
  const first = Math.ceil(from / step);
  return Array.from({ length: Math.floor(to / step) - first + 1 }, (_, k) => (first + k) * step);
}

interface Range {
  readonly x0: number;
  readonly x1: number;
  readonly y0: number;
  readonly y1: number;
}

function axes(
  { x0, x1, y0, y1 }: Range,
  sx: (x: number) => number,
  sy: (y: number) => number,
  options: ChartOptions,
): string[] {
  return [
    ...yAxis(y0, y1, sy, options.y),
    ...ticks(x0, x1, 6).map(
      (x) => `<text x="${f(sx(x))}" y="${HEIGHT - PLOT.bottom + 13}" text-anchor="middle">${number(x)}</text>`,
    ),
    `<text x="${(PLOT.left + WIDTH) / 2}" y="${HEIGHT - 4}" text-anchor="middle">${escapeHtml(options.x)}</text>`,
  ];
}

function yAxis(y0: number, y1: number, sy: (y: number) => number, label: string): string[] {
  return [
    ...ticks(y0, y1, 4).flatMap((y) => [
      `<line x1="${PLOT.left}" x2="${WIDTH - PLOT.right}" y1="${f(sy(y))}" y2="${f(sy(y))}" class="grid"/>`,
      `<text x="${PLOT.left - 4}" y="${f(sy(y) + 4)}" text-anchor="end">${number(y)}</text>`,
    ]),
    `<text transform="translate(10 ${(PLOT.top + HEIGHT - PLOT.bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(label)}</text>`,
  ];
}

function bandSvg({ from, to, label }: Band, sx: (x: number) => number, end: number): string {
  const x = sx(Math.min(from, end));
  const width = Math.max(1.5, sx(Math.min(to, end)) - x);
  return `<rect x="${f(x)}" y="${PLOT.top}" width="${f(width)}" height="${HEIGHT - PLOT.top - PLOT.bottom}" class="band"><title>${escapeHtml(label)}</title></rect>`;
}

function seriesSvg(series: Series, stroke: string, sx: (x: number) => number, sy: (y: number) => number): string {
  const at = series.points.map(([x, y]) => [f(sx(x)), f(sy(y))] as const);
  if (series.style === 'dots')
    return at.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="1.6" fill="${stroke}"/>`).join('');
  const path = at.map(([x, y], k) => {
    if (k === 0) return `M${x} ${y}`;
    return series.style === 'steps' ? `H${x}V${y}` : `L${x} ${y}`;
  });
  return `<path d="${path.join('')}" fill="none" stroke="${stroke}" stroke-width="1.5"/>`;
}

function legend(names: readonly string[]): string {
  if (names.length < 2) return '';
  const items = names.map((name, k) => `<span><i style="background:${colour(k)}"></i>${escapeHtml(name)}</span>`);
  return `<div class="legend">${items.join('')}</div>`;
}
