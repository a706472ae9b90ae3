import { createWriteStream, existsSync, type WriteStream } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { CheckResult, Verdict } from '../checks/facts.ts';
import { LabError } from '../errors.ts';
import type { FaultRecord } from '../faults/conductor.ts';
import type { Scenario } from '../scenario/schema.ts';
import type { LabEvent } from '../watch/events.ts';
import type { HostFacts } from './host-facts.ts';

/** The figures of a run that two runs are compared by. Null: not measured. */
export interface RunFigures {
  readonly seconds: number;
  readonly heights: number;
  readonly slots: number;
  readonly heightsPerSecond: number;
  readonly transactions: number;
  readonly transactionsPerSecond: number | null;
  readonly transactionP50Ms: number | null;
  readonly transactionP99Ms: number | null;
  readonly blockP50Ms: number | null;
  readonly blockP99Ms: number | null;
  readonly laterRounds: number;
  readonly tradedWh: string;
  readonly lossSavedHalfNanoWh: string;
  readonly cpuMsPerHeight: number | null;
  /** Of the time, how much the peers waited for a processor: how busy the machine was. */
  readonly processorWaitPercent: number | null;
  readonly maxMemoryBytes: number | null;
}

/** `summary.json` of a result folder. */
export interface RunSummary {
  readonly format: 1;
  readonly name: string;
  readonly verdict: Verdict;
  readonly seed: string;
  readonly runtime: string;
  readonly startedAt: string;
  readonly scenario: Scenario;
  readonly chainId: string;
  readonly quorum: number;
  readonly peers: readonly string[];
  readonly dataSha256: string;
  readonly host: HostFacts;
  readonly checks: readonly CheckResult[];
  /** Why checks that would hold are unknown: faults or load that did not take effect. */
  readonly shortcomings: readonly string[];
  readonly faults: readonly FaultRecord[];
  readonly figures: RunFigures;
}

/** Writes a result folder while a run goes on. */
export class ResultFolder {
  readonly path: string;
  readonly #events: WriteStream;

  private constructor(path: string) {
    this.path = path;
    this.#events = createWriteStream(join(path, 'events.jsonl'));
  }

  /** @throws LabError RESULT_EXISTS */
  static async create(path: string, scenarioText: string): Promise<ResultFolder> {
    if (existsSync(join(path, 'events.jsonl')))
      throw new LabError('RESULT_EXISTS', `${path} holds a result already; choose another folder with --out`);
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'scenario.yaml'), scenarioText);
    return new ResultFolder(path);
  }

  record(event: LabEvent): void {
    this.#events.write(`${JSON.stringify(event)}\n`);
  }

  async close(): Promise<void> {
    this.#events.end();
    await finished(this.#events);
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(join(this.path, name), text);
  }
}

export interface Result {
  readonly folder: string;
  readonly summary: RunSummary;
  readonly events: readonly LabEvent[];
}

/** @throws LabError RESULT_UNREADABLE */
export async function readResult(folder: string): Promise<Result> {
  const read = async (name: string): Promise<string> =>
    readFile(join(folder, name), 'utf8').catch((cause: Error) => {
      throw new LabError('RESULT_UNREADABLE', `${folder} holds no result of \`wattmesh run\`: ${cause.message}`, {
        cause,
      });
    });
  try {
    const summary = JSON.parse(await read('summary.json')) as RunSummary;
    const events = (await read('events.jsonl'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as LabEvent);
    return { folder, summary, events: events.sort((a, b) => a.atMs - b.atMs) };
  } catch (cause) {
    if (cause instanceof LabError) throw cause;
    throw new LabError('RESULT_UNREADABLE', `${folder} holds a damaged result: ${(cause as Error).message}`, { cause });
  }
}
