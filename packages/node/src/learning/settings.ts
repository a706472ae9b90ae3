import {
  createEnvironmentConfig,
  type EnvironmentConfig,
  type EnvironmentOverrides,
  type TrainingConfig,
} from '@wattmesh/frl';
import { z } from 'zod';

export const FLEETS = ['equal', 'prices', 'seasons', 'anxiety'] as const;
export const BACKENDS = ['ts', 'tfjs', 'tfjs-node', 'tfjs-wasm', 'tfjs-cpu'] as const;

const count = (max: number) => z.int().min(1).max(max);
const attack = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('sign-flip'), factor: z.number() }),
  z.strictObject({ kind: z.literal('noise'), sd: z.number().min(0) }),
  z.strictObject({ kind: z.literal('alie'), z: z.number() }),
]);

/** What a person chooses of a training run; with the code it decides every bit of the model. */
export const trainingSettingsSchema = z.strictObject({
  seed: z.string().min(1),
  mode: z.enum(['local', 'federated', 'centralised']),
  preset: z.enum(['paper', 'sound']),
  fleet: z.enum(FLEETS),
  evs: count(1_000),
  rounds: count(1_000_000),
  daysPerRound: count(10_000),
  learningRate: z.number().positive(),
  useDelta: z.boolean(),
  rule: z.discriminatedUnion('name', [
    z.strictObject({ name: z.enum(['mean', 'median', 'clip']) }),
    z.strictObject({ name: z.enum(['trim', 'krum', 'multikrum']), f: z.int().min(0).max(255) }),
  ]),
  poisoning: z.strictObject({ members: count(1_000), attack }).nullable(),
  backend: z.enum(BACKENDS),
  evaluation: z.strictObject({ everyRounds: count(1_000_000), days: count(100_000) }),
});
export type TrainingSettings = z.infer<typeof trainingSettingsSchema>;
export type AttackSettings = NonNullable<TrainingSettings['poisoning']>['attack'];

/** Seed of the fixed days on which every run is measured, whatever its own seed: curves of two runs compare. */
export const EVALUATION_SEED = 'reference';

/** The worlds of a fleet: one for all, or one for each half. `paper` and `sound` as in docs/learning.md. */
export function fleetWorlds(
  fleet: TrainingSettings['fleet'],
  preset: TrainingSettings['preset'],
  useDelta: boolean,
): readonly { readonly name: string; readonly environment: EnvironmentConfig }[] {
  const world = (name: string, changes: EnvironmentOverrides = {}) => ({
    name,
    environment: createEnvironmentConfig(preset, {
      ...changes,
      observation: { useDelta, observeRangeAnxiety: fleet === 'anxiety' },
    }),
  });
  switch (fleet) {
    case 'equal':
      return [world('all')];
    case 'prices':
      return [world('uniform prices', { tariff: { distribution: 'UD' } }), world('normal prices')];
    case 'seasons':
      return [world('summer hours', { tariff: { calendar: 'summer' } }), world('winter hours')];
    case 'anxiety':
      return [world('eta 2', { rangeAnxietyCad: 2 }), world('eta 20', { rangeAnxietyCad: 20 })];
  }
}

/** Which world EV `ev` of `evs` lives in: the first half (rounded up) in the first. */
export function worldOf(ev: number, evs: number, worlds: number): number {
  return worlds === 1 || ev < Math.ceil(evs / 2) ? 0 : 1;
}

/** The configuration that these settings stand for. Throws nothing: `train` says what cannot be trained. */
export function trainingConfigOf(settings: TrainingSettings): TrainingConfig {
  const { seed, mode, evs, rounds, daysPerRound, learningRate, rule, poisoning, evaluation } = settings;
  const worlds = fleetWorlds(settings.fleet, settings.preset, settings.useDelta);
  const environments = Array.from(
    { length: evs },
    (_, ev) => worlds[worldOf(ev, evs, worlds.length)]?.environment as EnvironmentConfig,
  );
  return {
    seed,
    mode,
    environments,
    rounds,
    episodesPerRound: daysPerRound,
    ppo: { learningRate },
    aggregation: rule,
    ...(poisoning && {
      poisoning: { members: Array.from({ length: poisoning.members }, (_, k) => k), attack: poisoning.attack },
    }),
    evaluation: { ...evaluation, seed: EVALUATION_SEED },
  };
}
