import {
  encodeModel,
  FrlError,
  modelHash,
  type RoundProgress,
  type TrainingCheckpoint,
  type TrainingConfig,
  train,
  trainingFingerprint,
  trainingLayout,
} from '@wattmesh/frl';
import { commitOf, hostFacts } from '../bench/host.ts';
import { type ChosenBackend, chooseBackend } from './backend.ts';
import { LearningError } from './errors.ts';
import { curveCsv, curveSvg } from './learning-curve.ts';
import { type TrainingSettings, trainingConfigOf } from './settings.ts';
import type { CurvePoint, RoundReturns, SavedTraining, TrainingFolder, TrainingSession } from './training-folder.ts';

/** One round of a running training, for whoever watches. */
export interface TrainingUpdate {
  readonly round: number;
  readonly rounds: number;
  readonly daysPerEv: number;
  readonly modelHash: string;
  readonly returns: RoundReturns;
  /** Empty in rounds that do not evaluate. */
  readonly evaluations: readonly CurvePoint[];
  readonly elapsedMs: number;
  /** What the rest will take if it goes on as in this session. */
  readonly leftMs: number;
}

/** How a run ended. */
export interface TrainingResult {
  readonly format: 'wattmesh-training-result';
  readonly version: 1;
  readonly seed: string;
  readonly settings: TrainingSettings;
  readonly fingerprint: string;
  readonly parameters: number;
  readonly rounds: number;
  /** Of the shared model; in local training of EV 0's. */
  readonly modelHash: string;
  /** One per model file. */
  readonly models: readonly { readonly file: string; readonly modelHash: string }[];
  /** Means of the last evaluations (at most four) over all worlds. */
  readonly last: { readonly evaluations: number; readonly shapedGain: number; readonly objectiveGain: number };
  readonly curve: readonly CurvePoint[];
  readonly returns: readonly RoundReturns[];
  /** Malformed updates that were left out. */
  readonly refusedUpdates: number;
  readonly commit: string | null;
  readonly host: TrainingSession['host'];
  readonly sessions: readonly TrainingSession[];
}

export interface TrainingRunOptions {
  readonly folder: TrainingFolder;
  readonly settings: TrainingSettings;
  /** Go on from here. */
  readonly saved?: SavedTraining;
  /** Write a checkpoint after every so many rounds. */
  readonly checkpointEvery: number;
  readonly signal: AbortSignal;
  onBackend?(backend: ChosenBackend): void;
  onUpdate(update: TrainingUpdate): void;
}

const AVERAGED_EVALUATIONS = 4;

/**
 * Trains to the last round and leaves model, result and curve in the folder; null when the signal stopped it, with a
 * checkpoint of the last whole round. A run that is resumed ends with the same bits as one that was never stopped.
 * @throws LearningError TRAIN_CHECKPOINT_MISMATCH, TRAIN_FOLDER_UNWRITABLE, TRAIN_DIVERGED (the last checkpoint stays); FrlError FRL_BACKEND_UNAVAILABLE, FRL_INVALID_CONFIG
 */
