import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ChainState,
  createApplication,
  createDigestSigner,
  createSignatureScheme,
  type Genesis,
  layoutOf,
  type PosocState,
  placeOfSlot,
  posocParametersOf,
  slotsPerDay,
} from '@wattmesh/consensus';
import { initialWeights, streamRng, tensorBytes } from '@wattmesh/frl';
import { describe, expect, it, vi } from 'vitest';
import { provisionSyntheticEvs } from '../../src/cluster/create-ev-run.ts';
import { EvLearning } from '../../src/ev/ev-learning.ts';
import { environmentOf, evProfileSchema } from '../../src/ev/ev-profile.ts';
import { EvSource, globalWeights, stayOfDay } from '../../src/ev/ev-source.ts';
import { LearnerFile, type LearnerMemory, NO_MEMORY } from '../../src/ev/learner-memory.ts';
import { PoisoningTrainer, ThreadTrainer, type Trainer, type TrainingJob } from '../../src/ev/trainer.ts';
import { tempFolder } from '../temp-folder.ts';

const ROUNDS = 2;
const network = provisionSyntheticEvs({
  nodes: 4,
  seed: 'ev test',
  clock: 'ready',
  slotMs: 60_000,
  genesisTimeMs: 0,
  preset: 'sound',
  roundsPerDay: ROUNDS,
  trainingWindowMs: 1_000,
  poisoned: 1,
  selfish: { count: 1, untilDay: 2 },
});
const { genesis, chainId, members } = network;
const scheme = createSignatureScheme();
const application = createApplication(genesis, scheme);
const noBlobs = { get: () => null };

function identityOf(rank: number) {
  const { sign } = createDigestSigner(scheme, members[rank]?.secretKey as Uint8Array);
  return { genesis, chainId, rank, sign };
}
const profileOf = (rank: number) => evProfileSchema.parse(members[rank]?.ev);
const stateAt = (): PosocState => application.genesisState(genesis) as PosocState;

describe('an EV', () => {
  it('announces in each hour of its stay what its battery can do, and that it is away in every other', () => {
    for (const rank of [0, 1]) {
      const source = new EvSource(identityOf(rank), profileOf(rank));
      const { arrivalHour, departureHour, energyWh } = stayOfDay(environment(genesis, rank), profileOf(rank), 0);
      const kinds: string[] = [];
      for (let slot = 0; slot < slotsPerDay(ROUNDS); slot += 1) {
        for (const bytes of source.contributions(slot, stateAt(), noBlobs)) {
          const verdict = application.checkContribution(genesis, chainId, bytes, slot);
          expect(verdict).toMatchObject({ ok: true });
          if (verdict.ok) kinds.push(verdict.contribution.key);
          if (verdict.ok && verdict.contribution.kind === 'action') {
            // The payload codec's option flag follows tag, chain, slot and rank.
            const isHere = bytes[1 + 32 + 8 + 2] === 1;
            expect(isHere).toBe(slot >= arrivalHour && slot < departureHour);
          }
        }
      }
      expect(kinds).toHaveLength(24 + 1);
      expect(kinds.at(-1)).toBe(`payment/${24 + ROUNDS - 2}/${rank}`);
      const { battery } = posocParametersOf(genesis);
      expect(energyWh >= battery.minEnergyWh && energyWh <= battery.maxEnergyWh).toBe(true);
    }
  });

  it('says the same when asked again, and pays from the day on that its profile names', () => {
    const lastSlotOf = (day: number) => (day + 1) * slotsPerDay(ROUNDS) - 1;
    const selfish = new EvSource(identityOf(2), profileOf(2));
    const again = new EvSource(identityOf(2), profileOf(2));
    const pays = [0, 1, 2].map((day) => {
      const [payment] = selfish.contributions(lastSlotOf(day), stateAt(), noBlobs) as [Uint8Array];
      expect(again.contributions(lastSlotOf(day), stateAt(), noBlobs)).toEqual([payment]);
      return payment[1 + 32 + 8 + 2];
    });
    expect(pays).toEqual([0, 0, 1]);
  });

  it('trains in the world that genesis describes', () => {
    const { battery, tariff, stay, rangeAnxietyCad, observation } = environment(genesis, 0);
    expect(battery).toMatchObject({
      capacityKwh: 42,
      socMin: 0.2,
      socMax: 0.8,
      powerLimitKw: 10,
      chargeEfficiency: 0.95,
    });
    expect(tariff).toMatchObject({ v2vFactor: 0.73, gridBuyFactor: 0.635, deltaFloor: 0.05 });
    expect(tariff.prices.meanCadPerKwh).toEqual({ off: 0.082, mid: 0.113, on: 0.17 });
    expect(stay.initialSoc.mean).toBe(0.72);
    expect([rangeAnxietyCad, observation.observeRangeAnxiety]).toEqual([4, true]);
  });
});

