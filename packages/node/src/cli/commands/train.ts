import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { ChosenBackend } from '../../learning/backend.ts';
import { LearningError } from '../../learning/errors.ts';
import { describe } from '../../learning/learning-curve.ts';
import {
  type AttackSettings,
  BACKENDS,
  FLEETS,
  type TrainingSettings,
  trainingSettingsSchema,
} from '../../learning/settings.ts';
import { type SavedTraining, TrainingFolder } from '../../learning/training-folder.ts';
import { runTraining, type TrainingResult, type TrainingUpdate } from '../../learning/training-run.ts';
import { EXIT } from '../exit.ts';
import { aggregationRule, integerBetween, jsonOption, seedOption } from '../options.ts';
import { print, printJson, Table } from '../output.ts';

interface TrainOptions {
  readonly mode: TrainingSettings['mode'];
  readonly preset: TrainingSettings['preset'];
  readonly fleet: TrainingSettings['fleet'];
  readonly evs: number;
  readonly rounds: number;
  readonly daysPerRound: number;
  readonly learningRate: number;
  readonly delta: boolean;
  readonly rule: ReturnType<typeof aggregationRule>;
  readonly poisoned: number;
  readonly attack: AttackSettings;
  readonly backend: TrainingSettings['backend'];
  readonly evaluateEvery?: number;
  readonly evaluationDays: number;
  readonly checkpointEvery: number;
  readonly out: string;
  readonly resume?: string;
  readonly seed: string;
  readonly json?: boolean;
}

/** Of a whole run, unless `--evaluate-every` says otherwise. */
const EVALUATIONS = 35;

/** Options that decide the course of training: a resumed run takes them from its checkpoint. */
const DECISIVE = {
  mode: 'mode',
  preset: 'preset',
  fleet: 'fleet',
  evs: 'evs',
  daysPerRound: 'daysPerRound',
  learningRate: 'learningRate',
  delta: 'useDelta',
  rule: 'rule',
  poisoned: 'poisoning',
  attack: 'poisoning',
  backend: 'backend',
  seed: 'seed',
  evaluateEvery: 'evaluation',
  evaluationDays: 'evaluation',
} as const satisfies Partial<Record<keyof TrainOptions, keyof TrainingSettings>>;

const COLUMNS = [
  { title: 'round', align: 'right', width: 6 },
  { title: 'days an EV', align: 'right', width: 10 },
  { title: 'gain %', align: 'right', width: 7 },
  { title: 'worst %', align: 'right', width: 7 },
  { title: 'U gain %', align: 'right', width: 8 },
  { title: 'return CAD', align: 'right', width: 10 },
  { title: 'model', width: 12 },
  { title: 'left', align: 'right', width: 8 },
] as const;

