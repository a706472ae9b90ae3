import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const TOOLS = join(import.meta.dirname, '../../.tools');
const LIMIT_MS = 120_000;

/** A Node that this machine cannot have: no npm package for its platform, or no registry in reach. */
export class NodeUnavailable extends Error {}

/**
 * Path of a Node of exactly this version, for tests that compare versions. It is fetched once, as an npm package, into a
 * folder of its own that git ignores.
 * @throws NodeUnavailable with the reason, fit to be shown as the reason of a skipped test.
 */
export async function fetchNode(version: string): Promise<string> {
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(TOOLS, `node-${version}`);
  const node = join(folder, 'node_modules', name, 'bin/node');
  if (existsSync(node)) return node;
  mkdirSync(folder, { recursive: true });
  // With a manifest of its own, or npm would climb up and take the workspace for its project.
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ private: true })}\n`);
  const install = ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts'];
  try {
    await promisify(execFile)('npm', [...install, '--loglevel=error', `${name}@${version}`], {
      timeout: LIMIT_MS,
      env: { ...process.env, npm_config_fetch_retries: '0' },
    });
  } catch (error) {
    const [reason = 'npm failed'] = String((error as { stderr?: string }).stderr || error).split('\n');
    throw new NodeUnavailable(`Node ${version} could not be fetched as ${name}: ${reason}`);
  }
  if (!existsSync(node)) throw new NodeUnavailable(`the package ${name}@${version} holds no Node`);
  return node;
}
