import { describe, expect, it } from 'vitest';
import { curveCsv, curveSvg } from '../../src/learning/learning-curve.ts';
import type { TrainingSettings } from '../../src/learning/settings.ts';
import type { CurvePoint, RoundReturns } from '../../src/learning/training-folder.ts';

const settings: TrainingSettings = {
  seed: '<7>',
  mode: 'federated',
  preset: 'paper',
  fleet: 'equal',
  evs: 4,
  rounds: 6,
  daysPerRound: 16,
  learningRate: 1e-3,
  useDelta: true,
  rule: { name: 'multikrum', f: 1 },
  poisoning: { members: 1, attack: { kind: 'sign-flip', factor: 3 } },
  backend: 'ts',
  evaluation: { everyRounds: 2, days: 5 },
};

const point = (round: number, ev: number, shapedGain: number): CurvePoint => ({
  round,
  ev,
  shapedGain,
  objectiveGain: shapedGain - 0.1,
  regret: 0.2,
  cash: 0.3,
  settled: 0.4,
});
const curve = [point(2, 0, -0.2), point(4, 0, 0.5), point(6, 0, 0.9)];
const returns: RoundReturns[] = [1, 2, 3, 4, 5, 6].map((round) => ({
  round,
  mean: round,
  least: round - 2,
  most: round + 1,
}));

/** Points of every element `name`, as pairs. */
function points(svg: string, name: string): [number, number][][] {
  return [...svg.matchAll(new RegExp(`<${name}[^>]* points="([^"]*)"`, 'g'))].map(([, text = '']) =>
    text.split(' ').map((pair) => pair.split(',').map(Number) as [number, number]),
  );
}

/** What stands at each tick of an axis: position to value. */
function ticks(svg: string, anchor: 'end' | 'middle'): { at: number; value: number }[] {
  const coordinate = anchor === 'end' ? 'y' : 'x';
  return [
    ...svg.matchAll(new RegExp(`<text x="([\\d.]+)" y="([\\d.]+)" text-anchor="${anchor}">(-?[\\d.]+)</text>`, 'g')),
  ].map(([, x, y, value]) => ({ at: Number(coordinate === 'x' ? x : y), value: Number(value) }));
}

describe('the picture of a learning curve', () => {
  const svg = curveSvg(settings, curve, returns);

  it('names run, axes and units, and refers to nothing outside', () => {
    for (const text of [
      'federated, 4 EVs, paper, multikrum f=1, 1 poisoned (sign-flip), seed &lt;7&gt;',
      'gain against the oracle, %',
      'shaped return, CAD a day',
      'learning rounds (each 16 days of every EV)',
      'shaded: from the least to the most',
    ])
      expect(svg).toContain(text);
    expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:|href|url\(|<script|<style/);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('draws each figure where its axis has it', () => {
    const [shaped, money, training] = points(svg, 'polyline');
    expect([shaped?.length, money?.length, training?.length]).toEqual([3, 3, 6]);
    // The gain's axis comes first: its ticks go up from the lower edge to the 100 that it always shows.
    const axis = ticks(svg, 'end');
    const top = axis.findIndex(({ value }) => value === 100);
    const [low, high] = [axis[0], axis[top]];
    const value = (y: number): number =>
      (low?.value ?? 0) +
      ((y - ((low?.at ?? 0) - 4)) / ((high?.at ?? 0) - (low?.at ?? 0))) * ((high?.value ?? 0) - (low?.value ?? 0));
    curve.forEach(({ shapedGain, objectiveGain }, k) => {
      expect(Math.abs(value(shaped?.[k]?.[1] ?? 0) - 100 * shapedGain)).toBeLessThan(0.5);
      expect(Math.abs(value(money?.[k]?.[1] ?? 0) - 100 * objectiveGain)).toBeLessThan(0.5);
    });
    const rounds = ticks(svg, 'middle');
    const at = (round: number): number => rounds.find((tick) => tick.value === round)?.at ?? Number.NaN;
    expect(shaped?.map(([x]) => x)).toEqual([at(2), at(4), at(6)]);
  });

  it('shades what lies between the least and the most of the EVs', () => {
    const [band] = points(svg, 'polygon');
    const [, , training] = points(svg, 'polyline');
    expect(band).toHaveLength(12);
    training?.forEach(([x, y], k) => {
      const [upper, lower] = [band?.[k], band?.[11 - k]];
      expect([upper?.[0], lower?.[0]]).toEqual([x, x]);
      // Pixels grow downwards; the most is 1 above the mean, the least 2 below.
      expect((lower?.[1] ?? 0) - y).toBeCloseTo(2 * (y - (upper?.[1] ?? 0)), 0);
    });
  });

  it('stays inside its frame', () => {
    for (const [x, y] of [...points(svg, 'polyline'), ...points(svg, 'polygon')].flat())
      expect([x >= 0, x <= 760, y >= 0, y <= 620]).toEqual([true, true, true, true]);
  });

  it('in local training shades the EVs of the gain too; in two worlds draws each', () => {
    const local = curveSvg({ ...settings, mode: 'local', poisoning: null }, [...curve, point(6, 1, 0.1)], returns);
    expect(points(local, 'polygon')).toHaveLength(2);
    const [shaped] = points(local, 'polyline');
    expect(shaped).toHaveLength(3);
    const worlds = curveSvg({ ...settings, fleet: 'seasons' }, [...curve, point(6, 2, 0.7)], returns);
    expect(points(worlds, 'polyline').map((line) => line.length)).toEqual([3, 3, 1, 1, 6]);
    expect(worlds).toContain('winter hours, shaped return');
  });

  it('without evaluations says so, without delta draws money alone', () => {
    expect(curveSvg(settings, [], returns)).toContain('not evaluated');
    const money = curveSvg({ ...settings, useDelta: false }, curve, returns);
    expect(points(money, 'polyline')).toHaveLength(2);
    expect(money).toContain('>return, CAD a day<');
  });
});

it('the table of a learning curve has every figure', () => {
  const [header, ...rows] = curveCsv(settings, curve, returns)
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  expect(rows).toHaveLength(6);
  const column = (name: string): string[] => rows.map((row) => row[header?.indexOf(name) ?? -1] as string);
  expect(column('round')).toEqual(['1', '2', '3', '4', '5', '6']);
  expect(column('days_per_ev')).toEqual(['16', '32', '48', '64', '80', '96']);
  expect(column('return_least_cad')).toEqual(['-1', '0', '1', '2', '3', '4']);
  expect(column('shaped_gain_percent')).toEqual(['', '-20', '', '50', '', '90']);
  expect(column('settled_cad')).toEqual(['', '0.4', '', '0.4', '', '0.4']);
});
