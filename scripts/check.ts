/** npm run check: everything that can be said about the sources without running them. */
import { join } from 'node:path';
import { runChecks } from './testing/checks.ts';
import { closingLine, isGood } from './testing/counts.ts';

const counts = await runChecks(join(import.meta.dirname, '..'));
console.log(closingLine(counts));
process.exitCode = isGood(counts) ? 0 : 1;
