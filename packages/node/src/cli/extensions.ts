import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Command } from 'commander';

const PACKAGES = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

/**
 * Commands that other packages add to `wattmesh`: a package beside this one whose package.json has
 * `"wattmesh": {"commands": FILE}` exports `commands()` from that file. So the program finds them without this package
 * knowing any of them, and nothing here imports what is built on top of it.
 */
export async function extensionCommands(): Promise<Command[]> {
  const found: Command[] = [];
  for (const name of readdirSync(PACKAGES).sort()) {
    const manifest = join(PACKAGES, name, 'package.json');
    if (!existsSync(manifest)) continue;
    const { wattmesh } = JSON.parse(readFileSync(manifest, 'utf8')) as { wattmesh?: { commands?: string } };
    if (wattmesh?.commands === undefined) continue;
    const file = pathToFileURL(join(PACKAGES, name, wattmesh.commands)).href;
    const { commands } = (await import(file)) as { commands(): Command[] };
    found.push(...commands());
  }
  return found;
}
