import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Digest of everything that decides what an install puts on the disk. Equal digests: nothing to install.
 *
 * @param {string} root
 * @param {string} toolchain the versions chosen for this machine
 * @returns {string} hexadecimal
 */
export function installDigest(root, toolchain) {
  const hash = createHash('sha256').update(toolchain);
  for (const file of inputsOfAnInstall(root)) {
    hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  }
  return hash.digest('hex');
}

/**
 * Whether the folders that an install makes are all there: a deleted node_modules must be noticed although no input
 * changed.
 *
 * @param {string} root
 * @param {string[]} programs absolute paths of the programs in use
 * @returns {boolean}
 */
export function installIsComplete(root, programs) {
  return (
    programs.every((program) => existsSync(program)) &&
    existsSync(join(root, 'node_modules/.modules.yaml')) &&
    packageFolders(root).every((folder) => {
      const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
      const needed = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
      return needed.every((name) => existsSync(join(root, folder, 'node_modules', name)));
    })
  );
}

/**
 * @param {string} root
 * @returns {string[]} paths relative to the root, sorted
 */
function inputsOfAnInstall(root) {
  return [
    'package.json',
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    'scripts/toolchain/package.json',
    'scripts/toolchain/package-lock.json',
    ...packageFolders(root).map((folder) => `${folder}/package.json`),
  ].sort();
}

/**
 * @param {string} root
 * @returns {string[]} packages/* that have a manifest, relative to the root, sorted
 */
function packageFolders(root) {
  return readdirSync(join(root, 'packages'))
    .map((name) => `packages/${name}`)
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
    .sort();
}
