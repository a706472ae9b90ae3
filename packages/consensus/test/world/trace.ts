/** `node packages/consensus/test/world/trace.ts SEED...` prints the trace hash of each seed's world, a line each. */
import { runWorld, worldOf } from './run.ts';

for (const seed of process.argv.slice(2)) console.log(runWorld(worldOf(Number(seed))).trace);
