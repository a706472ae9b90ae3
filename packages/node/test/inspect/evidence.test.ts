import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ChainState,
  decodeState,
  type EvidenceItem,
  type EvidenceOutcome,
  encodeState,
} from '@wattmesh/consensus';
import { Level } from 'level';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SCHEMAS } from '../../src/api/schemas.ts';
import { inspectCommand } from '../../src/cli/commands/inspect.ts';
import { exitCodeOf } from '../../src/cli/exit.ts';
import { getJson } from '../../src/cluster/peer-client.ts';
import { evidenceReport } from '../../src/inspect/evidence-report.ts';
import { InspectedChain } from '../../src/inspect/inspected-chain.ts';
import { openChain } from '../../src/inspect/locate.ts';
import { verifyChain } from '../../src/inspect/verify-chain.ts';
import { DEFAULT_PENALTIES } from '../../src/provision/network.ts';
import { peerFolder } from '../../src/provision/run-folder.ts';
import { heightKey } from '../../src/store/chain-layout.ts';
import { readSealed, sealed } from '../../src/store/level-folder.ts';
import { type HostileNetwork, startHostileNetwork } from '../fixtures/hostile-network.ts';
import { runCommand } from '../fixtures/run-command.ts';

const REFUSER = 0;
const THIEF = 1;

let network: HostileNetwork;
let scratch: string;
/** What the honest peer's API said of its blocks with evidence, and of discipline. */
let shown: { readonly height: number; readonly block: unknown }[];
let discipline: unknown;

/** A chain on which one member was punished for its refusals, another one for voting twice. */
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'wattmesh-inspect-'));
  network = await startHostileNetwork({ [REFUSER]: [{ name: 'refuse' }], [THIEF]: [{ name: 'double-vote' }] });
  const seen = new Map<EvidenceItem['type'], number>();
  await network.until((node) => {
    const { height, discipline } = node.view().state;
    for (const { type, fault } of discipline.outcomes) if (fault === null) seen.set(type, height);
    return seen.has('timeout') && seen.has('votes');
  });
  const honest = network.nodes.at(-1)!;
  shown = await Promise.all(
    [...seen.values()].map(async (height) => ({ height, block: await getJson(honest.apiUrl, `/blocks/${height}`) })),
  );
  discipline = await getJson(honest.apiUrl, '/discipline');
  await network.stop();
}, 120_000);

afterAll(async () => {
  await network.stop();
  await network.remove();
  await rm(scratch, { recursive: true, force: true });
});

const honestName = (): string => network.run.peers.at(-1)!.name;

async function inspecting<T>(work: (chain: InspectedChain) => Promise<T>): Promise<T> {
  const chain = await openChain({ run: network.folder, peer: honestName() });
  try {
    return await work(chain);
  } finally {
    await chain.close();
  }
}

/** A copy of the honest peer's data in which the state after a height has been changed. */
async function altered(name: string, height: number, change: (state: ChainState) => ChainState): Promise<string> {
  const folder = join(scratch, name);
  await cp(join(peerFolder(network.folder, honestName()), 'data'), folder, { recursive: true });
  const db = new Level<string, Uint8Array>(join(folder, 'chain'), { keyEncoding: 'utf8', valueEncoding: 'view' });
  await db.open();
  const rules = await inspecting(async (chain) => chain.rules);
  const state = decodeState(rules, readSealed(db, heightKey('state', height)) as Uint8Array);
  await db.put(heightKey('state', height), sealed(encodeState(rules, change(state))));
  await db.close();
  return folder;
}

const withOutcome =
  (change: (outcome: EvidenceOutcome) => EvidenceOutcome) =>
  (state: ChainState): ChainState => ({
    ...state,
    discipline: { ...state.discipline, outcomes: state.discipline.outcomes.map(change) },
  });

