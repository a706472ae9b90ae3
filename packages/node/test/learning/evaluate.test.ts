import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@wattmesh/consensus';
import {
  createEnvironmentConfig,
  createModelLayout,
  encodeModel,
  initialWeights,
  modelHash,
  sampleDays,
  streamRng,
} from '@wattmesh/frl';
import { describe, expect, it } from 'vitest';
import { acnFile, ratesFile } from '../../../data/test/synthetic-files.ts';
import { evaluateCommand } from '../../src/cli/commands/evaluate.ts';
import { type EvaluateOptions, evaluatePolicies, POLICIES } from '../../src/learning/evaluate.ts';
import { evaluationDays } from '../../src/learning/evaluation-days.ts';
import { EVALUATION_SEED } from '../../src/learning/settings.ts';
import { runCommand } from '../fixtures/run-command.ts';
import { tempFolder } from '../temp-folder.ts';

const code = (name: string) => expect.objectContaining({ code: name });
const options = (what: readonly string[], changes: Partial<EvaluateOptions> = {}): EvaluateOptions => ({
  what,
  preset: 'paper',
  calendar: 'winter',
  prices: 'ND',
  rangeAnxietyCad: 10,
  days: 20,
  seed: 's',
  zone: 'America/Los_Angeles',
  ...changes,
});
const paper = createEnvironmentConfig('paper');

function file(name: string, contents: string | Uint8Array): string {
  const path = join(tempFolder(), name);
  writeFileSync(path, contents);
  return path;
}

function model(observationSize: number, metadata: Record<string, string> = {}): { path: string; hash: string } {
  const layout = createModelLayout(observationSize, [4]);
  const weights = initialWeights(layout, streamRng(1, 'model'));
  return { path: file('model.safetensors', encodeModel(layout, weights, metadata)), hash: modelHash(weights) };
}

describe('policies on seeded days', () => {
  it('span the scale: nothing is 0, the oracles are 1, and nobody beats them', async () => {
    const { policies, days } = await evaluatePolicies(options(POLICIES));
    expect(days).toBe(20);
    const of = new Map(policies.map((one) => [one.policy, one]));
    expect(of.get('idle')).toMatchObject({ shapedGain: 0, objectiveGain: 0 });
    expect(of.get('oracle')?.objectiveGain).toBeCloseTo(1, 9);
    expect(of.get('oracle-shaped')?.shapedGain).toBeCloseTo(1, 9);
    for (const { objectiveGain, shapedGain, regret } of policies) {
      expect(objectiveGain).toBeLessThanOrEqual(1 + 1e-9);
      expect(shapedGain).toBeLessThanOrEqual(1 + 1e-9);
      expect(regret).toBeGreaterThanOrEqual(-1e-9);
    }
    expect(of.get('uncontrolled')?.means).toMatchObject({ soldKwh: 0 });
    expect(of.get('uncontrolled')?.means.satisfaction).toBeGreaterThan(0.9);
    expect(of.get('rule')?.objectiveGain).toBeGreaterThan(of.get('random')?.objectiveGain ?? 1);
  });

  it('are the days of learning curves, decided by the seed', async () => {
    const { days } = await evaluationDays(paper, { ...options([]), seed: EVALUATION_SEED });
    expect(days).toEqual(sampleDays(paper, 20, streamRng(EVALUATION_SEED, 'evaluation-days')));
    const rule = async (seed: string) => (await evaluatePolicies(options(['rule'], { seed }))).policies[0]?.means.cash;
    expect(await rule('a')).toBe(await rule('a'));
    expect(await rule('b')).not.toBe(await rule('a'));
  });

  it('are another world when asked for', async () => {
    const of = async (changes: Partial<EvaluateOptions>) =>
      (await evaluatePolicies(options(['rule'], changes))).policies[0]?.means;
    const base = await of({});
    expect((await of({ preset: 'sound' }))?.degradation).toBeGreaterThan(base?.degradation ?? 1);
    expect((await of({ rangeAnxietyCad: 0 }))?.objective).toBe((await of({ rangeAnxietyCad: 0 }))?.cash);
    expect((await of({ calendar: 'summer' }))?.cash).not.toBe(base?.cash);
    expect((await of({ prices: 'UD' }))?.cash).not.toBe(base?.cash);
  });
});

describe('a model', () => {
  it('is measured in the world that its file names, under its hash', async () => {
    const { path, hash } = model(9, { preset: 'sound', useDelta: 'true' });
    const { preset, policies } = await evaluatePolicies({ ...options([path, 'idle']), preset: undefined });
    expect(preset).toBe('sound');
    expect(policies.map(({ modelHash: found }) => found)).toEqual([hash, null]);
    expect(policies[0]?.means.throughputKwh).toBeGreaterThan(0);
  });

  it('that is told its range anxiety plays as well; one of another world, or none, is refused', async () => {
    const told = model(10);
    expect((await evaluatePolicies(options([told.path]))).policies[0]?.modelHash).toBe(told.hash);
    await expect(evaluatePolicies(options([model(12).path]))).rejects.toEqual(code('EVALUATE_WRONG_WORLD'));
    await expect(evaluatePolicies(options([file('x.safetensors', 'x')]))).rejects.toEqual(code('FRL_MODEL_WRONG_SIZE'));
    await expect(evaluatePolicies(options(['nobody']))).rejects.toEqual(code('EVALUATE_UNKNOWN_POLICY'));
  });
});

