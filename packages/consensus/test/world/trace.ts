/**
 * `node packages/consensus/test/world/trace.ts SEED...` prints the trace hash of each seed's world, a line each; `a7` is the
 * attacked world of seed 7.
 */
import { attackedWorldOf, runWorld, worldOf } from './run.ts';

for (const seed of process.argv.slice(2))
  console.log(runWorld(seed.startsWith('a') ? attackedWorldOf(Number(seed.slice(1))) : worldOf(Number(seed))).trace);
