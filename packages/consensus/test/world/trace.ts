/**
 * `node packages/consensus/test/world/trace.ts KIND/SEED...` prints the trace hash of each world, a line each, such as that of
 * `wiped/7`.
 */
import { runWorld } from './run.ts';
import { WORLD_OF_KIND, type WorldKind } from './world-kinds.ts';

for (const name of process.argv.slice(2)) {
  const [kind, seed] = name.split('/');
  console.log(runWorld(WORLD_OF_KIND[kind as WorldKind](Number(seed))).trace);
}
