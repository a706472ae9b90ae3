/** How the values of an axis are laid out, and where it is labelled. */
export interface Scale {
  /** Place of a value on the paper. */
  at(value: number): number;
  readonly ticks: readonly { readonly value: number; readonly label: string }[];
}

/** Even steps of 1, 2 or 5 times a power of ten, about `count` of them. */
export function linearScale(from: number, to: number, start: number, end: number, count: number): Scale {
  const low = from;
  // A range that is nothing beside its ends cannot be divided: neighbouring ticks would be one number.
  const high = to - from > Math.max(1e-9 * Math.max(Math.abs(from), Math.abs(to)), 1e-300) ? to : from + 1;
  return {
    at: (value) => start + ((value - low) / (high - low)) * (end - start),
    ticks: linearTicks(low, high, count).map((value) => ({ value, label: number(value) })),
  };
}

/** A decade has the same length everywhere. What is not above 0 lies at the lower edge. */
export function logScale(from: number, to: number, start: number, end: number): Scale {
  const low = Math.log10(from);
  const high = Math.max(Math.log10(to), low + 1e-9);
  const at = (value: number): number =>
    start + ((Math.log10(Math.max(value, from)) - low) / (high - low)) * (end - start);
  const factors = high - low > 2 ? [1] : high - low > 0.8 ? [1, 2, 5] : [1, 2, 3, 4, 5, 6, 8];
  const decades = Array.from({ length: Math.floor(high) - Math.floor(low) + 1 }, (_, k) => 10 ** (Math.floor(low) + k));
  const ticks = decades
    .flatMap((decade) => factors.map((factor) => factor * decade))
    .filter((value) => value >= from * 0.999 && value <= to * 1.001)
    .map((value) => ({ value, label: number(value) }));
  return { at, ticks };
}

/** Shares of the samples, in per cent: each further nine takes the same room, so that the slowest can be told apart. */
export function percentileScale(highest: number, start: number, end: number): Scale {
  const nines = (percentile: number): number => -Math.log10(1 - percentile / 100);
  const { at } = linearScale(0, nines(highest), start, end, 1);
  return {
    at: (percentile) => at(nines(percentile)),
    ticks: [0, 50, 90, 99, 99.9].filter((one) => one <= highest).map((value) => ({ value, label: `${value} %` })),
  };
}

/** A number as short as its size allows. */
export function number(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${trimmed(value / 1e6)}M`;
  if (size >= 1e4) return `${trimmed(value / 1e3)}k`;
  return size !== 0 && size < 1 ? String(Number(value.toPrecision(2))) : trimmed(value);
}

function trimmed(value: number): string {
  return value.toFixed(1).replace(/\.0$/, '');
}

function linearTicks(from: number, to: number, count: number): number[] {
  const power = 10 ** Math.floor(Math.log10((to - from) / count));
  const at = (step: number): number[] => {
    const first = Math.ceil(from / step - 1e-9);
    return Array.from({ length: Math.max(0, Math.floor(to / step + 1e-9) - first + 1) }, (_, k) => (first + k) * step);
  };
  return [1, 2, 5, 10]
    .map((factor) => at(factor * power))
    .reduce((best, one) => (Math.abs(one.length - count) < Math.abs(best.length - count) ? one : best));
}