function environment(of: Genesis, rank: number) {
  return environmentOf(posocParametersOf(of), profileOf(rank));
}

/** Adds one to every weight; done when told. */
class SlowTrainer implements Trainer {
  readonly jobs: { readonly job: TrainingJob; finish(): void }[] = [];

  train(job: TrainingJob): ReturnType<Trainer['train']> {
    return new Promise((resolve) => {
      const weights = job.weights.map((value) => value + 1);
      const optimizerState = (job.optimizerState ?? new Float64Array(3)).map((value) => value + job.round);
      this.jobs.push({ job, finish: () => resolve({ weights, optimizerState, meanReturn: 0, tookMs: 5 }) });
    });
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}

describe('learning', () => {
  const at = (slot: number) => ({ slot, app: stateAt() }) as never;
  const firstRound = Array.from({ length: 40 }, (_, slot) => slot).find(
    (slot) => placeOfSlot(genesis, slot).round === 1,
  ) as number;

  function learning(trainer: Trainer, contribute: (bytes: Uint8Array) => boolean, memory: LearnerMemory = NO_MEMORY) {
    const errors: unknown[] = [];
    const modules = {
      identity: identityOf(1),
      trainer,
      memory,
      blobs: noBlobs,
      contribute,
      onError: (e: unknown) => errors.push(e),
    };
    return { learning: new EvLearning(modules), errors };
  }

  it('starts once in each slot that learns, and hands over a signed update', async () => {
    const trainer = new SlowTrainer();
    const sent: Uint8Array[] = [];
    const { learning: subject } = learning(trainer, (bytes) => sent.push(bytes) > 0);
    subject.consider(at(firstRound - 1));
    subject.consider(at(firstRound));
    subject.consider(at(firstRound));
    await new Promise(setImmediate);
    expect(trainer.jobs.map(({ job }) => job.round)).toEqual([1]);
    expect(trainer.jobs[0]?.job.weights).toEqual(globalWeights(genesis, stateAt(), noBlobs));
    trainer.jobs[0]?.finish();
    await subject.stop();
    const verdict = application.checkContribution(genesis, chainId, sent[0] as Uint8Array, firstRound);
    expect(verdict).toMatchObject({ ok: true, contribution: { key: `update/${firstRound}/1`, topic: 'updates' } });
    expect(subject.report()).toMatchObject({ rounds: 1, medianMs: 5, maxMs: 5, late: 0 });
  });

  it('counts an update that the peer no longer takes as late, and reports a trainer that fails', async () => {
    const trainer = new SlowTrainer();
    const { learning: subject } = learning(trainer, () => false);
    subject.consider(at(firstRound));
    await new Promise(setImmediate);
    trainer.jobs[0]?.finish();
    await subject.stop();
    expect(subject.report().late).toBe(1);

    const failing = learning(
      { train: () => Promise.reject(new Error('no memory')), stop: () => Promise.resolve() },
      () => true,
    );
    failing.learning.consider(at(firstRound));
    await new Promise(setImmediate);
    expect(failing.errors).toEqual([new Error('no memory')]);
  });

  it('in a thread gives what the same round gives again, and something else for another round', async () => {
    const { learning: parameters } = posocParametersOf(genesis);
    const options = {
      observationSize: 10,
      hidden: [32, 32],
      environment: environment(genesis, 1),
      seed: 's',
      ev: 1,
      episodes: 2,
    };
    const weights = initialWeights(layoutOf(parameters), streamRng('w', 'initial-weights'));
    const trainers = [new ThreadTrainer(options), new ThreadTrainer(options), new ThreadTrainer(options)];
    try {
      const [one, again, other] = await Promise.all(
        trainers.map((trainer, k) => trainer.train({ round: k === 2 ? 8 : 7, weights, optimizerState: null })),
      );
      expect(one?.weights).toEqual(again?.weights);
      expect(other?.weights).not.toEqual(one?.weights);
      expect(one?.weights).not.toEqual(weights);
    } finally {
      await Promise.all(trainers.map((trainer) => trainer.stop()));
    }
  });

  it('survives a global model that others have ruined: it announces nothing, fails the round, and learns in the next', async () => {
    const { learning: parameters } = posocParametersOf(genesis);
    const layout = layoutOf(parameters);
    // Full and far from its departure, the EV sees two large features: their products are infinity less infinity.
    const ruined = new Float64Array(layout.parameterCount);
    for (const { layers } of [layout.actor, layout.critic]) {
      const first = layers[0]?.weightOffset ?? 0;
      ruined[first + 1] = 1.7e308;
      ruined[first + 5] = -1.7e308;
    }
    const source = new EvSource(identityOf(0), profileOf(0));
    const { arrivalHour } = stayOfDay(environment(genesis, 0), profileOf(0), 0);
    const state = { ...stateAt(), modelHash: 'ab'.repeat(32) };
    const actionUnder = (weights: Float64Array): bigint => {
      const [action] = source.contributions(arrivalHour, state, { get: () => tensorBytes(weights) }) as [Uint8Array];
      // The action follows tag, chain, slot, rank, option flag and stored energy.
      return new DataView(action.buffer, action.byteOffset).getBigInt64(1 + 32 + 8 + 2 + 1 + 8);
    };
    expect(actionUnder(ruined)).toBe(actionUnder(new Float64Array(layout.parameterCount)));

    const options = {
      observationSize: 10,
      hidden: [32, 32],
      environment: environment(genesis, 0),
      seed: 's',
      ev: 1,
      episodes: 2,
    };
    const trainer = new ThreadTrainer(options);
    try {
      await expect(trainer.train({ round: 1, weights: ruined, optimizerState: null })).rejects.toThrow(/number|finite/);
      const weights = initialWeights(layoutOf(parameters), streamRng('w', 'initial-weights'));
      expect((await trainer.train({ round: 2, weights, optimizerState: null })).weights.every(Number.isFinite)).toBe(
        true,
      );
    } finally {
      await trainer.stop();
    }
  });

  it('goes on in a new thread when the one it had has died, and reports each round that this cost', async () => {
    // Dies in its first round by ending, in its second by an error; from the third on it is well.
    const thread = `
      import { parentPort } from 'node:worker_threads';
      parentPort.on('message', ({ id, round, weights }) => {
        if (round === 1) process.exit(7);
        if (round === 2) throw new Error('out of memory');
        if (round === 3) parentPort.postMessage({ id, weights, optimizerState: weights, meanReturn: 0, tookMs: 1 });
      });`;
    const options = {
      observationSize: 10,
      hidden: [32, 32],
      environment: environment(genesis, 1),
      seed: 's',
      ev: 1,
      episodes: 2,
    };
    const trainer = new ThreadTrainer(options, new URL(`data:text/javascript,${encodeURIComponent(thread)}`));
    const { learning: subject, errors } = learning(trainer, () => true);
    const slots = Array.from({ length: 4 * slotsPerDay(ROUNDS) }, (_, slot) => slot).filter(
      (slot) => placeOfSlot(genesis, slot).round !== null,
    );
    const comeTo = (round: number) =>
      subject.consider({ slot: slots[round - 1], app: { ...stateAt(), rounds: round - 1 } } as never);
    for (const round of [1, 2, 3]) {
      comeTo(round);
      await vi.waitFor(() => expect(errors.length + subject.report().rounds).toBe(round), { timeout: 20_000 });
    }
    expect(errors).toEqual([
      expect.objectContaining({ message: expect.stringContaining('exit code 7') }),
      expect.objectContaining({ message: 'out of memory' }),
    ]);
    expect(subject.report().rounds).toBe(1);
    // A thread that never answers does not keep the EV from stopping.
    comeTo(4);
    await new Promise(setImmediate);
    await subject.stop();
    expect(errors).toHaveLength(2);
    await expect(trainer.train({ round: 3, weights: Float64Array.of(1), optimizerState: null })).rejects.toThrow(
      'stopped',
    );
  });

  describe('over a restart', () => {
    const rounds = [firstRound, firstRound + 1];
    const afterRounds = (count: number) =>
      ({ slot: rounds[count], app: { ...stateAt(), rounds: count } }) as unknown as ChainState;
    const options = {
      observationSize: 10,
      hidden: [32, 32],
      environment: environment(genesis, 1),
      seed: 's',
      ev: 1,
      episodes: 2,
    };
    const { parameterCount } = layoutOf(posocParametersOf(genesis).learning);

    /** Lets an EV, as started now, train after each of these numbers of settled rounds; returns what it sent. */
    async function trainsAfter(settled: readonly number[], memory: LearnerMemory): Promise<Uint8Array[]> {
      const sent: Uint8Array[] = [];
      const arrived = Promise.withResolvers<void>();
      const { learning: subject, errors } = learning(
        new ThreadTrainer(options),
        (bytes) => {
          sent.push(bytes);
          if (sent.length === settled.length) arrived.resolve();
          else subject.consider(afterRounds(settled[sent.length] as number));
          return true;
        },
        memory,
      );
      subject.consider(afterRounds(settled[0] as number));
      await arrived.promise;
      await subject.stop();
      expect(errors).toEqual([]);
      return sent;
    }

    it("goes on with Adam's moments, and sends for a round that it had begun what it sent before", async () => {
      const whole = await trainsAfter([0, 1], NO_MEMORY);
      const folder = tempFolder();
      const file = () => new LearnerFile(folder, 'chain/1', parameterCount);
      expect(await trainsAfter([0], file())).toEqual([whole[0]]);
      // Killed before the round was settled: once more the same.
      expect(await trainsAfter([0], file())).toEqual([whole[0]]);
      expect(await trainsAfter([1], file())).toEqual([whole[1]]);
      expect(await trainsAfter([1], NO_MEMORY)).not.toEqual([whole[1]]);
      // A chain that stands before what is remembered is another life.
      expect(await trainsAfter([0], file())).toEqual([whole[0]]);
    });

    it('starts afresh, and says so, when what it finds is damaged or of another learner', async () => {
      const folder = tempFolder();
      const file = (owner = 'chain/1', count = 1) => new LearnerFile(folder, owner, count);
      expect(await file().load()).toBeNull();
      const remembered = { round: 7, before: Float64Array.of(1, 2, 3), after: Float64Array.of(4, 5, 6) };
      await file().save(remembered);
      expect(await file().load()).toEqual(remembered);
      await expect(file('chain/2').load()).rejects.toMatchObject({ code: 'EV_LEARNER_MISMATCH' });
      await expect(file('chain/1', 2).load()).rejects.toMatchObject({ code: 'EV_LEARNER_MISMATCH' });
      const path = join(folder, 'learner.safetensors');
      writeFileSync(path, readFileSync(path).subarray(0, -1));
      await expect(file().load()).rejects.toMatchObject({ code: 'FRL_MODEL_WRONG_SIZE' });

      const trainer = new SlowTrainer();
      const { learning: subject, errors } = learning(trainer, () => true, file());
      subject.consider(afterRounds(0));
      await vi.waitFor(() => expect(trainer.jobs).toHaveLength(1));
      expect(trainer.jobs[0]?.job.optimizerState).toBeNull();
      expect(errors).toEqual([expect.objectContaining({ code: 'FRL_MODEL_WRONG_SIZE' })]);
      trainer.jobs[0]?.finish();
      await subject.stop();
      expect(await file().load()).toMatchObject({ round: 1, after: Float64Array.of(1, 1, 1) });
    });

    it('sends its update even when the disk takes no memory', async () => {
      const trainer = new SlowTrainer();
      const sent: Uint8Array[] = [];
      const nowhere = new LearnerFile(join(tempFolder(), 'missing'), 'chain/1', 1);
      const { learning: subject, errors } = learning(trainer, (bytes) => sent.push(bytes) > 0, nowhere);
      subject.consider(afterRounds(0));
      await vi.waitFor(() => expect(trainer.jobs).toHaveLength(1));
      trainer.jobs[0]?.finish();
      await subject.stop();
      expect(sent).toHaveLength(1);
      expect(errors).toEqual([expect.objectContaining({ code: 'ENOENT' })]);
    });
  });

  it('can be poisoned: the update turns round and grows', async () => {
    const honest = new SlowTrainer();
    const poisoned = new PoisoningTrainer(honest, { kind: 'sign-flip', factor: 3 }, 'seed');
    const result = poisoned.train({ round: 1, weights: Float64Array.of(1, 2), optimizerState: null });
    honest.jobs[0]?.finish();
    expect((await result).weights).toEqual(Float64Array.of(1 - 3, 2 - 3));
  });
});