export function trainCommand(): Command {
  return new Command('train')
    .description('Teach EVs when to charge and to sell, without a network: alone, federated or on pooled days.')
    .addOption(
      new Option(
        '--mode <name>',
        'each EV alone, their updates aggregated each round, or one learner on all their days',
      )
        .choices(['local', 'federated', 'centralised'])
        .default('federated'),
    )
    .addOption(
      new Option('--preset <name>', 'physics as in the thesis, or with losses and wear')
        .choices(['paper', 'sound'])
        .default('sound'),
    )
    .addOption(
      new Option(
        '--fleet <name>',
        'EVs in one world, or two halves that differ in prices, hours of the tariff, or range anxiety',
      )
        .choices(FLEETS)
        .default('equal'),
    )
    .option('--evs <n>', 'how many EVs', integerBetween(1, 1_000), 10)
    .option('--rounds <n>', 'learning rounds', integerBetween(1, 1_000_000), 220)
    .option('--days-per-round <n>', 'days that each EV plays in a round', integerBetween(1, 10_000), 16)
    .option('--learning-rate <x>', "Adam's step", positive, 1e-3)
    .option('--no-delta', 'train on money instead of the shaped reward')
    .option(
      '--rule <name[:f]>',
      'federated: mean, median, trim, krum, multikrum or clip, with the number of attackers that it assumes',
      aggregationRule,
      { name: 'mean', f: 0 },
    )
    .option('--poisoned <n>', 'federated: the first n EVs poison their updates', integerBetween(0, 1_000), 0)
    .option(
      '--attack <kind[:size]>',
      'what they do: sign-flip (times size), noise (of this sd), alie (mean - size sd)',
      attackOf,
      { kind: 'sign-flip', factor: 3 },
    )
    .addOption(
      new Option(
        '--backend <name>',
        'what computes: typed arrays in float64, or tfjs in float32 (node, else wasm, else cpu)',
      )
        .choices(BACKENDS)
        .default('ts'),
    )
    .option(
      '--evaluate-every <n>',
      `measure the model after every n rounds (default: ${EVALUATIONS} times in a run)`,
      integerBetween(1, 1_000_000),
    )
    .option('--evaluation-days <n>', 'fixed days on which it is measured', integerBetween(1, 100_000), 200)
    .option('--checkpoint-every <n>', 'write a checkpoint after every n rounds', integerBetween(1, 1_000_000), 20)
    .option('--out <folder>', 'a new folder for checkpoints, model, result and curve', '.wattmesh/train')
    .option('--resume <folder>', 'go on with the run in this folder; --rounds may ask for more of it')
    .addOption(seedOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
"gain" is the share of what perfect hindsight gains over doing nothing, on fixed days that nobody trains on: of the return
that is trained on, and (U) of cash less range anxiety and wear. "worst" is that of the worst half of the fleet, or in local
training of the worst EV. Ctrl-C writes a checkpoint and ends with 130; --resume then ends with the very model that an
uninterrupted run gives.

The folder holds: model.safetensors (local training: one an EV), result.json, curve.svg, curve.csv, and state.json with
checkpoint-N.safetensors (models and Adam's moments of every learner).

Examples:
  wattmesh train --mode local --evs 1 --rounds 60 --out first
  wattmesh train --preset paper --rounds 700 --out federated
  wattmesh train --preset paper --fleet prices --poisoned 3 --attack sign-flip:3 --rule multikrum:3 --out attacked
  wattmesh train --resume federated
  wattmesh evaluate federated/model.safetensors rule oracle`,
    )
    .action(async (options: TrainOptions, self: Command) => {
      const stop = new AbortController();
      const abort = (): void => stop.abort();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, abort);
      try {
        await trainFor(options, self, stop.signal);
      } finally {
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, abort);
      }
    });
}

async function trainFor(options: TrainOptions, self: Command, signal: AbortSignal): Promise<void> {
  const { json, resume } = options;
  const { folder, settings, saved } =
    resume === undefined ? await started(options) : await resumed(resume, options, self);
  const table = new Table(COLUMNS);
  if (json) printJson({ type: 'start', folder: folder.path, settings, fromRound: saved?.state.round ?? 0 });
  else
    print(
      `${describe(settings)}; ${settings.rounds} rounds of ${settings.daysPerRound} days an EV, into ${folder.path}`,
    );
  const result = await runTraining({
    folder,
    settings,
    ...(saved && { saved }),
    checkpointEvery: options.checkpointEvery,
    signal,
    onBackend: (backend) => announce(backend, saved, table, json),
    onUpdate: (update) => (json ? printJson({ type: 'round', ...update }) : show(update, settings, table)),
  });
  clearProgress();
  if (result === null) {
    if (json) printJson({ type: 'interrupted', folder: folder.path });
    else print(`stopped; go on with: wattmesh train --resume ${folder.path}`);
    process.exitCode = EXIT.interrupted;
  } else if (json) printJson({ type: 'result', folder: folder.path, ...result });
  else summarise(result, folder.path);
}

async function started(options: TrainOptions) {
  const settings = settingsOf(options);
  return { settings, folder: await TrainingFolder.create(options.out), saved: undefined };
}

/** A run's own settings, which options may only repeat; `--rounds` may ask for more. */
async function resumed(path: string, options: TrainOptions, self: Command) {
  const isGiven = (name: string): boolean => self.getOptionValueSource(name) === 'cli';
  if (isGiven('out'))
    throw new LearningError('TRAIN_INVALID_OPTION', '--resume goes on in its own folder; leave out --out');
  const folder = TrainingFolder.at(path);
  const saved = await folder.read();
  const { settings } = saved.state;
  const rounds = isGiven('rounds') ? options.rounds : settings.rounds;
  for (const [option, name] of Object.entries(DECISIVE)) {
    if (!isGiven(option)) continue;
    // Only what was given counts: all else keeps the run's own value.
    const wanted = settingsOf({ ...optionsOf(settings, options), [option]: options[option as keyof TrainOptions] });
    if (JSON.stringify(wanted[name]) === JSON.stringify(settings[name])) continue;
    throw new LearningError(
      'TRAIN_CHECKPOINT_MISMATCH',
      `the run in ${path} has ${name} ${JSON.stringify(settings[name])}, not ${JSON.stringify(wanted[name])}; leave the option out, or start another run`,
    );
  }
  return { settings: { ...settings, rounds }, folder, saved: saved as SavedTraining | undefined };
}

/** The options that a run's settings come from. */
function optionsOf(settings: TrainingSettings, options: TrainOptions): TrainOptions {
  const { useDelta, rule, poisoning, evaluation, ...same } = settings;
  return {
    ...options,
    ...same,
    delta: useDelta,
    rule: { name: rule.name, f: 'f' in rule ? rule.f : 0 },
    poisoned: poisoning?.members ?? 0,
    attack: poisoning?.attack ?? options.attack,
    evaluateEvery: evaluation.everyRounds,
    evaluationDays: evaluation.days,
  };
}

function settingsOf(options: TrainOptions): TrainingSettings {
  const { mode, preset, fleet, evs, rounds, daysPerRound, learningRate, rule, poisoned, attack, backend, seed } =
    options;
  if (poisoned > evs)
    throw new LearningError(
      'TRAIN_INVALID_OPTION',
      `--poisoned ${poisoned} is more than the ${evs} EVs that there are`,
    );
  if (poisoned > 0 && mode !== 'federated')
    throw new LearningError('TRAIN_INVALID_OPTION', '--poisoned needs --mode federated: nobody else sends updates');
  if (attack.kind === 'alie' && poisoned === evs)
    throw new LearningError('TRAIN_INVALID_OPTION', '--attack alie needs an EV that is not --poisoned');
  const checked = trainingSettingsSchema.safeParse({
    seed,
    mode,
    preset,
    fleet,
    evs,
    rounds,
    daysPerRound,
    learningRate,
    useDelta: options.delta,
    rule: ['trim', 'krum', 'multikrum'].includes(rule.name) ? rule : { name: rule.name },
    poisoning: poisoned === 0 ? null : { members: poisoned, attack },
    backend,
    evaluation: {
      everyRounds: options.evaluateEvery ?? Math.max(1, Math.floor(rounds / EVALUATIONS)),
      days: options.evaluationDays,
    },
  });
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw new LearningError('TRAIN_INVALID_OPTION', `${issue?.path.join('.')}: ${issue?.message}`);
}

function announce(backend: ChosenBackend, saved: SavedTraining | undefined, table: Table, json?: boolean): void {
  if (json) {
    printJson({ type: 'backend', name: backend.name, refused: backend.refused });
    return;
  }
  for (const reason of backend.refused) print(`backend not taken: ${reason}`);
  print(`backend ${backend.name} (${backend.model.backend}), ${backend.model.layout.parameterCount} parameters`);
  if (saved) print(`going on after round ${saved.state.round}`);
  print(`\n${table.header()}`);
}

function show(update: TrainingUpdate, settings: TrainingSettings, table: Table): void {
  const { round, rounds, daysPerEv, evaluations, returns, modelHash, leftMs } = update;
  clearProgress();
  if (evaluations.length > 0) {
    const trainedOn = evaluations.map((point) => (settings.useDelta ? point.shapedGain : point.objectiveGain));
    const percent = (values: readonly number[]): string =>
      ((100 * values.reduce((sum, value) => sum + value, 0)) / values.length).toFixed(1);
    print(
      table.row([
        round,
        daysPerEv,
        percent(trainedOn),
        percent([Math.min(...trainedOn)]),
        percent(evaluations.map(({ objectiveGain }) => objectiveGain)),
        returns.mean.toFixed(3),
        modelHash.slice(0, 12),
        duration(leftMs),
      ]),
    );
  }
  if (process.stderr.isTTY && round < rounds)
    process.stderr.write(`round ${round} of ${rounds}, ${duration(leftMs)} left`);
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
}

function summarise({ models, last, sessions, refusedUpdates }: TrainingResult, folder: string): void {
  const elapsedMs = sessions.reduce((sum, session) => sum + session.elapsedMs, 0);
  print(
    `\nMean of the last ${last.evaluations} evaluations: ${(100 * last.shapedGain).toFixed(1)} % of the shaped return, ${(100 * last.objectiveGain).toFixed(1)} % in money (U); ${duration(elapsedMs)}.`,
  );
  if (refusedUpdates > 0) print(`${refusedUpdates} malformed updates were left out.`);
  for (const { file, modelHash } of models) print(`${modelHash.slice(0, 16)}  ${join(folder, file)}`);
  print(`Learning curve: ${join(folder, 'curve.svg')} and curve.csv; all figures: result.json.`);
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3_600).toFixed(1)} h`;
}

function positive(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError('Give a number above 0.');
  return value;
}

/** `kind` or `kind:size`. */
function attackOf(text: string): AttackSettings {
  const [kind, size] = text.split(':');
  const value = size === undefined || size.trim() === '' ? undefined : Number(size);
  if (size === undefined || (value !== undefined && Number.isFinite(value))) {
    if (kind === 'sign-flip') return { kind, factor: value ?? 3 };
    if (kind === 'noise' && (value ?? 0) >= 0) return { kind, sd: value ?? 0.3 };
    if (kind === 'alie') return { kind, z: value ?? 1.5 };
  }
  throw new InvalidArgumentError('Give sign-flip, noise or alie, with :size if you like, such as noise:0.3.');
}
