import { spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const repository = join(import.meta.dirname, '../..');

export interface Outcome {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A clone in a temporary folder with the real scripts, one small package, and an npm that is a shell script: it writes
 * its name into `calls`, and a pnpm that does the same and makes what a real one makes. What they do besides is given as shell.
 */
export class FakeClone {
  readonly root = mkdtempSync(join(tmpdir(), 'wattmesh-clone-'));
  readonly bin = join(this.root, 'path');

  constructor({ npm = '', pnpm = '' }: { npm?: string; pnpm?: string } = {}) {
    for (const path of ['scripts', 'bin']) cpSync(join(repository, path), join(this.root, path), { recursive: true });
    const write = (path: string, text: string) => {
      mkdirSync(dirname(join(this.root, path)), { recursive: true });
      writeFileSync(join(this.root, path), text);
    };
    write('package.json', '{"private":true}');
    write('pnpm-lock.yaml', 'lockfileVersion: 9\n');
    write('pnpm-workspace.yaml', 'packages: [packages/*]\n');
    write('packages/node/package.json', '{"dependencies":{"left":"1"}}');
    write(
      'packages/node/src/cli/main.ts',
      `
      import process from 'node:process';
      const args = process.argv.slice(2);
      if (args[0] === 'wait') {
        process.on('SIGTERM', () => {
          process.stdout.write('told to stop\\n');
          process.exit(9);
        });
        setInterval(() => {}, 1000);
      }
      process.stdout.write('cli ' + JSON.stringify(args) + ' ' + process.cwd() + '\\n');
      if (args[0] === 'exit') process.exit(7);
      if (args[0] === 'die') process.kill(process.pid, 'SIGKILL');
      `,
    );
    mkdirSync(this.bin);
    this.#executable('npm', `echo npm >> "$CALLS"\n${npm}\n${this.#fakeInstall(pnpm)}`);
  }

  get calls(): string[] {
    const file = join(this.root, 'calls');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  }

  has(path: string): boolean {
    return existsSync(join(this.root, path));
  }

  write(path: string, text: string): void {
    writeFileSync(join(this.root, path), text);
  }

  remove(path: string): void {
    rmSync(join(this.root, path), { recursive: true, force: true });
  }

  /** Starts a program of the clone; `onLine` sees standard output as it comes. */
  run(
    command: readonly [string, ...string[]],
    {
      onLine = () => {},
      environment = {},
    }: { onLine?: (line: string, pid: number) => void; environment?: NodeJS.ProcessEnv } = {},
  ): Promise<Outcome> {
    const [program, ...args] = command;
    const child = spawn(program, args, {
      cwd: this.root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        HOME: this.root,
        CALLS: join(this.root, 'calls'),
        PATH: `${this.bin}:${dirname(process.execPath)}:${process.env.PATH}`,
        ...environment,
      },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      for (const line of text.split('\n')) if (line !== '') onLine(line, child.pid ?? 0);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status, signal) => resolve({ status, signal, stdout, stderr }));
    });
  }

  setUp(environment: NodeJS.ProcessEnv = {}): Promise<Outcome> {
    return this.run(['node', 'scripts/run.mjs', 'setup'], { environment });
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  #fakeInstall(pnpm: string): string {
    return [
      'mkdir -p node_modules/pnpm node_modules/.bin',
      `echo '{"version":"12.21.0"}' > node_modules/pnpm/package.json`,
      `cat > node_modules/.bin/pnpm <<'PNPM'`,
      '#!/bin/sh',
      'echo pnpm >> "$CALLS"',
      pnpm,
      'mkdir -p node_modules packages/node/node_modules/left && : > node_modules/.modules.yaml',
      'PNPM',
      'chmod +x node_modules/.bin/pnpm',
    ].join('\n');
  }

  #executable(name: string, body: string): void {
    writeFileSync(join(this.bin, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(this.bin, name), 0o755);
  }
}
