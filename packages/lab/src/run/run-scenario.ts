import { setTimeout as delay } from 'node:timers/promises';
import { transactionId } from '@wattmesh/consensus';
import type { AnyMember, ProvisionedNetwork } from '@wattmesh/node';
import { outagesOf } from '../checks/absence.ts';
import type { Finding, LatencySample, PeerFinal, RunFacts } from '../checks/facts.ts';
import { judge, shortcomings, worst } from '../checks/judge.ts';
import { firstCommits, showsLife } from '../checks/liveness.ts';
import { auditJournal } from '../checks/single-signing.ts';
import { LabError } from '../errors.ts';
import { Conductor } from '../faults/conductor.ts';
import { Controls } from '../faults/controls.ts';
import { LoadGenerator } from '../load/load-generator.ts';
import { provision, readData } from '../network/provision.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { hasCome, momentOf } from '../scenario/moment.ts';
import type { ReadScenario } from '../scenario/read-scenario.ts';
import { evsOf, type Scenario } from '../scenario/schema.ts';
import { ChainAuditor } from '../watch/chain-auditor.ts';
import type { EventOf, LabEvent, LabEventBody } from '../watch/events.ts';
import { ModelWatch } from '../watch/model-watch.ts';
import { Watch } from '../watch/watch.ts';
import { figuresOf } from './figures.ts';
import { hostFacts } from './host-facts.ts';
import { lookUp } from './look-up.ts';
import type { ResultFolder, RunSummary } from './result.ts';
import { tablesOf } from './tables.ts';

const TICK_MS = 40;
/** For each peer: all start at once, on as many cores as there are. */
const START_LIMIT_MS = 30_000;
/** Transactions that are looked up at every peer at the end. */
const LOOKED_UP = 40;
/**
 * Heights whose messages are recorded, counted from the first that the run sees and from the first fault: more than are shown,
 * because on a busy machine some have gone by before every peer has heard that it is to record.
 */
const TRACED_HEIGHTS = 12;

export interface RunOptions {
  readonly read: ReadScenario;
  readonly scenarioFile: string;
  readonly seed: string;
  readonly result: ResultFolder;
  /** Makes the peers; they are started and closed here. */
  createRuntime(network: ProvisionedNetwork<AnyMember>, scenario: Scenario): Promise<Runtime>;
  readonly signal: AbortSignal;
  onEvent(event: LabEvent): void;
}

/**
 * Runs a scenario once with one seed: brings the network up, does what the timeline says, watches, waits until the network
 * has come to rest, and judges.
 * @throws LabError LAB_NOT_STARTED when the network did not come up: nothing was tested
 */
export async function runScenario(options: RunOptions): Promise<RunSummary> {
  const { read, scenarioFile, seed, result, createRuntime, signal } = options;
  const { scenario } = read;
  const host = await hostFacts();
  const startedAt = new Date();
  const data = await readData(scenario, scenarioFile, seed);
  const network = provision(scenario, data, seed, startedAt.getTime());
  const runtime = await createRuntime(network, scenario);
  try {
    await bringUp(runtime, signal);
    const run = new Run(options, runtime);
    const facts = await run.perform();
    const checks = judge(facts);
    const summary: RunSummary = {
      format: 1,
      name: scenario.name,
      verdict: worst(checks.map(({ verdict }) => verdict)),
      seed,
      runtime: runtime.kind,
      startedAt: startedAt.toISOString(),
      scenario,
      chainId: network.chainId,
      quorum: network.genesis.quorum,
      peers: runtime.names,
      dataSha256: data.sha256,
      host,
      checks,
      shortcomings: shortcomings(facts),
      faults: facts.faults,
      figures: figuresOf(facts, run.events),
    };
    await result.write('summary.json', `${JSON.stringify(summary, null, 2)}\n`);
    for (const [name, text] of Object.entries(tablesOf(run.events))) await result.write(name, text);
    return summary;
  } finally {
    await runtime.close();
    await result.close();
  }
}

