import { SetupError } from './failure.mjs';

/** Node runs the TypeScript of this repository directly, without a warning, from this version on. */
export const OLDEST_NODE = '24.3.0';

/** What starts the set-up: the syntax of these scripts, and npm's. */
export const OLDEST_BOOTSTRAP_NODE = '20.0.0';

/**
 * @typedef {object} Machine
 * @property {string} platform as in process.platform
 * @property {string} arch as in process.arch
 * @property {string} nodeVersion of the Node that runs the set-up, without a leading v
 * @property {boolean} glibc whether the C library is the GNU one (asked on Linux only)
 */

/**
 * @typedef {object} Toolchain
 * @property {string | undefined} nodePackage npm package that carries the pinned Node; undefined: the machine's own will do
 * @property {Record<string, string>} packages what .tools must hold, name to exact version
 */

/**
 * Decides what has to be fetched into .tools on this machine.
 *
 * @param {Machine} machine
 * @param {{ dependencies: Record<string, string>, optionalDependencies: Record<string, string> }} pinned scripts/toolchain/package.json
 * @returns {Toolchain}
 * @throws {SetupError} SETUP_NODE_TOO_OLD, SETUP_UNSUPPORTED_PLATFORM
 */
export function chooseToolchain(machine, pinned) {
  const where = `${machine.platform}-${machine.arch}`;
  if (machine.platform === 'win32') {
    throw new SetupError(
      'SETUP_UNSUPPORTED_PLATFORM',
      'Windows is not supported: peers are stopped and counted by POSIX signals. Use WSL 2 or a container.',
    );
  }
  if (compareVersions(machine.nodeVersion, OLDEST_BOOTSTRAP_NODE) < 0) {
    throw new SetupError(
      'SETUP_NODE_TOO_OLD',
      `Node ${machine.nodeVersion} is too old even for the set-up: install Node ${OLDEST_BOOTSTRAP_NODE} or newer.`,
    );
  }
  if (compareVersions(machine.nodeVersion, OLDEST_NODE) >= 0) {
    return { nodePackage: undefined, packages: { ...pinned.dependencies } };
  }
  const nodePackage = `node-${where}`;
  const version = pinned.optionalDependencies[nodePackage];
  if (version === undefined) {
    throw new SetupError(
      'SETUP_UNSUPPORTED_PLATFORM',
      `Node ${machine.nodeVersion} is older than ${OLDEST_NODE}, and the npm registry has no pinned Node for ${where}: ` +
        `install Node ${OLDEST_NODE} or newer and run this again.`,
    );
  }
  if (machine.platform === 'linux' && !machine.glibc) {
    throw new SetupError(
      'SETUP_UNSUPPORTED_PLATFORM',
      `Node ${machine.nodeVersion} is older than ${OLDEST_NODE}, and the Node that npm carries needs the GNU C library, ` +
        `which this system does not have: install Node ${OLDEST_NODE} or newer (on Alpine: the package nodejs-current).`,
    );
  }
  return { nodePackage, packages: { ...pinned.dependencies, [nodePackage]: version } };
}

/** @returns {Machine} the machine this runs on */
export function thisMachine() {
  const header = /** @type {{ header?: { glibcVersionRuntime?: string } }} */ (process.report.getReport()).header;
  return {
    platform: process.platform,
    arch: process.arch,
    nodeVersion: process.versions.node,
    glibc: header?.glibcVersionRuntime !== undefined,
  };
}

/**
 * @param {string} left three numbers with dots; a suffix is ignored
 * @param {string} right
 * @returns {number} negative, zero or positive
 */
function compareVersions(left, right) {
  const parse = (/** @type {string} */ text) => text.split('.').map((part) => Number.parseInt(part, 10));
  const a = parse(left);
  const b = parse(right);
  for (let i = 0; i < 3; i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
