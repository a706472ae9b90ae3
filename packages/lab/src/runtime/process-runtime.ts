import { mkdtempSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type AnyMember,
  ClusterError,
  type ControlReport,
  type ControlSettingsInput,
  getControlReport,
  isAlive,
  type NodeConfigInput,
  type PeerProcess,
  type ProvisionedNetwork,
  peerFolder,
  putControl,
  type Run,
  readJournal,
  startPeer,
  stopProcess,
  writeRunFolder,
} from '@wattmesh/node';
import { processorWaitMs } from './processor-wait.ts';
import type { ExtraConfig, PeerState, PeerUsage, Runtime } from './runtime.ts';

const STATE_POLL_MS = 10;
const LAST_BYTES = 4_000;
/** Linux counts the time of processes in hundredths of a second. */
const TICK_MS = 10;

export interface ProcessRuntimeOptions {
  /** A new folder; `wattmesh status --run` and `wattmesh inspect --run` understand it. */
  readonly folder: string;
  readonly network: ProvisionedNetwork<AnyMember>;
  readonly seed: string;
  readonly timing: NodeConfigInput['timing'];
  readonly config?: Partial<NodeConfigInput>;
}

/** Peers as processes of this machine. They end with this process, even when it is killed. */
export class ProcessRuntime implements Runtime {
  readonly kind = 'process';
  readonly network: ProvisionedNetwork<AnyMember>;
  readonly names: readonly string[];
  readonly #folder: string;
  readonly #run: Run;
  /** A short path: unix sockets have little room for names. */
  readonly #sockets: string;
  /** Configurations as they were first written. */
  readonly #configs = new Map<string, NodeConfigInput>();
  readonly #starting = new Set<Promise<void>>();
  readonly #processes = new Map<string, PeerProcess>();

  private constructor(folder: string, run: Run, network: ProvisionedNetwork<AnyMember>, sockets: string) {
    this.#folder = folder;
    this.#run = run;
    this.network = network;
    this.names = run.peers.map(({ name }) => name);
    this.#sockets = sockets;
  }

  static async create(options: ProcessRuntimeOptions): Promise<ProcessRuntime> {
    const { folder, network, seed, timing, config } = options;
    const sockets = mkdtempSync(join(tmpdir(), 'wattmesh-lab-'));
    const run = await writeRunFolder(folder, network, {
      seed,
      createdMs: Date.now(),
      timing,
      configure: (name) => ({ ...config, control: { socket: join(sockets, `${name}.sock`) } }),
    });
    return new ProcessRuntime(folder, run, network, sockets);
  }

  async start(name: string, settings: ControlSettingsInput, extra: ExtraConfig = {}): Promise<void> {
    const file = join(peerFolder(this.#folder, name), 'config.json');
    const config = this.#configs.get(name) ?? JSON.parse(await readFile(file, 'utf8'));
    this.#configs.set(name, config);
    const control = { socket: this.#socket(name), settings };
    await writeFile(file, `${JSON.stringify({ ...config, control, ...extra }, null, 2)}\n`);
    const peer = this.#run.peers.find((one) => one.name === name) as Run['peers'][number];
    const starting = startPeer(this.#folder, peer, true).then((process) => {
      this.#processes.set(name, process);
    });
    this.#starting.add(starting);
    await starting.finally(() => this.#starting.delete(starting));
  }

  async end(name: string, how: 'kill' | 'stop'): Promise<void> {
    const pid = this.#pid(name);
    if (pid === null) return;
    if (how === 'stop') await stopProcess(pid, name);
    else {
      process.kill(pid, 'SIGKILL');
      while (isAlive(pid)) await delay(STATE_POLL_MS);
    }
    this.#processes.delete(name);
  }

  async pause(name: string): Promise<void> {
    await this.#signal(name, 'SIGSTOP', 'paused');
  }

  async resume(name: string): Promise<void> {
    await this.#signal(name, 'SIGCONT', 'up');
  }

  async wipe(name: string): Promise<void> {
    await rm(join(peerFolder(this.#folder, name), 'data'), { recursive: true, force: true });
  }

  async stateOf(name: string): Promise<PeerState> {
    const pid = this.#pid(name);
    if (pid === null) return 'down';
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    return /^State:\tT/m.test(status) ? 'paused' : 'up';
  }

  async instanceOf(name: string): Promise<string | null> {
    const pid = this.#pid(name);
    return pid === null ? null : `process ${pid}`;
  }

  apiUrl(name: string): string | null {
    return this.#pid(name) === null ? null : (this.#processes.get(name)?.endpoint.apiUrl ?? null);
  }

  async control(name: string, settings: ControlSettingsInput): Promise<void> {
    await putControl(this.#socket(name), settings);
  }

  report(name: string, fromHeight: number): Promise<ControlReport> {
    return getControlReport(this.#socket(name), fromHeight);
  }

  async journal(name: string): Promise<{ records: readonly Uint8Array[]; damage: string | null }> {
    return readJournal(join(peerFolder(this.#folder, name), 'data'));
  }

  async lastWords(name: string): Promise<string> {
    const folder = peerFolder(this.#folder, name);
    const tail = async (file: string): Promise<string> =>
      (await readFile(join(folder, file), 'utf8').catch(() => '')).slice(-LAST_BYTES);
    return `${await tail('node.log')}\n${await tail('stderr.log')}`;
  }

  async usage(name: string): Promise<PeerUsage | null> {
    const pid = this.#pid(name);
    if (pid === null) return null;
    const [stat, status] = await Promise.all(
      ['stat', 'status'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
    );
    // The name of the program, in parentheses, may hold blanks: fields count from behind it.
    const fields = (stat ?? '').slice((stat ?? '').lastIndexOf(')') + 2).split(' ');
    const residentKb = Number(/^VmRSS:\s+(\d+)/m.exec(status ?? '')?.[1]);
    const ticks = Number(fields[11]) + Number(fields[12]);
    const waitMs = await processorWaitMs(pid);
    return Number.isNaN(ticks + residentKb)
      ? null
      : { cpuMs: ticks * TICK_MS, waitMs, memoryBytes: residentKb * 1_024 };
  }

  async close(): Promise<void> {
    // Peers that come up after an interrupt have to be ended as well.
    await Promise.allSettled(this.#starting);
    await Promise.all(
      [...this.#processes].map(async ([name, { endpoint }]) => {
        // A frozen process does not hear that it is to end.
        if ((await this.stateOf(name)) === 'paused') process.kill(endpoint.pid, 'SIGCONT');
        await stopProcess(endpoint.pid, name);
      }),
    );
    await rm(this.#sockets, { recursive: true, force: true });
  }

  #socket(name: string): string {
    return join(this.#sockets, `${name}.sock`);
  }

  /** The number of the peer's process, when it runs. */
  #pid(name: string): number | null {
    const pid = this.#processes.get(name)?.endpoint.pid;
    return pid === undefined || !isAlive(pid) ? null : pid;
  }

  async #signal(name: string, signal: NodeJS.Signals, wanted: PeerState): Promise<void> {
    const pid = this.#pid(name);
    if (pid === null) throw new ClusterError('PEER_UNREACHABLE', `${name} is down: it cannot be given ${signal}`);
    process.kill(pid, signal);
    while ((await this.stateOf(name)) !== wanted && isAlive(pid)) await delay(STATE_POLL_MS);
  }
}