export async function runTraining(options: TrainingRunOptions): Promise<TrainingResult | null> {
  const { folder, saved, signal } = options;
  const config = trainingConfigOf(options.settings);
  const layout = trainingLayout(config);
  const backend = await chooseBackend(options.settings.backend, layout);
  options.onBackend?.(backend);
  // What was chosen, so that a resumed run computes with the same.
  const settings = { ...options.settings, backend: backend.name };
  const fingerprint = `${backend.name}:${trainingFingerprint(config)}`;
  if (saved) checkSame(saved, fingerprint, config.rounds);

  const startedMs = performance.now();
  const fromRound = saved?.state.round ?? 0;
  const session = { fromRound, commit: await commitOf(import.meta.dirname), host: { ...hostFacts() } };
  const curve: CurvePoint[] = [...(saved?.state.curve ?? [])];
  const returns: RoundReturns[] = [...(saved?.state.returns ?? [])];
  let refusedUpdates = saved?.state.refusedUpdates ?? 0;
  let latest: RoundProgress | undefined;

  const sessions = (): TrainingSession[] => [
    ...(saved?.state.sessions ?? []),
    ...(latest === undefined
      ? []
      : [{ ...session, toRound: latest.round, elapsedMs: Math.round(performance.now() - startedMs) }]),
  ];
  const save = async (progress: RoundProgress): Promise<void> => {
    const checkpoint = { ...progress.checkpoint(), fingerprint };
    const { round } = checkpoint;
    await folder.save(
      {
        format: 'wattmesh-training',
        version: 1,
        settings,
        fingerprint,
        round,
        random: { generator: 'xoshiro128**', seed: settings.seed, nextRound: round + 1 },
        modelHash: progress.modelHash,
        curve,
        returns,
        refusedUpdates,
        sessions: sessions(),
      },
      checkpoint,
    );
  };

  const resume = saved && { resume: { ...saved.checkpoint, fingerprint: trainingFingerprint(config) } };
  let models = saved?.checkpoint.models ?? [];
  const rounds = train(config, { model: backend.model, ...resume });
  for (const progress of whileFinite(rounds, fromRound, settings.learningRate)) {
    latest = progress;
    const { round, rounds } = progress;
    const evaluations = progress.evaluations.map(
      ({ ev, shapedGain, objectiveGain, regret, means: { cash, settled } }): CurvePoint => ({
        round,
        ev,
        shapedGain,
        objectiveGain,
        regret,
        cash,
        settled,
      }),
    );
    curve.push(...evaluations);
    returns.push(returnsOf(progress));
    refusedUpdates += progress.refused.length;
    const elapsedMs = performance.now() - startedMs;
    options.onUpdate({
      round,
      rounds,
      daysPerEv: progress.episodesPerEv,
      modelHash: progress.modelHash,
      returns: returns.at(-1) as RoundReturns,
      evaluations,
      elapsedMs,
      leftMs: (elapsedMs / (round - fromRound)) * (rounds - round),
    });
    // Signals are heard between rounds only: training holds the thread.
    await new Promise(setImmediate);
    if (signal.aborted || round === rounds || round % options.checkpointEvery === 0) await save(progress);
    if (signal.aborted && round < rounds) return null;
    if (round === rounds) models = progress.checkpoint().models;
  }
  return finish(folder, {
    settings,
    config,
    fingerprint,
    models,
    curve,
    returns,
    refusedUpdates,
    sessions: sessions(),
  });
}

/** Passes on the rounds as long as all is finite that a checkpoint would hold: nothing else can be read back. */
function* whileFinite(
  rounds: Iterable<RoundProgress>,
  fromRound: number,
  learningRate: number,
): Generator<RoundProgress, void> {
  let round = fromRound;
  const diverged = (what: string, cause?: unknown): LearningError =>
    new LearningError(
      'TRAIN_DIVERGED',
      `round ${round}: ${what}. Training has diverged: start another run with a --learning-rate below ${learningRate}, or with a --rule that bears what the poisoned send`,
      { cause },
    );
  try {
    for (const progress of rounds) {
      round = progress.round;
      const found = notFinite(progress.checkpoint());
      if (found !== null) throw diverged(found);
      yield progress;
    }
  } catch (cause) {
    if (!(cause instanceof FrlError) || cause.code !== 'FRL_INVALID_INPUT') throw cause;
    // A round that could not be played or evaluated, because the model answers with no number.
    round += 1;
    throw diverged(`the model gives no action (${cause.message})`, cause);
  }
}

