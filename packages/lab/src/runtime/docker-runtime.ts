import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  type AnyMember,
  ClusterError,
  type ControlReport,
  type ControlSettingsInput,
  getControlReport,
  getJson,
  type NodeConfigInput,
  type ProvisionedNetwork,
  putControl,
  readJournal,
} from '@wattmesh/node';
import { LabError } from '../errors.ts';
import { API_PORT, composeFile } from './compose-file.ts';
import { writeContainerFolders } from './container-folders.ts';
import { engine, firstFileOf } from './docker-engine.ts';
import type { ProcessRuntimeOptions } from './process-runtime.ts';
import { processorWaitMs } from './processor-wait.ts';
import { type ExtraConfig, NO_JOURNAL, type PeerState, type PeerUsage, type Runtime } from './runtime.ts';

/** For each peer: all may start at once, on as many cores as there are. */
const START_LIMIT_MS = 30_000;
const POLL_MS = 50;
const MEMORY_MB = 512;
/** Whoever may reach the folder around it may use the socket: the user in the container is not the one outside. */
const SOCKET_MODE = 0o666;

interface Inspected {
  readonly Id: string;
  readonly State: { readonly Status: string; readonly Pid: number; readonly StartedAt: string; readonly Error: string };
  readonly NetworkSettings: {
    readonly Ports: Record<string, { readonly HostPort: string }[] | null>;
    readonly Networks: Readonly<Record<string, unknown>>;
  };
}

/** Peers as containers, one each, made by a generated compose file. Needs the image of scripts/docker-build.sh. */
export class DockerRuntime implements Runtime {
  readonly kind = 'docker';
  readonly network: ProvisionedNetwork<AnyMember>;
  readonly names: readonly string[];
  readonly #folder: string;
  readonly #project: string;
  readonly #sockets: string;
  /** Configurations as they were first written. */
  readonly #configs = new Map<string, NodeConfigInput>();
  readonly #urls = new Map<string, string>();

  private constructor(folder: string, project: string, sockets: string, network: ProvisionedNetwork<AnyMember>) {
    this.#folder = folder;
    this.#project = project;
    this.#sockets = sockets;
    this.network = network;
    this.names = network.members.map(({ name }) => name);
  }

  /** @throws LabError DOCKER_FAILED without an engine, a compose program or the image */
  static async create({ folder, network, timing, config }: ProcessRuntimeOptions): Promise<DockerRuntime> {
    await engine('GET', '/_ping');
    const sockets = mkdtempSync(join(tmpdir(), 'wattmesh-lab-'));
    const project = `wattmesh-lab-${process.pid}-${Math.floor(performance.now())}`;
    const runtime = new DockerRuntime(resolve(folder), project, sockets, network);
    await writeContainerFolders(folder, network, timing, config);
    for (const name of runtime.names) {
      await mkdir(join(sockets, name));
      await chmod(join(sockets, name), 0o777);
    }
    const compose = composeFile({
      project,
      names: runtime.names,
      configFolder: resolve(folder),
      controlFolder: sockets,
      memoryMb: MEMORY_MB,
      cpus: 1,
    });
    await writeFile(join(folder, 'compose.yaml'), compose);
    try {
      await runtime.#compose('up', '--no-start');
      await runtime.#giveFirstJournals();
      return runtime;
    } catch (error) {
      // What was made before it failed would stay.
      await runtime.close().catch(() => undefined);
      throw error;
    }
  }

