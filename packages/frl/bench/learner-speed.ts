/**
 * Environment steps per CPU-second of whole local rounds (rollout and PPO update), per numerical core.
 *
 *   node packages/frl/bench/learner-speed.ts [rounds of the typed-array core, default 100]
 */
import {
  type ActorCritic,
  createEnvironmentConfig,
  createLearner,
  createModelLayout,
  initialWeights,
  loadTfjsActorCritic,
  observationSize,
  runLocalRound,
  streamRng,
  TypedArrayActorCritic,
} from '../src/index.ts';

const environment = createEnvironmentConfig('paper');
const layout = createModelLayout(observationSize(environment));

function measure(model: ActorCritic, rounds: number): void {
  const learner = createLearner(model);
  learner.setWeights(initialWeights(layout, streamRng(1, 'speed')));
  const play = (round: number): number =>
    runLocalRound(learner, { environment, seed: 1, ev: 0, round, episodes: 16 }).steps;
  play(0);
  const before = process.cpuUsage();
  let steps = 0;
  for (let round = 1; round <= rounds; round++) steps += play(round);
  const { user, system } = process.cpuUsage(before);
  const seconds = (user + system) / 1e6;
  console.log(
    `${model.backend}: ${Math.round(steps / seconds)} steps per CPU-second (${rounds} rounds, ${steps} steps)`,
  );
}

const rounds = Number(process.argv[2] ?? 100);
measure(new TypedArrayActorCritic(layout), rounds);
for (const backend of ['wasm', 'cpu'] as const) {
  const { model } = await loadTfjsActorCritic(layout, { preference: [backend] });
  measure(model, Math.max(1, Math.round(rounds / 10)));
}
