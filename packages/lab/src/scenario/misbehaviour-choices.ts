import { chosen } from '@wattmesh/consensus';
import type { ScenarioIssue } from './read-scenario.ts';
import type { Scenario, TimelineEntry } from './schema.ts';

/** Kinds of invalid blocks that only one application's blocks can have. */
const ONLY_IN: Readonly<Record<string, Scenario['protocol']>> = {
  'wrong-model': 'posoc',
  'wrong-trade': 'poeg',
  'flow-not-optimal': 'poeg',
  'inflated-reward': 'poeg',
  'left-out-announcement': 'poeg',
};

/** What a peer would refuse of its orders to misbehave, or could never do. */
export function misbehaviourIssues(
  { choices }: Extract<TimelineEntry, { do: 'misbehave' }>,
  entry: number,
  protocol: Scenario['protocol'],
): ScenarioIssue[] {
  return choices.flatMap(({ name, parameters }, k) =>
    Object.entries(parameters).flatMap(([key, value]): ScenarioIssue[] => {
      const path = ['timeline', entry, 'choices', k, 'parameters', key];
      try {
        chosen({ name, parameters: { [key]: value } });
      } catch (error) {
        return [{ path, message: (error as Error).message.replace(/^[A-Z_]+: \S+: /, '') }];
      }
      const only = name === 'invalid-block' && key === 'kind' ? ONLY_IN[String(value)] : undefined;
      return only === undefined || only === protocol
        ? []
        : [{ path, message: `a chain of \`protocol: ${protocol}\` has no block that could be wrong in this way` }];
    }),
  );
}
