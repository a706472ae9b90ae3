/**
 * `node packages/consensus/test/mutations/first-violation.ts COUNT [honest|attacked|wiped]` runs the world's seeds from 1 on, up to
 * COUNT, and ends with status 1 and the violation at the first that breaks.
 */
import { runWorld } from '../world/run.ts';
import { WORLD_OF_KIND, type WorldKind } from '../world/world-kinds.ts';

const [count = 1] = process.argv.slice(2, 3).map(Number);
const draw = WORLD_OF_KIND[(process.argv[3] ?? 'honest') as WorldKind];
for (let seed = 1; seed <= count; seed += 1) {
  try {
    runWorld(draw(seed));
  } catch (error) {
    console.log((error as Error).message);
    process.exitCode = 1;
    break;
  }
}