describe('days from files', () => {
  it('have the hours of the sessions in their zone, in their order, and leave out what crosses midnight', async () => {
    // Session i arrives at 7 + i o'clock, i minutes late, and stays 2 + i hours: the last that fits leaves at 23:07.
    const sessions = file('sessions.csv', acnFile(10));
    const { days, remarks, dataHashes } = await evaluationDays(paper, options([], { sessions }));
    expect([...days.arrivalSlot]).toEqual([7, 8, 9, 10, 11, 12, 13, 14]);
    expect([...days.departureSlot]).toEqual([9, 11, 13, 15, 17, 19, 21, 23]);
    expect(remarks.join()).toContain('8 sessions of the file, hours rounded; 2 that cross midnight');
    expect(dataHashes).toEqual({ sessions: sha256(Buffer.from(acnFile(10))) });
    const east = await evaluationDays(paper, options([], { sessions, zone: 'America/New_York', days: 2 }));
    expect([...east.days.arrivalSlot]).toEqual([10, 11]);
    await expect(
      evaluationDays(
        paper,
        options([], {
          sessions: file(
            'late.csv',
            acnFile(1, () => 20),
          ),
        }),
      ),
    ).rejects.toEqual(code('EVALUATE_NO_DAYS'));
  });

  it('have the prices of the newest rates, by season, weekday and hour', async () => {
    const rates = file('rates.json', ratesFile());
    // 2019-05-01 was a Wednesday in summer; the plan of 2024 holds all the same.
    const { days } = await evaluationDays(paper, options([], { rates, sessions: file('s.csv', acnFile(1)) }));
    expect([...days.priceCadPerKwh.subarray(6, 20)].map((price) => Math.round(1_000 * price))).toEqual([
      61, 102, 102, 102, 102, 143, 143, 143, 143, 143, 143, 102, 102, 61,
    ]);
    expect(days.offPriceCadPerKwh[0]).toBe(0.061);
    const year = await evaluationDays(paper, options([], { rates, days: 365 }));
    const noons = Array.from({ length: 365 }, (_, k) =>
      Math.round(1_000 * (year.days.priceCadPerKwh[24 * k + 12] ?? 0)),
    );
    // 2024-11-01 was a Friday: two days of a weekend follow.
    expect(noons.slice(0, 4)).toEqual([102, 61, 61, 102]);
    expect(new Set(noons)).toEqual(new Set([102, 61, 143]));
  });

  it('of another kind, or with hours that no calendar has, are refused', async () => {
    const sessions = file('s.csv', acnFile(2));
    await expect(evaluationDays(paper, options([], { rates: sessions }))).rejects.toEqual(
      code('EVALUATE_INVALID_OPTION'),
    );
    const early = ratesFile()
      .replace(/"mid":\s*\[\s*\[\s*7,\s*11\s*\]/, '"mid": [[6, 11]')
      .replace(/\[\s*0,\s*7\s*\]/, '[0, 6]');
    await expect(evaluationDays(paper, options([], { sessions, rates: file('r.json', early) }))).rejects.toEqual(
      code('EVALUATE_INVALID_OPTION'),
    );
  });
});

describe('the command', () => {
  it('prints a table, or one document with all that a figure depends on', async () => {
    const { path, hash } = model(9, { preset: 'paper' });
    const text = await runCommand(evaluateCommand(), path, 'rule', 'idle', '--days', '10');
    expect(text).toContain('10 days, preset paper, winter hours, prices ND, eta 10 CAD, seed reference');
    expect(text).toMatch(/\nidle +0\.0 +0\.0 /);
    expect(text).toContain(`model ${hash}`);
    const json = JSON.parse(await runCommand(evaluateCommand(), path, 'rule', '--days', '10', '--json'));
    expect(json).toMatchObject({
      seed: 'reference',
      config: { calendar: 'winter', prices: 'ND', eta: 10, days: 10 },
      host: { node: process.version },
      preset: 'paper',
      days: 10,
      dataHashes: {},
    });
    expect(json).toHaveProperty('commit');
    const row = text.split('\n').find((line) => line.startsWith('rule'));
    expect(row).toContain((100 * json.policies[1].objectiveGain).toFixed(1));
    expect(row).toContain(json.policies[1].means.cash.toFixed(3));
  });

  it('refuses a range anxiety below 0', async () => {
    const command = evaluateCommand().configureOutput({ writeErr: () => {} });
    await expect(runCommand(command, 'rule', '--eta', '-1')).rejects.toEqual(code('commander.invalidArgument'));
  });
});
