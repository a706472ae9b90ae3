import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type ChainRules,
  type ChainState,
  createApplication,
  createSignatureScheme,
  createThresholdScheme,
  decodeCertificate,
  decodeState,
  electionListOf,
  genesisState,
  type PoegState,
} from '../../packages/consensus/src/index.ts';
import { provisionSyntheticEvs } from '../../packages/node/src/cluster/create-ev-run.ts';
import { openStoredChain } from '../../packages/node/src/inspect/stored-source.ts';
import { DEFAULT_MARKET, provisionNetwork } from '../../packages/node/src/provision/network.ts';
import { peerFolder } from '../../packages/node/src/provision/run-folder.ts';
import { TestNetwork } from '../network/network.ts';
import type { Attack } from './catalogue.ts';

/** What a run under attack came to, as the chain and the logs of the honest peers tell it. */
export interface AttackResult {
  readonly attack: Attack;
  /** Codes under which honest peers refused, dropped or noticed what the attacker sent. */
  readonly detectedBy: readonly string[];
  /** Kinds of evidence on the chain that was held against the attacker. */
  readonly evidence: readonly string[];
  readonly slashedMicro: bigint;
  readonly isJailed: boolean;
  /** Charged for what its meter contradicts, 10^-6 CAD. */
  readonly deviationMicro: bigint;
  /** Honest members who lost stake or weight. */
  readonly punishedHonest: readonly number[];
  readonly heights: number;
  readonly slots: number;
  /** Rounds that did not decide, over all heights. */
  readonly lostRounds: number;
  /** From the first block on the observer's disk to the last, over the slots between; null within one slot. */
  readonly secondsPerSlot: number | null;
}

const MEMBERS = 4;
const LIMIT_MS = 150_000;
const POLL_MS = 150;
/** Slots that go by where nothing can be proven. */
const QUIET_SLOTS = 6;
const TIMING = { slotPaceMs: 200, readyTimeoutMs: 3_000, proposeMs: 3_000, txPatienceMs: 500 };

/** Four peers, each a process with its own store and sockets; one of them attacks until its consequence has come. */
export async function runAttack(attack: Attack): Promise<AttackResult> {
  const network = attack.protocol === 'poeg' ? prosumers() : electricVehicles();
  const { genesis, chainId } = network;
  const signatures = createSignatureScheme();
  const rules: ChainRules = {
    genesis,
    chainId,
    application: createApplication(genesis, signatures),
    signatures,
    threshold: createThresholdScheme(),
  };
  // The member with the most to say: the first aggregator, or the one whose surplus wins nearly every draw.
  const attacker = attack.protocol === 'poeg' ? 0 : (electionListOf(rules, genesisState(rules), null)[0]?.rank ?? 0);
  const choices = attack.choices.map(({ name, parameters = {} }) => ({ name, parameters }));
  const net = await TestNetwork.lay(network, SEED, TIMING, {
    logLevel: 'debug',
    configure: (name) =>
      name === network.members[attacker]?.name && choices.length > 0 ? { misbehaviour: { choices } } : {},
  });
  try {
    await net.start();
    const honest = net.ranks.filter((rank) => rank !== attacker);
    const observer = honest[0] as number;
    const submitted = attack.submits === true ? net.transfer(observer, observer, 1_000n) : null;
    const { publicKey } = genesis.members[attacker] as { publicKey: string };
    const stakeMicro = async (): Promise<bigint> =>
      BigInt((await net.get<{ stakeMicro: string }>(observer, `/accounts/${publicKey}`)).stakeMicro);
    const isDone = async (): Promise<boolean> => {
      const { slot } = await net.status(observer);
      const slashedMicro = (genesis.members[attacker]?.stakeMicro ?? 0n) - (await stakeMicro());
      switch (attack.consequence.kind) {
        case 'offence':
          return slashedMicro > genesis.penalties.refusalPenaltyMicro * 20n;
        case 'refusal':
          return slashedMicro > 0n && slot > 2;
        case 'dropped':
          return (await logsOf(net, honest)).some(({ code }) => code === 'TRANSPORT_PENALISED');
        default:
          return slot > QUIET_SLOTS;
      }
    };
    await eventually(attack.id, isDone);
    await submitted;
    // Whatever it was, the market goes on.
    const { slot: punishedIn } = await net.status(observer);
    await eventually(`${attack.id}: another slot`, async () => (await net.status(observer)).slot > punishedIn);
    await net.stop();
    return await resultOf(net, rules, attack, attacker, observer);
  } finally {
    await net.destroy();
  }
}

const SEED = 'under attack';

function prosumers(): ReturnType<typeof provisionNetwork> {
  const home = (productionWh: number) => ({ intervals: [{ productionWh, consumptionWh: 1_000 }] });
  return provisionNetwork({
    name: SEED,
    seed: SEED,
    genesisTimeMs: Date.now(),
    households: [4_000, 0, 2_000, 500].map((made, k) => ({ household: home(made), position: { x: k, y: 3 } })),
    slot: { lengthMs: 60_000, clock: 'ready', simulatedHours: 1, slotsPerTerm: 1 },
    market: DEFAULT_MARKET,
  });
}

