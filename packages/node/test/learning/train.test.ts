import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { sha256 } from '@wattmesh/consensus';
import { decodeCheckpoint, encodeCheckpoint, modelHash, readModelFile } from '@wattmesh/frl';
import { describe, expect, it, onTestFinished } from 'vitest';
import { trainCommand } from '../../src/cli/commands/train.ts';
import type { TrainingSettings } from '../../src/learning/settings.ts';
import { TrainingFolder } from '../../src/learning/training-folder.ts';
import { runTraining, type TrainingResult, type TrainingUpdate } from '../../src/learning/training-run.ts';
import { runCommand } from '../fixtures/run-command.ts';
import { tempFolder } from '../temp-folder.ts';

const code = (name: string) => expect.objectContaining({ code: name });

const small = (changes: Partial<TrainingSettings> = {}): TrainingSettings => ({
  seed: 'test',
  mode: 'federated',
  preset: 'paper',
  fleet: 'equal',
  evs: 3,
  rounds: 5,
  daysPerRound: 2,
  learningRate: 1e-3,
  useDelta: true,
  rule: { name: 'mean' },
  poisoning: null,
  backend: 'ts',
  evaluation: { everyRounds: 2, days: 5 },
  ...changes,
});

interface RunOptions {
  readonly stopAfter?: number;
  readonly checkpointEvery?: number;
  readonly resume?: boolean;
}

async function run(
  path: string,
  settings: TrainingSettings,
  { stopAfter, checkpointEvery = 100, resume = false }: RunOptions = {},
): Promise<{ readonly result: TrainingResult | null; readonly updates: readonly TrainingUpdate[] }> {
  const stop = new AbortController();
  const updates: TrainingUpdate[] = [];
  const folder = resume ? TrainingFolder.at(path) : await TrainingFolder.create(path);
  const saved = resume ? { saved: await folder.read() } : {};
  const result = await runTraining({
    folder,
    settings,
    ...saved,
    checkpointEvery,
    signal: stop.signal,
    onUpdate: (update) => {
      updates.push(update);
      if (update.round === stopAfter) stop.abort();
    },
  });
  return { result, updates };
}

/** What must not depend on interruptions. */
const lasting = (result: TrainingResult | null) => {
  const { modelHash: hash, models, curve, returns, last, fingerprint } = result as TrainingResult;
  return { hash, models, curve, returns, last, fingerprint };
};

