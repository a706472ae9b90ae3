import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';

const repository = join(import.meta.dirname, '../..');
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

/** Builds the image from this machine alone, as scripts/docker-build.sh --local-base does. */
export async function buildImage(image: string): Promise<void> {
  await runOrThrow('scripts/docker-build.sh', ['--local-base', image]);
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