function electricVehicles(): ReturnType<typeof provisionSyntheticEvs> {
  const plan = { nodes: MEMBERS, seed: SEED, roundsPerDay: 1, preset: 'sound', trainingWindowMs: 0 } as const;
  return provisionSyntheticEvs({ ...plan, clock: 'ready', slotMs: 60_000, genesisTimeMs: Date.now() });
}

async function resultOf(
  net: TestNetwork,
  rules: ChainRules,
  attack: Attack,
  attacker: number,
  observer: number,
): Promise<AttackResult> {
  const { genesis } = rules;
  const honest = net.ranks.filter((rank) => rank !== attacker);
  const lines = await logsOf(net, honest);
  const chain = await openStoredChain(dataFolder(net, observer), genesis);
  try {
    const states: ChainState[] = [];
    const rounds: number[] = [];
    for (let height = 1; height <= chain.head; height += 1) {
      const state = await chain.state(height);
      if (state === null) throw new Error(`the state after height ${height} is not kept`);
      states.push(decodeState(rules, state));
      const stored = await chain.block(height);
      rounds.push(stored === null ? 0 : decodeCertificate(stored.certificate).round);
    }
    const head = states.at(-1) as ChainState;
    const outcomes = states.flatMap(({ discipline }) => discipline.outcomes).filter(({ member }) => member !== null);
    const against = outcomes.filter(({ member }) => member === attacker);
    const committedAt = new Map(
      lines.flatMap(({ peer, msg, height, time }) =>
        msg === 'committed' && peer === observer && height !== undefined ? [[height, time] as const] : [],
      ),
    );
    const [first = 0, last = 0] = [Math.min(...committedAt.keys()), Math.max(...committedAt.keys())];
    const slots = (states[last - 1]?.slot ?? 0) - (states[first - 1]?.slot ?? 0);
    const seconds = ((committedAt.get(last) ?? 0) - (committedAt.get(first) ?? 0)) / 1_000;
    return {
      attack,
      detectedBy: codesAgainst(lines, attacker, genesis.members[attacker]?.publicKey ?? ''),
      evidence: [...new Set(against.map(({ type }) => type))].sort(),
      slashedMicro: against.reduce((sum, { slashedMicro }) => sum + slashedMicro, 0n),
      isJailed: (head.discipline.jailedThrough[attacker] ?? 0) > 0,
      deviationMicro:
        rules.application.name === 'poeg'
          ? ((head.app as PoegState).totals.members[attacker]?.deviationMicro ?? 0n)
          : 0n,
      punishedHonest: honest.filter(
        (rank) =>
          outcomes.some(({ member }) => member === rank) ||
          (head.discipline.jailedThrough[rank] ?? 0) > 0 ||
          (head.ledger.accounts[rank]?.stakeMicro ?? 0n) < (genesis.members[rank]?.stakeMicro ?? 0n),
      ),
      heights: chain.head,
      slots: head.slot,
      lostRounds: rounds.reduce((sum, round) => sum + round, 0),
      secondsPerSlot: slots > 0 ? seconds / slots : null,
    };
  } finally {
    await chain.close();
  }
}

interface LogLine {
  readonly peer: number;
  readonly time: number;
  readonly msg: string;
  readonly height?: number;
  readonly code?: string;
  readonly sender?: string;
  readonly member?: number | string;
  readonly what?: string;
  readonly offence?: string;
}

function dataFolder(net: TestNetwork, rank: number): string {
  return join(peerFolder(net.folder, net.run.peers[rank]?.name as string), 'data');
}

async function logsOf(net: TestNetwork, ranks: readonly number[]): Promise<readonly LogLine[]> {
  const files = await Promise.all(
    ranks.map(async (peer) => {
      const text = await readFile(join(dataFolder(net, peer), '..', 'node.log'), 'utf8').catch(() => '');
      return text.split('\n').flatMap((line): LogLine[] => {
        try {
          return [{ ...(JSON.parse(line) as Omit<LogLine, 'peer'>), peer }];
        } catch {
          return []; // the last line may still be being written
        }
      });
    }),
  );
  return files.flat();
}

/** What honest peers held against what came from the attacker, each once. */
function codesAgainst(lines: readonly LogLine[], attacker: number, publicKey: string): readonly string[] {
  const codes = new Set<string>();
  for (const { msg, code, sender, member, what } of lines) {
    const isItsOwn =
      sender === `member ${attacker}` || sender === publicKey || member === attacker || member === publicKey;
    if (!isItsOwn) continue;
    if (msg === 'refused' && code !== undefined) codes.add(code);
    else if (msg === 'conflict' && what !== undefined) codes.add(`two of: ${what.split('/')[0]}`);
    else if (code === 'TRANSPORT_PENALISED' || code === 'TRANSPORT_BACKED_OFF') codes.add(code);
  }
  return [...codes].sort();
}

async function eventually(what: string, isDone: () => Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + LIMIT_MS;
  while (!(await isDone())) {
    if (Date.now() > deadlineMs) throw new Error(`${what}: its consequence did not come within ${LIMIT_MS / 1_000} s`);
    await delay(POLL_MS);
  }
}
