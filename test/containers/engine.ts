import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const repository = join(import.meta.dirname, '../..');
const TEST_IMAGE = 'wattmesh-test';
const composeFile = join(repository, 'docker/compose.yaml');

/** Why no container test can run here; undefined: an engine and a compose program answer. */
export function whyNoEngine(): string | undefined {
  const engine = spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], { encoding: 'utf8' });
  if (engine.status !== 0) return 'no Docker engine';
  return composeProgram() === undefined ? 'neither docker compose nor docker-compose' : undefined;
}

export interface Result {
  readonly status: number;
  readonly output: string;
}

/** Runs a program to its end; a status other than 0 is a result, not an error. */
export function run(program: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Result> {
  return new Promise((resolve) => {
    execFile(
      program,
      args,
      { cwd: repository, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, env: { ...process.env, ...environment } },
      (error, stdout, stderr) => {
        const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ status, output: stdout + stderr });
      },
    );
  });
}

/** As `run`, but a status other than 0 throws with what was printed. */
export async function runOrThrow(
  program: string,
  args: readonly string[],
  environment?: NodeJS.ProcessEnv,
): Promise<string> {
  const { status, output } = await run(program, args, environment);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}:\n${output}`);
  return output;
}

/** How long the image of another state of the sources is left alone: another test run may be using it. */
const OTHERS_KEPT_MS = 3_600_000;

/**
 * The image of a peer as the sources are now, built from this machine alone as scripts/docker-build.sh --local-base does.
 * It is named after what goes into it, so that all container tests share one build, and those of the next run too.
 */
export async function testImage(): Promise<string> {
  const image = `${TEST_IMAGE}:${imageInputs()}`;
  const known = await run('docker', ['image', 'inspect', image]);
  if (known.status !== 0) await runOrThrow('scripts/docker-build.sh', ['--local-base', image]);
  const names = await runOrThrow('docker', ['image', 'ls', '--format', '{{.Repository}}:{{.Tag}}', TEST_IMAGE]);
  for (const name of names
    .trim()
    .split('\n')
    .filter((other) => other !== image)) {
    const { status, output } = await run('docker', ['image', 'inspect', '--format', '{{.Metadata.LastTagTime}}', name]);
    const age = Date.now() - Date.parse(output.trim().split(' ').slice(0, 2).join('T'));
    if (status === 0 && age > OTHERS_KEPT_MS) await run('docker', ['image', 'rm', name]);
  }
  return image;
}

/** A hash over this Node and every file that scripts/docker-build.sh takes. */
function imageInputs(): string {
  const within = (folder: string): string[] =>
    readdirSync(join(repository, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(repository, join(entry.parentPath, entry.name)));
  const files = [
    'package.json',
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    ...['packages', 'docker', 'scripts'].flatMap(within),
  ];
  const hash = createHash('sha256').update(process.version);
  for (const name of files.sort())
    if (!/^packages\/[^/]+\/(test|bench|node_modules)\//.test(name))
      hash.update(`\0${name}\0`).update(readFileSync(join(repository, name)));
  return hash.digest('hex').slice(0, 16);
}

/** The network of docker/compose.yaml under a project name of its own, so that runs do not meet. */
export class ComposeProject {
  readonly #name: string;
  readonly #image: string;

  constructor(name: string, image: string) {
    this.#name = name;
    this.#image = image;
  }

  compose(...args: string[]): Promise<string> {
    const [program, ...first] = composeProgram() ?? ['docker-compose'];
    return runOrThrow(program, [...first, '--project-name', this.#name, '--file', composeFile, ...args], {
      WATTMESH_IMAGE: this.#image,
    });
  }

  /** JSON that a peer's HTTP API answers on its own loopback. */
  async api(peer: string, path: string): Promise<unknown> {
    const program = `
      const { api } = JSON.parse(require('node:fs').readFileSync('/config/node.json', 'utf8'));
      fetch('http://127.0.0.1:' + api.port + process.argv[1]).then(async (r) => console.log(await r.text()));`;
    return JSON.parse(await this.compose('exec', '-T', peer, 'node', '-e', program, path));
  }

  /** starting, healthy or unhealthy, as the engine sees it. */
  async health(peer: string): Promise<string> {
    const id = (await this.compose('ps', '-q', peer)).trim();
    return (await runOrThrow('docker', ['inspect', '--format', '{{.State.Health.Status}}', id])).trim();
  }

  /** Ends the containers and forgets volumes and network. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.compose('down', '--volumes', '--timeout', '20');
  }
}

/** The compose program that this machine has: the plugin of the docker command, or the older program of its own. */
export function composeProgram(): readonly [string, ...string[]] | undefined {
  const candidates = [['docker', 'compose'], ['docker-compose']] as const;
  return candidates.find(([program, ...first]) => spawnSync(program, [...first, 'version']).status === 0);
}
