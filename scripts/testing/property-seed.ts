/**
 * Set up before each test file: property tests draw the same examples in every `npm test` and in continuous integration, so
 * that a change is judged by what it changed; `npm run test:full` draws new ones each time. A property that fails prints its
 * seed, and FAST_CHECK_SEED=<seed> draws as it did.
 */
import fc from 'fast-check';

const { FAST_CHECK_SEED: asked, WATTMESH_TEST_SCOPE: scope } = process.env;
if (asked !== undefined) fc.configureGlobal({ seed: Number(asked) });
else if (scope !== 'full') fc.configureGlobal({ seed: 1 });
