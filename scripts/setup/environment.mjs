/**
 * Settings of npm that say how the registry is reached. They must survive into an inner npm or pnpm; every other
 * setting belongs to the npm that started us (its prefix, its workspace, --json, --omit=dev) and would bend the install.
 */
const REACHING_THE_REGISTRY = new Set(
  [
    'registry',
    'cache',
    'userconfig',
    'globalconfig',
    'proxy',
    'http_proxy',
    'https_proxy',
    'noproxy',
    'ca',
    'cafile',
    'cert',
    'key',
    'strict_ssl',
    'maxsockets',
    'fetch_retries',
    'fetch_retry_mintimeout',
    'fetch_retry_maxtimeout',
    'fetch_timeout',
    'offline',
  ].map((name) => `npm_config_${name}`),
);

/** Those that pnpm knows too, but reads only under its own prefix. */
const SHARED_WITH_PNPM = new Set(['registry', 'proxy', 'https_proxy', 'noproxy', 'cafile', 'strict_ssl']);

/**
 * The environment for npm and pnpm inside the set-up.
 *
 * @param {Record<string, string | undefined>} environment as in process.env
 * @param {string} nodeFolder folder of the Node that must be found first
 * @returns {Record<string, string>}
 */
export function installerEnvironment(environment, nodeFolder) {
  /** @type {Record<string, string>} */
  const clean = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined) continue;
    const lower = name.toLowerCase();
    if (lower.startsWith('npm_') && !REACHING_THE_REGISTRY.has(lower)) continue;
    // pnpm leaves development dependencies out where this says production.
    if (name === 'NODE_ENV' || name === 'NODE_OPTIONS' || name === 'INIT_CWD' || name === 'PNPM_HOME') continue;
    clean[name] = value;
    const setting = lower.replace(/^npm_config_/, '');
    if (setting !== lower && SHARED_WITH_PNPM.has(setting)) clean[`pnpm_config_${setting}`] ??= value;
  }
  clean.PATH = withNodeFirst(environment.PATH, nodeFolder);
  return clean;
}

/**
 * The environment for the repository's own programs: only PATH changes, so that what they start finds the same Node.
 *
 * @param {Record<string, string | undefined>} environment
 * @param {string} nodeFolder
 * @returns {Record<string, string | undefined>}
 */
export function programEnvironment(environment, nodeFolder) {
  return { ...environment, PATH: withNodeFirst(environment.PATH, nodeFolder) };
}

/**
 * @param {string | undefined} path
 * @param {string} nodeFolder
 * @returns {string}
 */
function withNodeFirst(path, nodeFolder) {
  return [nodeFolder, ...(path ?? '').split(':').filter((entry) => entry !== '' && entry !== nodeFolder)].join(':');
}
