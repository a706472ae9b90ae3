import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { installerEnvironment } from './environment.mjs';
import { explainToolFailure, SetupError } from './failure.mjs';
import { withLock } from './lock.mjs';
import { installDigest, installIsComplete } from './stamp.mjs';
import { chooseToolchain, thisMachine } from './toolchain.mjs';

/** npm repeats every request of an install on its own: its default patience makes a missing network last for minutes. */
const ONE_QUICK_RETRY = {
  npm_config_fetch_retries: '1',
  npm_config_fetch_retry_mintimeout: '500',
  npm_config_fetch_retry_maxtimeout: '1000',
};

/**
 * @typedef {object} Prepared
 * @property {string} node absolute path of the Node to run TypeScript with
 */

/**
 * Makes a clone ready to run: Node where the machine's own is too old, pnpm, and the locked dependencies. Does nothing
 * when a stamp says that the same has been done before. Everything lands inside the clone (.tools, node_modules) and in
 * the caches of npm and pnpm; nothing needs root.
 *
 * @param {string} root of the clone
 * @param {(line: string) => void} say told one line for each step that does something
 * @returns {Promise<Prepared>}
 * @throws {SetupError} with the reason in `code`
 */
export async function setUp(root, say) {
  const pinned = JSON.parse(readFileSync(join(root, 'scripts/toolchain/package.json'), 'utf8'));
  const machine = thisMachine();
  const toolchain = chooseToolchain(machine, pinned);
  const tools = join(root, '.tools');
  const node =
    toolchain.nodePackage === undefined
      ? process.execPath
      : join(tools, 'node_modules', toolchain.nodePackage, 'bin/node');
  const pnpm = join(tools, 'node_modules/.bin/pnpm');
  const stampFile = join(tools, 'stamp');

  const isDone = () =>
    existsSync(stampFile) &&
    installIsComplete(root, [node, pnpm]) &&
    readFileSync(stampFile, 'utf8') === installDigest(root, JSON.stringify([toolchain, node]));

  if (isDone()) return { node };
  makeFolder(tools);
  await withLock(
    join(tools, 'lock'),
    (holder) =>
      say(`waiting for another set-up of this clone (process ${holder}; if there is none, delete .tools/lock)`),
    async () => {
      if (isDone()) return;
      const startedAtMs = Date.now();
      // Whatever happens from here on, only a set-up that reached its end may be trusted by the next run.
      rmSync(stampFile, { force: true });
      await fetchTools({ root, tools, toolchain, node, machine, say });
      await installDependencies({ root, node, pnpm, say });
      if (!installIsComplete(root, [node, pnpm])) {
        throw new SetupError(
          'SETUP_INCOMPLETE',
          'pnpm said it installed everything, but files are missing. Delete node_modules and run this again.',
        );
      }
      writeFileSync(`${stampFile}.new`, installDigest(root, JSON.stringify([toolchain, node])));
      renameSync(`${stampFile}.new`, stampFile);
      say(`ready after ${((Date.now() - startedAtMs) / 1000).toFixed(1)} s`);
    },
  );
  return { node };
}

/**
 * Node and pnpm as npm packages, in a folder with a manifest of its own: without one, npm would climb up and take the
 * workspace for its project.
 *
 * @param {{ root: string, tools: string, toolchain: import('./toolchain.mjs').Toolchain, node: string, machine: import('./toolchain.mjs').Machine, say: (line: string) => void }} step
 */
