import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { configDefaults, defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

const root = import.meta.dirname;
const scope = process.env.WATTMESH_TEST_SCOPE;
const full = scope === 'full';

// Long runs live in *.full.test.ts and belong to `npm run test:full` only; what continuous integration has time for, and a
// person who waits has not, lives in *.ci.test.ts.
const left = full ? [] : scope === 'ci' ? ['**/*.full.test.ts'] : ['**/*.full.test.ts', '**/*.ci.test.ts'];
const exclude = [...configDefaults.exclude, ...left];
const setupFiles = [join(root, 'scripts/testing/property-seed.ts')];

/** Every package is a project of its own: its tests are those in test/ and those beside a source file. */
const packages: TestProjectInlineConfiguration[] = readdirSync(join(root, 'packages'))
  .filter((name) => existsSync(join(root, 'packages', name, 'package.json')))
  .map((name) => ({
    test: {
      name,
      root: join(root, 'packages', name),
      include: ['test/**/*.test.ts', 'src/**/*.test.ts'],
      exclude,
      setupFiles,
      testTimeout: full ? 600_000 : 60_000,
      maxWorkers: availableParallelism(),
      sequence: { groupOrder: 1 },
    },
  }));

/**
 * The whole system: processes, sockets, disks, containers. One file after the other, when the packages are done, so that
 * what is measured is not the neighbour.
 */
const system: TestProjectInlineConfiguration = {
  test: {
    name: 'system',
    root: join(root, 'test'),
    include: ['**/*.test.ts'],
    exclude: [...exclude, 'boundaries/fixtures/**'],
    setupFiles,
    fileParallelism: false,
    testTimeout: full ? 1_800_000 : 240_000,
    hookTimeout: 240_000,
    sequence: { groupOrder: 2 },
  },
};

export default defineConfig({
  test: {
    projects: [...packages, system],
    passWithNoTests: false,
    reporters: ['default', join(root, 'scripts/testing/count-reporter.ts')],
  },
});
