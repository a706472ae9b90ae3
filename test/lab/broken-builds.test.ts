import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { performRuns } from '../../packages/lab/src/run/perform-runs.ts';
import type { RunSummary } from '../../packages/lab/src/run/result.ts';
import { parseScenario } from '../../packages/lab/src/scenario/read-scenario.ts';

interface Change {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const folder = mkdtempSync(join(tmpdir(), 'wattmesh-lab-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => {
  delete process.env.NODE_OPTIONS;
  delete process.env.WATTMESH_BROKEN_BUILD;
});

/** Runs peers of a broken build under the checks of a whole one. */
async function runBroken(name: string, text: string, changes: readonly Change[]): Promise<RunSummary> {
  process.env.NODE_OPTIONS = `--import=${pathToFileURL(join(import.meta.dirname, 'broken-build.mjs')).href}`;
  process.env.WATTMESH_BROKEN_BUILD = JSON.stringify(changes);
  const { summaries } = await performRuns({
    read: parseScenario(text, name),
    scenarioFile: name,
    out: join(folder, name),
    runtime: 'process',
    seed: '1',
    repetitions: 1,
    keepPeers: false,
    signal: new AbortController().signal,
    onEvent: () => undefined,
    onSummary: () => undefined,
  });
  return summaries[0] as RunSummary;
}

const violated = ({ checks }: RunSummary): string[] =>
  checks.filter(({ verdict }) => verdict === 'violated').map(({ check }) => check);

describe('a deliberately broken build is caught', () => {
  it('whose peers agree on a wrong reward: each share goes to the next member', async () => {
    const summary = await runBroken(
      'wrong-reward',
      'name: wrong reward\nuntil: {slot: 6}\nlimit: 60s\ndata: {source: synthetic, firstHour: 15}\nconsensus: {slotPace: 100ms}\n',
      [
        {
          file: 'consensus/src/poeg/settlement.ts',
          find: 'shareMicro: bills.shareMicro[place]! - withheldMicro,',
          replace: 'shareMicro: bills.shareMicro[(place + 1) % ranks.length]! - withheldMicro,',
        },
      ],
    );
    expect(violated(summary)).toEqual(['validity']);
    const validity = summary.checks.find(({ check }) => check === 'validity');
    expect(validity?.detail).toMatch(/^POEG_WRONG_REWARDS/);
    expect(validity?.first?.height).toBeGreaterThan(1);
    expect(summary.verdict).toBe('violated');
  });

  it('that votes again after a restart, for something else', async () => {
    const summary = await runBroken(
      'votes-twice',
      `name: votes twice
peers: 2
until: 6s
consensus: {slotPace: 100ms, timing: {proposeMs: 500}}
timeline:
  - {do: pause, at: {height: 4}, peers: [p02], id: frozen}
  - {do: restart, at: 3s, peers: [p01]}
  - {do: end, at: 5s, which: frozen}
`,
      [
        {
          file: 'consensus/src/peer/agreement.ts',
          find: 'const records = this.#journal.get(standing.height) ?? [];',
          replace: `const records = this.#journal.get(standing.height) ?? [];
            for (const record of records) if (record.type === 'vote' && record.vote.type === 'prevote') {
              const blockHash = record.vote.blockHash === null ? 'ab'.repeat(32) : null;
              this.#apply({ type: 'persist', record: { ...record, vote: { ...record.vote, blockHash } } });
            }`,
        },
      ],
    );
    expect(violated(summary)).toEqual(['single-signing']);
    expect(summary.checks.find(({ check }) => check === 'single-signing')?.detail).toMatch(/^p01: prevote \d+\/\d+: /);
  });
});