describe('evidence on a chain', () => {
  test('decided again says the same as the chain: who, of what, at what cost', async () => {
    const report = await inspecting((chain) => evidenceReport(chain));
    expect(report).toMatchObject({ agrees: true, wrongRoots: [] });
    const proven = report.items.filter(({ decided }) => decided.proves !== null);
    const timeout = proven.find(({ accusation }) => accusation.kind === 'timeout')!;
    const votes = proven.find(({ accusation }) => accusation.kind === 'votes')!;
    expect(timeout.accusation.accused).toBe(REFUSER);
    expect(timeout.decided).toMatchObject({ proves: 'refusal', finding: expect.stringMatching(/^refusal\/\d+\/0$/) });
    const slashedMicro = String(DEFAULT_PENALTIES.refusalPenaltyMicro);
    expect(timeout.recorded).toEqual({ member: REFUSER, fault: null, slashedMicro });
    expect(votes.accusation.accused).toBe(THIEF);
    expect(votes.decided.finding).toMatch(new RegExp(`^pre(vote|commit)s/${THIEF}/${votes.accusation.height}/`));
    expect(Number(votes.recorded?.slashedMicro)).toBeGreaterThan(9_000_000);
  });

  test('and the same where no state is kept, so that all is executed from genesis', async () => {
    await inspecting(async (chain) => {
      const bare = new InspectedChain({ ...chain.source, state: async () => null });
      const [kept, executed] = [await evidenceReport(chain), await evidenceReport(bare)];
      expect(executed.items.map(({ accusedName: _, ...row }) => row)).toEqual(
        kept.items.map(({ accusedName: _, ...row }) => row),
      );
      expect(executed.agrees).toBe(true);
    });
  });

  test('does not keep the chain from being verified', async () => {
    const report = await inspecting((chain) => verifyChain(chain));
    expect(report).toMatchObject({ problem: null, verifiedHeights: report.head });
  });

  test('is shown by the API with the block and with the members’ discipline', () => {
    const views = shown.map(({ block }) => SCHEMAS.Block.parse(block));
    for (const [kind, rank] of [
      ['timeout', REFUSER],
      ['votes', THIEF],
    ] as const) {
      const items = views.flatMap(({ evidence }) => evidence).filter((item) => item.kind === kind);
      expect(items).toContainEqual(
        expect.objectContaining({ accused: rank, outcome: expect.objectContaining({ member: rank, fault: null }) }),
      );
      expect(items.every(({ height, round }) => height !== null && round !== null)).toBe(true);
    }
    const { members, punished } = SCHEMAS.Discipline.parse(discipline);
    expect(members.map(({ isJailed }) => isJailed)).toEqual([false, true, false, false]);
    expect(members[THIEF]!.jailedThrough).toBeGreaterThan(members[REFUSER]!.jailedThrough);
    expect(punished.some(({ key }) => key.includes(`s/${THIEF}/`))).toBe(true);
  });

  test('is a table and JSON on the command line, for one block or all', async () => {
    const where = ['--run', network.folder, '--peer', honestName()];
    const all = await runCommand(inspectCommand(), 'evidence', ...where);
    for (const word of ['timeout', 'votes', 'refusal', 'offence', 'punished', 'all as recorded'])
      expect(all).toContain(word);
    const { height } = shown[0]!;
    const one = JSON.parse(await runCommand(inspectCommand(), 'evidence', String(height), ...where, '--json'));
    expect(one).toMatchObject({ blocks: 1, agrees: true });
    expect(one.items.every(({ block }: { block: number }) => block === height)).toBe(true);
    expect(await runCommand(inspectCommand(), 'evidence', '1', ...where)).toContain('no evidence');
  });
});

describe('an altered record is noticed:', () => {
  test.each<[string, (outcome: EvidenceOutcome) => EvidenceOutcome]>([
    ['another member', (outcome) => ({ ...outcome, member: 2 })],
    ['another amount', (outcome) => ({ ...outcome, slashedMicro: outcome.slashedMicro + 1n })],
    ['nothing proven', (outcome) => ({ ...outcome, member: null, fault: 'EVIDENCE_NO_CONFLICT', slashedMicro: 0n })],
  ])('%s', async (name, change) => {
    const { height } = shown[0]!;
    const data = await altered(name, height, withOutcome(change));
    const where = ['--data', data, '--genesis', join(network.folder, 'genesis.json')];
    const chain = await openChain({ run: '', data, genesis: where[3]! });
    try {
      const report = await evidenceReport(chain);
      expect(report).toMatchObject({ agrees: false, wrongRoots: [height] });
      expect(report.items.filter(({ agrees }) => !agrees).map(({ block }) => block)).toEqual(
        report.items.filter(({ block }) => block === height).map(() => height),
      );
    } finally {
      await chain.close();
    }
    const command = runCommand(inspectCommand(), 'evidence', String(height), ...where);
    await expect(command).rejects.toMatchObject({ code: 'INSPECT_EVIDENCE_DISAGREES', height });
    expect(exitCodeOf({ code: 'INSPECT_EVIDENCE_DISAGREES' })).toBe(1);
  });

  test('a record without the items, and one that is wrong elsewhere', async () => {
    const { height } = shown[0]!;
    const genesis = join(network.folder, 'genesis.json');
    for (const [name, change] of [
      ['no record', (state: ChainState) => ({ ...state, discipline: { ...state.discipline, outcomes: [] } })],
      ['another time', (state: ChainState) => ({ ...state, chainTimeMs: state.chainTimeMs + 1 })],
    ] as const) {
      const chain = await openChain({ run: '', data: await altered(name, height, change), genesis });
      try {
        const report = await evidenceReport(chain, height);
        expect(report).toMatchObject({ agrees: false, wrongRoots: [height] });
        expect(report.items.every(({ agrees }) => agrees)).toBe(name === 'another time');
      } finally {
        await chain.close();
      }
    }
  });
});