function notFinite({ models, optimizerStates }: TrainingCheckpoint): string | null {
  const first = (vectors: readonly Float64Array[]): number =>
    vectors.findIndex((values) => !values.every(Number.isFinite));
  if (first(models) >= 0) return `model ${first(models)} is not finite`;
  return first(optimizerStates) < 0 ? null : `Adam's moments of learner ${first(optimizerStates)} are not finite`;
}

interface FinishedRun extends Pick<TrainingResult, 'settings' | 'fingerprint' | 'curve' | 'returns'> {
  readonly config: TrainingConfig;
  readonly models: readonly Float64Array[];
  readonly refusedUpdates: number;
  readonly sessions: readonly TrainingSession[];
}

async function finish(folder: TrainingFolder, run: FinishedRun): Promise<TrainingResult> {
  const { settings, config, fingerprint, curve, returns, refusedUpdates, sessions } = run;
  const layout = trainingLayout(config);
  const models: { file: string; modelHash: string }[] = [];
  for (const [index, weights] of run.models.entries()) {
    const file =
      run.models.length === 1 ? 'model.safetensors' : `model-ev${String(index).padStart(2, '0')}.safetensors`;
    const hash = modelHash(weights);
    await folder.write(file, encodeModel(layout, weights, modelMetadata(settings, index, hash)));
    models.push({ file, modelHash: hash });
  }
  const evaluated = [...new Set(curve.map(({ round }) => round))].slice(-AVERAGED_EVALUATIONS);
  const last = curve.filter(({ round }) => evaluated.includes(round));
  const mean = (name: 'shapedGain' | 'objectiveGain'): number =>
    last.reduce((sum, point) => sum + point[name], 0) / last.length;
  const newest = sessions.at(-1) as TrainingSession;
  const result: TrainingResult = {
    format: 'wattmesh-training-result',
    version: 1,
    seed: settings.seed,
    settings,
    fingerprint,
    parameters: layout.parameterCount,
    rounds: config.rounds,
    modelHash: models[0]?.modelHash ?? '',
    models,
    last: { evaluations: evaluated.length, shapedGain: mean('shapedGain'), objectiveGain: mean('objectiveGain') },
    curve,
    returns,
    refusedUpdates,
    commit: newest.commit,
    host: newest.host,
    sessions,
  };
  await folder.write('curve.csv', curveCsv(settings, curve, returns));
  await folder.write('curve.svg', curveSvg(settings, curve, returns));
  // Last, so that a folder with a result has everything.
  await folder.write('result.json', `${JSON.stringify(result, null, 1)}\n`);
  return result;
}

/** What `wattmesh evaluate` needs to know to measure the model in the world that it was trained in. */
function modelMetadata(settings: TrainingSettings, ev: number, hash: string): Record<string, string> {
  const { seed, mode, preset, fleet, evs, rounds, useDelta } = settings;
  const about = { seed, mode, preset, fleet, evs, rounds, useDelta, ev };
  return {
    ...Object.fromEntries(Object.entries(about).map(([name, value]) => [name, String(value)])),
    modelHash: hash,
  };
}

function returnsOf({ round, reports }: RoundProgress): RoundReturns {
  const each = reports.map(({ meanReturn }) => meanReturn);
  const mean = each.reduce((sum, value) => sum + value, 0) / each.length;
  return { round, mean, least: Math.min(...each), most: Math.max(...each) };
}

function checkSame({ state }: SavedTraining, fingerprint: string, rounds: number): void {
  if (state.fingerprint !== fingerprint)
    throw new LearningError(
      'TRAIN_CHECKPOINT_MISMATCH',
      `the checkpoint belongs to run ${state.fingerprint.slice(0, 20)}, these settings make run ${fingerprint.slice(0, 20)}: they, the backend or the code's defaults differ`,
    );
  if (state.round > rounds)
    throw new LearningError(
      'TRAIN_CHECKPOINT_MISMATCH',
      `the checkpoint is of round ${state.round}, beyond the ${rounds} rounds that were asked for; give --rounds ${state.round} or more`,
    );
}