  async start(name: string, settings: ControlSettingsInput, extra: ExtraConfig = {}): Promise<void> {
    const file = join(this.#folder, name, 'node.json');
    const config = this.#configs.get(name) ?? JSON.parse(await readFile(file, 'utf8'));
    this.#configs.set(name, config);
    const control = { socket: '/control/control.sock', mode: SOCKET_MODE, settings };
    // In place: the file is mounted with its folder, and the container must see the new text at once.
    await writeFile(file, `${JSON.stringify({ ...config, control, ...extra }, null, 2)}\n`);
    await engine('POST', `/containers/${this.#container(name)}/start`);
    const deadlineMs = Date.now() + START_LIMIT_MS * this.names.length;
    for (;;) {
      const inspected = await this.#inspect(name);
      const { State } = inspected;
      const url = urlOf(inspected);
      if (url !== null) {
        const answer = await getJson<unknown>(url, '/status').catch(() => null);
        // The control endpoint opens a moment after the API.
        const control = answer === null ? null : await this.report(name, Number.MAX_SAFE_INTEGER).catch(() => null);
        if (control !== null) {
          this.#urls.set(name, url);
          return;
        }
      }
      if (Date.now() > deadlineMs || State.Status === 'exited')
        throw new ClusterError('PEER_DID_NOT_START', `${name} is ${State.Status}: ${await this.lastWords(name)}`);
      await delay(POLL_MS);
    }
  }

  async end(name: string, how: 'kill' | 'stop'): Promise<void> {
    this.#urls.delete(name);
    if ((await this.stateOf(name)) === 'down') return;
    await engine('POST', `/containers/${this.#container(name)}/${how}`);
    while ((await this.stateOf(name)) !== 'down') await delay(POLL_MS);
  }

  readonly cable: Runtime['cable'] & object = {
    unplug: async (name) => {
      this.#urls.delete(name);
      await engine('POST', `/networks/${this.#network}/disconnect`, { Container: this.#container(name), Force: true });
    },
    plug: async (name) => {
      const EndpointConfig = { Aliases: [name] };
      await engine('POST', `/networks/${this.#network}/connect`, { Container: this.#container(name), EndpointConfig });
      // The engine publishes the port anew, under another number.
      const url = urlOf(await this.#inspect(name));
      if (url !== null) this.#urls.set(name, url);
    },
    isPlugged: async (name) => Object.keys((await this.#inspect(name)).NetworkSettings.Networks).length > 0,
  };

  async pause(name: string): Promise<void> {
    await engine('POST', `/containers/${this.#container(name)}/pause`);
  }

  async resume(name: string): Promise<void> {
    await engine('POST', `/containers/${this.#container(name)}/unpause`);
  }

  async wipe(name: string): Promise<void> {
    const program = "for (const name of fs.readdirSync('/data')) fs.rmSync('/data/' + name, { recursive: true })";
    await this.#inImage([`--volume=${this.#project}_data-${name}:/data`], program);
  }

  async stateOf(name: string): Promise<PeerState> {
    const { Status } = (await this.#inspect(name)).State;
    if (Status === 'running') return 'up';
    if (Status === 'paused') return 'paused';
    this.#urls.delete(name);
    return 'down';
  }

  async instanceOf(name: string): Promise<string | null> {
    const { Id, State } = await this.#inspect(name);
    return State.Status === 'running' || State.Status === 'paused'
      ? `container ${Id.slice(0, 12)} since ${State.StartedAt}`
      : null;
  }

  apiUrl(name: string): string | null {
    return this.#urls.get(name) ?? null;
  }

  async control(name: string, settings: ControlSettingsInput): Promise<void> {
    await putControl(this.#socket(name), settings);
  }

  report(name: string, fromHeight: number): Promise<ControlReport> {
    return getControlReport(this.#socket(name), fromHeight);
  }

  async journal(name: string): Promise<{ records: readonly Uint8Array[]; damage: string | null }> {
    const archive = await engine('GET', `/containers/${this.#container(name)}/archive?path=/data/journal`).catch(
      () => null,
    );
    const bytes = archive === null ? null : firstFileOf(archive);
    if (bytes === null) return { records: [], damage: NO_JOURNAL };
    const folder = await mkdtemp(join(tmpdir(), 'wattmesh-lab-journal-'));
    try {
      await writeFile(join(folder, 'journal'), bytes);
      return await readJournal(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async lastWords(name: string): Promise<string> {
    const path = `/containers/${this.#container(name)}/logs?stdout=1&stderr=1&tail=60`;
    return (await engine('GET', path)).toString('utf8');
  }

  async usage(name: string): Promise<PeerUsage | null> {
    const path = `/containers/${this.#container(name)}/stats?stream=false&one-shot=true`;
    const stats = JSON.parse((await engine('GET', path).catch(() => Buffer.from('{}'))).toString('utf8')) as {
      cpu_stats?: { cpu_usage?: { total_usage?: number } };
      memory_stats?: { usage?: number };
    };
    const { total_usage: cpuNs } = stats.cpu_stats?.cpu_usage ?? {};
    const { usage } = stats.memory_stats ?? {};
    if (cpuNs === undefined || usage === undefined) return null;
    const { Pid } = (await this.#inspect(name)).State;
    return { cpuMs: cpuNs / 1e6, waitMs: Pid > 0 ? await processorWaitMs(Pid) : null, memoryBytes: usage };
  }

  async close(): Promise<void> {
    // Their volumes go with them: there is nothing that a warning would save.
    await Promise.all(
      this.names.map((name) => engine('POST', `/containers/${this.#container(name)}/kill`).catch(() => undefined)),
    );
    await this.#compose('down', '--volumes', '--timeout', '10');
    await rm(this.#sockets, { recursive: true, force: true });
  }

  /** Into all volumes at once: their peers have signed nothing yet. */
  async #giveFirstJournals(): Promise<void> {
    const volumes = this.names.flatMap((name) => [
      `--volume=${join(this.#folder, name)}:/config/${name}:ro`,
      `--volume=${this.#project}_data-${name}:/volumes/${name}`,
    ]);
    const program =
      "for (const name of fs.readdirSync('/volumes')) fs.copyFileSync('/config/' + name + '/data/journal', '/volumes/' + name + '/journal')";
    await this.#inImage(volumes, program);
  }

  async #inImage(options: readonly string[], program: string): Promise<void> {
    const image = process.env.WATTMESH_IMAGE ?? 'wattmesh-peer';
    const isolated = ['run', '--rm', '--pull=never', '--network=none', ...options];
    await docker(...isolated, '--entrypoint=node', image, '-e', program);
  }

  get #network(): string {
    return `${this.#project}_mesh`;
  }

  #container(name: string): string {
    return `${this.#project}-${name}`;
  }

  #socket(name: string): string {
    return join(this.#sockets, name, 'control.sock');
  }

  async #inspect(name: string): Promise<Inspected> {
    return JSON.parse((await engine('GET', `/containers/${this.#container(name)}/json`)).toString('utf8')) as Inspected;
  }

  async #compose(...args: string[]): Promise<void> {
    const [program, ...first] = composeProgram();
    await said(program, [
      ...first,
      '--project-name',
      this.#project,
      '--file',
      join(this.#folder, 'compose.yaml'),
      ...args,
    ]);
  }
}

/** Where the host reaches the container's API; null while its port is not published. */
function urlOf({ NetworkSettings }: Inspected): string | null {
  const port = NetworkSettings.Ports[`${API_PORT}/tcp`]?.[0]?.HostPort;
  return port === undefined ? null : `http://127.0.0.1:${port}`;
}

/** The compose program of this machine. @throws LabError DOCKER_FAILED */
function composeProgram(): readonly [string, ...string[]] {
  const candidates = [['docker', 'compose'], ['docker-compose']] as const;
  const found = candidates.find(([program, ...first]) => spawnSync(program, [...first, 'version']).status === 0);
  if (found === undefined)
    throw new LabError('DOCKER_FAILED', 'neither `docker compose` nor `docker-compose` is there; install one of them');
  return found;
}

async function docker(...args: string[]): Promise<void> {
  await said('docker', args);
}

async function said(program: string, args: readonly string[]): Promise<void> {
  await promisify(execFile)(program, [...args]).catch((cause: Error & { stderr?: string }) => {
    throw new LabError('DOCKER_FAILED', `${program} ${args.join(' ')}: ${cause.stderr ?? cause.message}`, { cause });
  });
}
