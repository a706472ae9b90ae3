import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { MISBEHAVIOURS } from '../../packages/consensus/src/index.ts';
import { performRuns } from '../../packages/lab/src/run/perform-runs.ts';
import { parseScenario } from '../../packages/lab/src/scenario/read-scenario.ts';

const TEXT = readFileSync(join(import.meta.dirname, '../../scenarios/malicious-miner.yaml'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'wattmesh-lab-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Every misbehaviour as it is by default, and each kind of invalid block that a chain of prosumers can have. */
const CHOICES = MISBEHAVIOURS.flatMap(({ name, parameters }) => {
  const { kind } = parameters;
  if (name !== 'invalid-block' || kind?.kind !== 'choice') return [name];
  return kind.values.filter((value) => value !== 'wrong-model').map((value) => `${name}, parameters: {kind: ${value}}`);
});

describe('one of four members that misbehaves', () => {
  it.each(CHOICES)('%s', async (choice) => {
    const text = TEXT.replace('double-vote', choice);
    expect(text).toContain(choice);
    const { summaries } = await performRuns({
      read: parseScenario(text, choice),
      scenarioFile: choice,
      out: join(folder, choice.replaceAll(/[^a-z-]+/g, '_')),
      runtime: 'process',
      seed: '1',
      repetitions: 1,
      keepPeers: false,
      signal: new AbortController().signal,
      onEvent: () => undefined,
      onSummary: () => undefined,
    });
    expect(summaries[0]?.shortcomings).toEqual([]);
    expect(summaries[0]?.checks.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
    expect(summaries[0]?.checks.map(({ check }) => check)).toContain('misbehaviour-punished');
  });
});