/** Starts every peer and waits until each is connected to all others and the first block is there. */
async function bringUp(runtime: Runtime, signal: AbortSignal): Promise<void> {
  const deadlineMs = Date.now() + START_LIMIT_MS * runtime.names.length;
  try {
    const starts = runtime.names.map((name) => runtime.start(name, { trace: { fromHeight: 0, toHeight: 0 } }));
    await Promise.race([Promise.all(starts), interrupted(signal)]);
    for (const name of runtime.names)
      for (;;) {
        signal.throwIfAborted();
        // A machine that starts twenty peers at once may keep one from answering for a while.
        const report = await runtime.report(name, Number.MAX_SAFE_INTEGER).catch((error: Error) => error);
        if (!(report instanceof Error) && report.connected === runtime.names.length - 1) break;
        const found = report instanceof Error ? report.message : `${name} has ${report.connected} connections`;
        if (Date.now() > deadlineMs) throw new Error(found);
        await delay(TICK_MS);
      }
  } catch (cause) {
    signal.throwIfAborted();
    throw new LabError('LAB_NOT_STARTED', `the network did not come up: ${(cause as Error).message}`, { cause });
  }
}

/** Rejects when the user ends the run; peers that are still starting then are ended with the others. */
function interrupted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** When the last load ends that says how long it lasts: one that does not goes on for as long as the run does. */
export function boundedLoadEndMs(load: Scenario['load']): number {
  return load.reduce(
    (latest, { from, for: lasting }) => Math.max(latest, lasting === undefined ? 0 : from + lasting),
    0,
  );
}

/** One run of a scenario on a network that is up. */
class Run {
  readonly events: LabEvent[] = [];
  readonly #options: RunOptions;
  readonly #runtime: Runtime;
  readonly #originMs = Date.now();
  readonly #scenario: Scenario;
  readonly #findings: Finding[] = [];
  readonly #watch: Watch;
  readonly #auditor: ChainAuditor;
  readonly #controls: Controls;
  readonly #conductor: Conductor;
  readonly #load: LoadGenerator;
  /** Null where nobody learns. */
  readonly #models: ModelWatch | null;
  readonly #endAtMs: number;
  #tracesBegun = 0;
  #restMs = 0;
  #goalHeight = 0;
  #finals: readonly PeerFinal[] = [];

