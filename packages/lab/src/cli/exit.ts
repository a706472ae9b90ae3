import type { Verdict } from '../checks/facts.ts';

/** Exit codes of commands that judge. 2 and 130 are those of every command: a wrong option or file, interrupted. */
export const VERDICT_EXIT: Readonly<Record<Verdict, number>> = { holds: 0, violated: 1, unknown: 3 };

export const VERDICT_EXIT_HELP = `
Exit codes: 0 every check holds; 1 a check is violated; 2 the scenario or an option is wrong; 3 a check is unknown, because
the load or a fault did not take effect; 130 interrupted.`;