async function fetchTools({ root, tools, toolchain, node, machine, say }) {
  const missing = Object.entries(toolchain.packages).filter(
    ([name, version]) => installedVersion(tools, name) !== version,
  );
  if (missing.length === 0) return;
  const why = toolchain.nodePackage === undefined ? '' : ` (this machine's Node is ${machine.nodeVersion})`;
  say(`fetching ${missing.map(([name, version]) => `${name} ${version}`).join(' and ')} into .tools with npm${why}`);
  rmSync(join(tools, 'node_modules'), { recursive: true, force: true });
  writeFileSync(
    join(tools, 'package.json'),
    `${JSON.stringify({ private: true, dependencies: toolchain.packages }, null, 2)}\n`,
  );
  // The lock holds the digests of what was reviewed. It covers the platforms on which Node can be fetched at all.
  const lockCoversThisMachine = machine.platform === 'linux' && machine.glibc;
  const lock = join(tools, 'package-lock.json');
  rmSync(lock, { force: true });
  if (lockCoversThisMachine) copyFileSync(join(root, 'scripts/toolchain/package-lock.json'), lock);

  const npm = findNpm();
  await runInstaller({
    what: 'Fetching Node and pnpm with npm',
    command: npm.command,
    args: [
      ...npm.args,
      'install',
      '--prefix',
      tools,
      '--no-audit',
      '--no-fund',
      '--no-update-notifier',
      '--include=optional',
      '--ignore-scripts=false',
      '--loglevel=error',
    ],
    cwd: tools,
    environment: { ...ONE_QUICK_RETRY, ...installerEnvironment(process.env, dirname(process.execPath)) },
  });
  if (!existsSync(node)) {
    throw new SetupError(
      'SETUP_INCOMPLETE',
      `npm said it installed Node, but ${node} does not exist. Delete .tools and run this again.`,
    );
  }
}

/** @param {{ root: string, node: string, pnpm: string, say: (line: string) => void }} step */
async function installDependencies({ root, node, pnpm, say }) {
  say('installing the locked dependencies with pnpm');
  await runInstaller({
    what: 'Installing the dependencies with pnpm',
    command: pnpm,
    args: [
      'install',
      '--frozen-lockfile',
      '--config.confirm-modules-purge=false',
      '--config.fetch-retries=1',
      '--config.fetch-retry-mintimeout=500',
      '--config.fetch-retry-maxtimeout=1000',
      '--reporter=append-only',
    ],
    cwd: root,
    environment: installerEnvironment(process.env, dirname(node)),
  });
}

/**
 * The npm that started us, or else the one on PATH.
 *
 * @returns {{ command: string, args: string[] }}
 * @throws {SetupError} SETUP_NO_NPM
 */
function findNpm() {
  const own = process.env.npm_execpath;
  if (own !== undefined && /npm-cli\.js$/.test(own) && existsSync(own))
    return { command: process.execPath, args: [own] };
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const npm = folders.map((folder) => join(folder, 'npm')).find((file) => existsSync(file));
  if (npm === undefined) {
    throw new SetupError(
      'SETUP_NO_NPM',
      'npm is not on PATH: install the npm that belongs to this Node and run this again.',
    );
  }
  return { command: npm, args: [] };
}

/**
 * @param {{ what: string, command: string, args: string[], cwd: string, environment: Record<string, string> }} call
 * @returns {Promise<void>} when the program ended well
 * @throws {SetupError} with the reason found in what it printed
 */
async function runInstaller({ what, command, args, cwd, environment }) {
  const child = spawn(command, args, { cwd, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = () => child.kill('SIGTERM');
  process.once('exit', stop);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  /** @type {{ code: number | null, signal: string | null }} */
  const end = await new Promise((resolve, reject) => {
    child.once('error', (error) => reject(explainToolFailure(what, String(error))));
    child.once('close', (code, signal) => resolve({ code, signal }));
  }).finally(() => process.removeListener('exit', stop));
  if (end.code !== 0) {
    throw explainToolFailure(what, end.signal === null ? output : `${output}\nended by ${end.signal}`);
  }
}

/**
 * @param {string} tools
 * @param {string} name
 * @returns {string | undefined}
 */
function installedVersion(tools, name) {
  try {
    return JSON.parse(readFileSync(join(tools, 'node_modules', name, 'package.json'), 'utf8')).version;
  } catch {
    return undefined;
  }
}

/** @param {string} folder */
function makeFolder(folder) {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new SetupError('SETUP_NOT_WRITABLE', `${folder} cannot be made: ${/** @type {Error} */ (error).message}`);
  }
}