  constructor(options: RunOptions, runtime: Runtime) {
    this.#options = options;
    this.#runtime = runtime;
    this.#scenario = options.read.scenario;
    this.#auditor = new ChainAuditor(runtime.network.genesis, runtime.names);
    this.#controls = new Controls(runtime);
    const { until, limit } = this.#scenario;
    this.#endAtMs = typeof until === 'number' ? until : limit;
    this.#load = new LoadGenerator(this.#scenario, runtime, () => this.#elapsedMs(), this.#endAtMs);
    this.#conductor = new Conductor(options.read.plan, {
      context: { runtime, controls: this.#controls },
      progress: () => ({ elapsedMs: this.#elapsedMs(), height: this.#watch.height, slot: this.#watch.slot }),
      miner: () => this.#nextMiner(),
      changed: ({ label, kind, peers, proof, failure }, what) =>
        this.#record({ type: 'fault', what, label, kind, peers, proof, failure }),
    });
    const evs = evsOf(this.#scenario);
    this.#models =
      evs === null ? null : new ModelWatch(runtime, evs.evaluationDays, (event, atMs) => this.#record(event, atMs));
    this.#watch = new Watch({
      runtime,
      auditor: this.#auditor,
      elapsedMs: () => this.#elapsedMs(),
      originMs: this.#originMs,
      record: (event, atMs) => this.#record(event, atMs),
      found: ({ check, height, message }) => this.#found(check, height, message),
      committed: (height, hashes) => void this.#load.onBlock(height, hashes),
      wipesOf: (name) =>
        this.#conductor.records.filter(
          ({ kind, peers, beganMs }) => kind === 'wipe' && beganMs !== null && peers.includes(name),
        ).length,
      outagesOf: (name) => outagesOf(this.#conductor.records, name),
    });
  }

  async perform(): Promise<RunFacts> {
    const { signal } = this.#options;
    const { network, names } = this.#runtime;
    this.#record({ type: 'started', chainId: network.chainId, peers: names, quorum: network.genesis.quorum });
    this.#watch.start();
    this.#load.start();
    let reachedEnd = false;
    let sampledMs = 0;
    try {
      while (!reachedEnd && this.#elapsedMs() < this.#scenario.limit) {
        signal.throwIfAborted();
        this.#conductor.tick();
        await this.#traceHeights();
        this.#models?.look(this.#elapsedMs());
        if (this.#elapsedMs() - sampledMs >= 1_000) {
          sampledMs = this.#elapsedMs();
          this.#record({ type: 'load', ...this.#load.totals });
        }
        reachedEnd = this.#isOver();
        await delay(TICK_MS);
      }
      this.#load.finish();
      await this.#conductor.finish();
      await this.#comeToRest();
      this.#finals = await this.#lookAtPeers();
    } finally {
      await this.#load.stop();
      await this.#watch.stop();
    }
    const endMs = this.#elapsedMs();
    await this.#models?.finish(endMs);
    const facts = await this.#facts(endMs, reachedEnd);
    this.#record({ type: 'load', ...this.#load.totals });
    return facts;
  }

  #isOver(): boolean {
    const { until } = this.#scenario;
    const progress = { elapsedMs: this.#elapsedMs(), height: this.#watch.height, slot: this.#watch.slot };
    return (
      hasCome(momentOf(until), progress) &&
      this.#conductor.isDone &&
      progress.elapsedMs >= boundedLoadEndMs(this.#scenario.load)
    );
  }

  /**
   * After all faults: until every peer has the height that the network has now, the load is in, and a block shows that the
   * chain goes on; or until the time for it is up.
   */
  async #comeToRest(): Promise<void> {
    const goal = this.#watch.height;
    this.#goalHeight = goal;
    const fromMs = this.#elapsedMs();
    const { recovery, liveness } = this.#scenario.checks;
    const isAtRest = (): boolean =>
      this.#runtime.names.every((name) => (this.#watch.status(name)?.height ?? 0) >= goal) &&
      this.#auditor.height >= goal &&
      this.#load.totals.outstanding === 0;
    const seen = () => ({ commits: this.#watch.commits, originMs: this.#originMs, faults: this.#conductor.records });
    const isWaiting = (): boolean => {
      const waitedMs = this.#elapsedMs() - fromMs;
      return (
        (waitedMs < recovery.within && !isAtRest()) ||
        (waitedMs <= liveness.maxGap && !showsLife(seen(), fromMs, liveness.maxGap))
      );
    };
    while (this.#auditor.canGoOn && isWaiting()) {
      this.#options.signal.throwIfAborted();
      await delay(TICK_MS);
    }
    this.#restMs = this.#elapsedMs() - fromMs;
  }

  async #lookAtPeers(): Promise<PeerFinal[]> {
    return Promise.all(
      this.#runtime.names.map(async (peer) => {
        const state = await this.#runtime.stateOf(peer);
        return { peer, state, height: this.#watch.status(peer)?.height ?? null };
      }),
    );
  }

  async #facts(endMs: number, reachedEnd: boolean): Promise<RunFacts> {
    const { names, network } = this.#runtime;
    const latencies = this.#latencies();
    const loadFromMs = this.#scenario.load.reduce((earliest, { from }) => Math.min(earliest, from), endMs);
    await this.#collectTraces();
    return {
      scenario: this.#scenario,
      names,
      quorum: network.genesis.quorum,
      endMs,
      reachedEnd,
      faults: this.#conductor.records,
      commits: this.#watch.commits,
      recommits: this.#watch.recommits,
      originMs: this.#originMs,
      findings: this.#findings,
      auditedHeights: this.#auditor.height,
      comparedHeights: this.#watch.comparedHeights,
      journals: await Promise.all(
        names.map(async (name) =>
          this.#runtime.journal(name).then(
            (journal) => auditJournal(name, journal),
            (error: Error) => ({ peer: name, entries: 0, conflicts: [], unread: error.message }),
          ),
        ),
      ),
      load: this.#load.totals,
      loadFromMs,
      loadWindowMs: this.#scenario.load.length === 0 ? 0 : Math.min(endMs, this.#load.endMs) - loadFromMs,
      restMs: this.#restMs,
      finals: this.#finals,
      goalHeight: this.#goalHeight,
      latencies,
      lookedUp: await this.#lookUp(),
      samples: this.#eventsOf('sample'),
      blocks: this.#eventsOf('block'),
      draws: this.#eventsOf('draw'),
      settlements: this.#eventsOf('settlement'),
      penalties: this.#eventsOf('penalty'),
      models: this.#eventsOf('model'),
      days: this.#eventsOf('day'),
    };
  }

  #eventsOf<T extends LabEvent['type']>(type: T): EventOf<T>[] {
    return this.events.filter((event): event is EventOf<T> => event.type === type);
  }

  #latencies(): LatencySample[] {
    const seen = { commits: this.#watch.commits, originMs: this.#originMs };
    const firsts = new Map(firstCommits(seen).map(({ height, atMs }) => [height, atMs]));
    return this.#load.committed.map(({ height, via, dueMs, count }) => {
      const committedMs = this.#watch.commits.get(height)?.get(via)?.committedMs;
      const atMs = committedMs === undefined ? (firsts.get(height) ?? dueMs) : committedMs - this.#originMs;
      const latencyMs = committedMs === undefined ? null : atMs - dueMs;
      if (latencyMs !== null) this.#record({ type: 'transactions', height, count, latencyMs, via }, atMs);
      return { height, count, latencyMs, atMs };
    });
  }

  /** Asks every peer for committed transactions, evenly over the run, of the heights that it said it had. */
  async #lookUp(): Promise<RunFacts['lookedUp']> {
    const { committed } = this.#load;
    const step = Math.max(1, Math.ceil(committed.length / LOOKED_UP));
    const asked = committed.filter((_, k) => k % step === 0);
    const wrong: string[] = [];
    const unanswered: string[] = [];
    let answers = 0;
    for (const name of this.#runtime.names) {
      const apiUrl = this.#runtime.apiUrl(name);
      if (apiUrl === null) continue;
      const reached = this.#watch.status(name)?.height ?? 0;
      for (const { hash, height } of asked) {
        if (height > reached) continue;
        const id = transactionId(hash, 0);
        const found = await lookUp(apiUrl, id);
        if (typeof found === 'string') {
          unanswered.push(`${name} did not say whether it has transaction ${id.slice(0, 16)}: ${found}`);
          // One that gives no answer is not waited for again and again.
          break;
        }
        answers += 1;
        if (found === null) wrong.push(`${name} does not have transaction ${id.slice(0, 16)} of height ${height}`);
        else if (found.height !== height)
          wrong.push(`${name} has transaction ${id.slice(0, 16)} at height ${found.height}, not ${height}`);
      }
    }
    return { answers, wrong, unanswered };
  }

  async #nextMiner(): Promise<string | null> {
    for (const name of this.#runtime.names) {
      const status = this.#watch.status(name) as { nextProposer?: number | null } | null;
      if (status?.nextProposer != null) return this.#runtime.names[status.nextProposer] ?? null;
    }
    return null;
  }

  /** Records the messages of a few heights: early in the run, and when the first fault has begun. */
  async #traceHeights(): Promise<void> {
    const { height } = this.#watch;
    const isFaulty = this.#conductor.records.some(({ beganMs, kind }) => beganMs !== null && kind !== 'restart');
    const wanted = isFaulty ? 2 : height > 0 ? 1 : 0;
    if (wanted <= this.#tracesBegun) return;
    await this.#collectTraces();
    this.#tracesBegun = wanted;
    const trace = { fromHeight: height + 2, toHeight: height + 1 + TRACED_HEIGHTS };
    await Promise.all(
      this.#runtime.names.map((name) => this.#controls.set(name, 'trace', { trace }).catch(() => undefined)),
    );
  }

  async #collectTraces(): Promise<void> {
    const nameOf = new Map(this.#runtime.network.members.map(({ publicKey, name }) => [publicKey, name]));
    await Promise.all(
      this.#runtime.names.map(async (peer) => {
        if ((await this.#runtime.stateOf(peer)) !== 'up') return;
        const { traced } = await this.#runtime.report(peer, Number.MAX_SAFE_INTEGER).catch(() => ({ traced: [] }));
        const known = this.events.reduce(
          (sum, event) => sum + (event.type === 'trace' && event.peer === peer ? event.messages.length : 0),
          0,
        );
        const messages = traced.slice(known).map((message) => ({
          ...message,
          atMs: message.atMs - this.#originMs,
          otherName: message.other === null ? null : (nameOf.get(message.other) ?? null),
        }));
        if (messages.length > 0) this.#record({ type: 'trace', peer, messages });
      }),
    );
  }

  #found(check: string, height: number | null, message: string): void {
    const atMs = this.#elapsedMs();
    this.#findings.push({ check, atMs, height, message });
    this.#record({ type: 'violation', check, message, height });
  }

  #record(event: LabEventBody, atMs: number = this.#elapsedMs()): void {
    const stamped = { atMs, ...event } as LabEvent;
    this.events.push(stamped);
    if (stamped.type === 'round') this.#models?.onRound(stamped);
    this.#options.result.record(stamped);
    this.#options.onEvent(stamped);
  }

  #elapsedMs(): number {
    return Date.now() - this.#originMs;
  }
}