describe('a run that diverges', () => {
  it.each<[string, Partial<TrainingSettings>, RegExp]>([
    ['federated, where updates that are no numbers are left out', {}, /^round 1: Adam's moments of learner 0 are not/],
    ['local', { mode: 'local' }, /^round 1: model 0 is not finite.* below 1e\+160/],
    [
      'centralised, and evaluated in that very round',
      { mode: 'centralised', evaluation: { everyRounds: 1, days: 5 } },
      /^round 1: the model gives no action/,
    ],
  ])('stops with TRAIN_DIVERGED before it has saved anything: %s', async (_, changes, message) => {
    const path = join(tempFolder(), 'run');
    const running = run(path, small({ ...changes, learningRate: 1e160 }), { checkpointEvery: 1 });
    await expect(running).rejects.toMatchObject({ code: 'TRAIN_DIVERGED', message: expect.stringMatching(message) });
    expect(readdirSync(path)).toEqual([]);
  });

  it('keeps the last sound checkpoint', async () => {
    const path = join(tempFolder(), 'run');
    await run(path, small(), { stopAfter: 1 });
    const folder = TrainingFolder.at(path);
    const { state, checkpoint } = await folder.read();
    // Finite, but what it computes is infinity less infinity.
    const models = checkpoint.models.map((weights) => weights.map((value) => value * 1e300));
    const going = runTraining({
      folder,
      settings: small(),
      saved: { state, checkpoint: { ...checkpoint, models } },
      checkpointEvery: 1,
      signal: new AbortController().signal,
      onUpdate: () => undefined,
    });
    await expect(going).rejects.toMatchObject({
      code: 'TRAIN_DIVERGED',
      message: expect.stringMatching(/^round 2: /),
    });
    expect(await folder.read()).toEqual({ state, checkpoint });
  });
});

describe('a run that is interrupted and resumed', () => {
  it.each<[string, Partial<TrainingSettings>]>([
    ['local', { mode: 'local' }],
    ['federated', {}],
    [
      'federated and poisoned, in two worlds',
      { fleet: 'prices', poisoning: { members: 1, attack: { kind: 'noise', sd: 0.1 } }, rule: { name: 'median' } },
    ],
    ['centralised', { mode: 'centralised' }],
    ['on tfjs', { backend: 'tfjs-cpu', rounds: 3, evs: 1, evaluation: { everyRounds: 3, days: 2 } }],
  ])('%s: ends with the bits of one that was not', async (_, changes) => {
    const settings = small(changes);
    const [whole, parted] = [join(tempFolder(), 'whole'), join(tempFolder(), 'parted')];
    const { result } = await run(whole, settings);
    expect((await run(parted, settings, { stopAfter: 2 })).result).toBeNull();
    expect(readdirSync(parted).sort()).toEqual(['checkpoint-2.safetensors', 'state.json']);
    const resumed = await run(parted, settings, { resume: true });
    expect(resumed.updates.map(({ round }) => round)).toEqual(
      Array.from({ length: settings.rounds - 2 }, (_unused, k) => k + 3),
    );
    expect(lasting(resumed.result)).toEqual(lasting(result));
    for (const { file } of result?.models ?? [])
      expect(readFileSync(join(parted, file))).toEqual(readFileSync(join(whole, file)));
    expect(resumed.result?.sessions.map(({ fromRound, toRound }) => [fromRound, toRound])).toEqual([
      [0, 2],
      [2, settings.rounds],
    ]);
  });

  it('goes on from its last checkpoint when it was killed, and for longer when asked to', async () => {
    const [whole, longer] = [join(tempFolder(), 'whole'), join(tempFolder(), 'longer')];
    const { result } = await run(whole, small({ rounds: 7 }));
    // A finished run of four rounds whose end was lost: all that is left is what stood there after the third.
    await run(longer, small({ rounds: 4 }), { stopAfter: 3 });
    const resumed = await run(longer, small({ rounds: 7 }), { resume: true, checkpointEvery: 2 });
    expect(resumed.result?.modelHash).toBe(result?.modelHash);
    expect(readdirSync(longer).filter((name) => name.startsWith('checkpoint'))).toEqual(['checkpoint-7.safetensors']);
  });

  it('after Ctrl-C ends with 130 and a checkpoint that the command goes on from', async () => {
    const [stopped, whole] = [join(tempFolder(), 'stopped'), join(tempFolder(), 'whole')];
    const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
    const options = ['--evs', '1', '--days-per-round', '1', '--evaluate-every', '1000000', '--preset', 'paper'];
    const child = spawn(
      process.execPath,
      [main, 'train', '--rounds', '1000000', '--out', stopped, '--json', ...options],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    onTestFinished(() => void child.kill('SIGKILL'));
    const exit = new Promise((resolve) => child.once('exit', (status) => resolve(status)));
    let said = '';
    for await (const line of createInterface(child.stdout)) {
      said = (JSON.parse(line) as { type: string }).type;
      // Once: a second Ctrl-C would end it at once.
      if (said === 'round' && !child.killed) child.kill('SIGINT');
    }
    expect(await exit).toBe(130);
    expect(said).toBe('interrupted');
    const { state } = await TrainingFolder.at(stopped).read();
    const rounds = String(state.round + 2);
    const resumed = await runCommand(trainCommand(), '--resume', stopped, '--rounds', rounds);
    const uninterrupted = await runCommand(trainCommand(), '--rounds', rounds, '--out', whole, ...options);
    const hashOf = (folder: string): string =>
      modelHash(readModelFile(readFileSync(join(folder, 'model.safetensors'))).weights);
    expect(hashOf(stopped)).toBe(hashOf(whole));
    for (const text of [resumed, uninterrupted]) expect(text).toContain(hashOf(whole).slice(0, 16));
    expect(resumed).toContain(`going on after round ${state.round}`);
  });
});

describe('a checkpoint', () => {
  async function interrupted(): Promise<string> {
    const path = join(tempFolder(), 'run');
    await run(path, small(), { stopAfter: 2 });
    return path;
  }
  const read = (path: string) => TrainingFolder.at(path).read();
  const stateOf = (path: string) => JSON.parse(readFileSync(join(path, 'state.json'), 'utf8'));
  const writeState = (path: string, state: unknown) => writeFileSync(join(path, 'state.json'), JSON.stringify(state));

  it('holds the models and the moments of every learner, and what the streams are named by', async () => {
    const path = await interrupted();
    const { checkpoint, state } = await read(path);
    expect(checkpoint.optimizerStates).toHaveLength(3);
    // Five epochs of two minibatches in each of two rounds: the last entry counts Adam's steps.
    expect(checkpoint.optimizerStates.map((moments) => moments.at(-1))).toEqual([20, 20, 20]);
    expect(state.random).toEqual({ generator: 'xoshiro128**', seed: 'test', nextRound: 3 });
    expect(state.settings).toEqual(small());
    expect(state.modelHash).toBe(modelHash(checkpoint.models[0] as Float64Array));
  });

  it('that is not there is named', async () => {
    await expect(read(tempFolder())).rejects.toEqual(code('TRAIN_NO_CHECKPOINT'));
    await expect(runCommand(trainCommand(), '--resume', tempFolder())).rejects.toEqual(code('TRAIN_NO_CHECKPOINT'));
  });

  it.each<[string, (path: string) => void]>([
    [
      'one bit of the tensors',
      (path) => {
        const file = join(path, 'checkpoint-2.safetensors');
        const bytes = readFileSync(file);
        bytes[bytes.length - 9] = (bytes[bytes.length - 9] as number) ^ 1;
        writeFileSync(file, bytes);
      },
    ],
    [
      'the end of the tensors',
      (path) => {
        const file = join(path, 'checkpoint-2.safetensors');
        writeFileSync(file, readFileSync(file).subarray(0, -8));
      },
    ],
    [
      'the name of the file',
      (path) =>
        writeState(path, {
          ...stateOf(path),
          checkpoint: { ...stateOf(path).checkpoint, file: 'checkpoint-9.safetensors' },
        }),
    ],
    [
      'a path that leaves the folder',
      (path) =>
        writeState(path, {
          ...stateOf(path),
          checkpoint: { ...stateOf(path).checkpoint, file: '../checkpoint-2.safetensors' },
        }),
    ],
    [
      'the end of the state',
      (path) => {
        const file = join(path, 'state.json');
        writeFileSync(file, readFileSync(file, 'utf8').slice(0, -9));
      },
    ],
    ['a figure of the state', (path) => writeState(path, { ...stateOf(path), round: 'two' })],
    [
      'the tensors for those of another kind of file',
      (path) => {
        const other = Buffer.from('nothing of the sort');
        writeFileSync(join(path, 'checkpoint-2.safetensors'), other);
        writeState(path, { ...stateOf(path), checkpoint: { file: 'checkpoint-2.safetensors', sha256: sha256(other) } });
      },
    ],
  ])('that has lost or changed %s is refused', async (_, damage) => {
    const path = await interrupted();
    damage(path);
    await expect(read(path)).rejects.toEqual(code('TRAIN_CHECKPOINT_CORRUPT'));
  });

  it('of another round than its state, or of other settings, is refused', async () => {
    const path = await interrupted();
    const { checkpoint, state } = await read(path);
    await expect(run(path, small({ seed: 'other' }), { resume: true })).rejects.toEqual(
      code('TRAIN_CHECKPOINT_MISMATCH'),
    );
    await expect(run(path, small({ backend: 'tfjs-cpu' }), { resume: true })).rejects.toEqual(
      code('TRAIN_CHECKPOINT_MISMATCH'),
    );
    await expect(run(path, small({ rounds: 1 }), { resume: true })).rejects.toEqual(code('TRAIN_CHECKPOINT_MISMATCH'));
    const bytes = encodeCheckpoint({ ...checkpoint, round: 1 });
    expect(decodeCheckpoint(bytes).round).toBe(1);
    writeFileSync(join(path, 'checkpoint-2.safetensors'), bytes);
    writeState(path, { ...state, checkpoint: { ...state.checkpoint, sha256: sha256(bytes) } });
    await expect(read(path)).rejects.toEqual(code('TRAIN_CHECKPOINT_MISMATCH'));
  });

  it('takes options that repeat its own and refuses those that contradict it', async () => {
    const path = await interrupted();
    const resume = (...options: string[]) => runCommand(trainCommand(), '--resume', path, ...options);
    for (const options of [
      ['--evs', '4'],
      ['--rule', 'median'],
      ['--no-delta'],
      ['--poisoned', '1'],
      ['--evaluation-days', '6'],
    ])
      await expect(resume(...options)).rejects.toEqual(code('TRAIN_CHECKPOINT_MISMATCH'));
    await expect(resume('--out', join(path, 'x'))).rejects.toEqual(code('TRAIN_INVALID_OPTION'));
    const text = await resume('--evs', '3', '--rule', 'mean', '--seed', 'test');
    expect(text).toContain('going on after round 2');
    expect(text).toContain('model.safetensors');
  });
});

describe('the folder of a new run', () => {
  it('must be empty', async () => {
    const path = join(tempFolder(), 'run');
    await run(path, small({ rounds: 1 }));
    await expect(TrainingFolder.create(path)).rejects.toMatchObject({
      code: 'TRAIN_FOLDER_IN_USE',
      message: expect.stringContaining(`--resume ${path}`),
    });
    const other = tempFolder();
    writeFileSync(join(other, 'letter.txt'), '');
    await expect(TrainingFolder.create(other)).rejects.toEqual(code('TRAIN_FOLDER_IN_USE'));
  });

  it('must be one that can be made and written', async () => {
    const file = join(tempFolder(), 'file');
    writeFileSync(file, '');
    await expect(TrainingFolder.create(join(file, 'run'))).rejects.toEqual(code('TRAIN_FOLDER_UNWRITABLE'));
    await expect(TrainingFolder.at(join(file, 'run')).write('x', '')).rejects.toEqual(code('TRAIN_FOLDER_UNWRITABLE'));
  });
});

describe('the command', () => {
  const train = (...options: string[]) =>
    runCommand(
      trainCommand(),
      '--evs',
      '3',
      '--rounds',
      '2',
      '--days-per-round',
      '2',
      '--evaluation-days',
      '5',
      '--preset',
      'paper',
      ...options,
    );

  it('prints a row for each evaluation, and leaves what its help says', async () => {
    const path = join(tempFolder(), 'run');
    const text = await train('--out', path, '--seed', 'test');
    const { result } = await run(
      join(tempFolder(), 'same'),
      small({ rounds: 2, evaluation: { everyRounds: 1, days: 5 } }),
    );
    const rows = text.split('\n').filter((line) => /^ +\d/.test(line));
    expect(rows).toHaveLength(2);
    const final = result?.curve.at(-1);
    expect(rows[1]).toContain((100 * (final?.shapedGain ?? 0)).toFixed(1));
    expect(rows[1]).toContain((100 * (final?.objectiveGain ?? 0)).toFixed(1));
    expect(rows[1]).toContain(result?.modelHash.slice(0, 12));
    expect(readdirSync(path).sort()).toEqual([
      'checkpoint-2.safetensors',
      'curve.csv',
      'curve.svg',
      'model.safetensors',
      'result.json',
      'state.json',
    ]);
    const written = JSON.parse(readFileSync(join(path, 'result.json'), 'utf8')) as TrainingResult;
    expect(lasting(written)).toEqual(lasting(result));
    expect(written).toMatchObject({
      seed: 'test',
      host: { node: process.version },
      settings: { rounds: 2, backend: 'ts' },
    });
    expect(written).toHaveProperty('commit');
    const { layout, weights, metadata } = readModelFile(readFileSync(join(path, 'model.safetensors')));
    expect(layout.parameterCount).toBe(written.parameters);
    expect(modelHash(weights)).toBe(written.modelHash);
    expect(metadata).toMatchObject({ preset: 'paper', useDelta: 'true', modelHash: written.modelHash });
  });

  it('speaks JSON, a line for each round', async () => {
    const lines = (await train('--out', join(tempFolder(), 'run'), '--json', '--backend', 'tfjs', '--evs', '1'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ type }) => type)).toEqual(['start', 'backend', 'round', 'round', 'result']);
    // Whichever it was, it is one of the three, and those before it are explained.
    expect(['tfjs-node', 'tfjs-wasm', 'tfjs-cpu'].slice(lines[1].refused.length)[0]).toBe(lines[1].name);
    expect(lines[4].settings.backend).toBe(lines[1].name);
    expect(lines[3].modelHash).toBe(lines[4].modelHash);
  });

  it('poisons as many EVs as it is told, and aggregates as it is told', async () => {
    const hashes = new Set<string>();
    for (const options of [
      [],
      ['--poisoned', '1'],
      ['--poisoned', '1', '--rule', 'median'],
      ['--poisoned', '1', '--attack', 'noise:0.5'],
      ['--no-delta'],
      ['--fleet', 'seasons'],
      ['--mode', 'centralised'],
    ]) {
      const lines = (await train('--out', join(tempFolder(), 'run'), '--json', ...options)).trim().split('\n');
      hashes.add(JSON.parse(lines.at(-1) as string).modelHash);
    }
    expect(hashes.size).toBe(7);
  });

  it.each([
    ['more poisoned than there are', ['--poisoned', '4'], 'TRAIN_INVALID_OPTION'],
    ['poisoned EVs that send nothing', ['--poisoned', '1', '--mode', 'local'], 'TRAIN_INVALID_OPTION'],
    ['nobody to imitate', ['--poisoned', '3', '--attack', 'alie'], 'TRAIN_INVALID_OPTION'],
    ['no seed', ['--seed', ''], 'TRAIN_INVALID_OPTION'],
    ['a rule that needs more EVs', ['--rule', 'krum:3'], 'FRL_TOO_FEW_UPDATES'],
    ['an attack that nobody knows', ['--attack', 'flip'], 'commander.invalidArgument'],
    ['an attack of no size', ['--attack', 'noise:x'], 'commander.invalidArgument'],
    ['a negative step', ['--learning-rate', '-1'], 'commander.invalidArgument'],
  ])('refuses %s', async (_, options, expected) => {
    const command = trainCommand().configureOutput({ writeErr: () => {} });
    const all = [
      '--evs',
      '3',
      '--rounds',
      '2',
      '--days-per-round',
      '2',
      '--out',
      join(tempFolder(), 'run'),
      ...options,
    ];
    await expect(runCommand(command, ...all)).rejects.toEqual(code(expected));
  });
});
