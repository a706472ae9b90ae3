/**
 * The laboratory: scenario files, the networks they describe, what is done to them, and what came of it.
 *
 * Guarantees. A scenario that cannot be run is refused before anything starts, with line and column. A run ends with a
 * verdict for each check: it holds, it is violated (with the first violation), or it is unknown, because the load or a fault
 * did not take effect: nothing passes silently. Blocks, settlements, certificates and balances are checked by executing the
 * chain again, here, from its genesis, and not by believing what a peer says of itself.
 *
 * Deviations from the thesis: it has no counterpart there.
 *
 * Persists a result folder for each run: the scenario, events as JSON lines, a summary, tables, a report. Nothing else.
 *
 * Fails with LabError (codes in errors.ts), and with the coded errors of `@wattmesh/node`.
 */
export { LabError, type LabErrorCode } from './errors.ts';
export { parseScenario, type ReadScenario, readScenario } from './scenario/read-scenario.ts';
export type { Scenario, ScenarioInput } from './scenario/schema.ts';
