/**
 * The one entry behind every npm script: makes the clone ready, then runs the command with Node 24. Plain JavaScript
 * without dependencies, for the Node 20 that a bare machine has.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInPlace } from './child.mjs';
import { programEnvironment } from './setup/environment.mjs';
import { SETUP_FAILED_EXIT_CODE, SetupError } from './setup/failure.mjs';
import { setUp } from './setup/setup.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const CLI = 'packages/node/src/cli/main.ts';

/** Command to the TypeScript it runs, with its first arguments. The user's own follow. */
const PROGRAMS = /** @type {Record<string, string[]>} */ ({
  start: [CLI, 'demo'],
  wattmesh: [CLI],
  check: ['scripts/check.ts'],
  test: ['scripts/test.ts'],
  'test:full': ['scripts/test.ts', '--full'],
  reference: ['packages/frl/scripts/reference-results.ts'],
  format: ['node_modules/@biomejs/biome/bin/biome', 'check', '--write', '.'],
});

const USAGE = `usage: node scripts/run.mjs COMMAND [ARGUMENTS]

  start        the demo: ten prosumers trade for a day (npm start)
  wattmesh     the command line (npm run wattmesh -- ...)
  check        types, lint, format and package boundaries (npm run check)
  test         check, then all tests (npm test)
  test:full    the same with the long ones (npm run test:full)
  reference    reference results of the learner: npm run reference -- --summary (docs/learning.md)
  format       sorts imports and formats what was changed (npm run format)
  setup        only what the others do first; prints the path of the Node to use
`;

async function main() {
  const [command, ...args] = process.argv.slice(2);
  const program = PROGRAMS[command ?? ''];
  if (program === undefined && command !== 'setup') {
    process.stderr.write(USAGE);
    process.exitCode = 64;
    return;
  }
  const { node } = await setUp(root, (line) => process.stderr.write(`[setup] ${line}\n`));
  if (program === undefined) {
    process.stdout.write(`${node}\n`);
    return;
  }
  const [file, ...first] = program;
  await runInPlace(node, [join(root, /** @type {string} */ (file)), ...first, ...args], {
    env: programEnvironment(process.env, dirname(node)),
  });
}

try {
  await main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`[setup] ${error.code}: ${error.message}\n`);
  process.exitCode = SETUP_FAILED_EXIT_CODE;
}
