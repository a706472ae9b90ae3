import { type FSWatcher, watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { type Endpoint, readEndpoint } from './run-folder.ts';

/**
 * Follows the endpoints that peers of one machine leave in a folder: tells each that is there, and each that changes.
 * Of a folder that can no longer be watched it says so once, and keeps what it knows.
 */
export async function followEndpoints(
  folder: string,
  publicKeys: readonly string[],
  learn: (endpoint: Endpoint) => void,
  failed: (error: Error) => void,
): Promise<{ close(): void }> {
  await mkdir(folder, { recursive: true });
  const wanted = new Set(publicKeys);
  const read = async (publicKey: string): Promise<void> => {
    const endpoint = wanted.has(publicKey) ? await readEndpoint(folder, publicKey) : null;
    if (endpoint !== null && endpoint.publicKey === publicKey) learn(endpoint);
  };
  const watcher: FSWatcher = watch(folder, (_, file) => {
    if (file?.endsWith('.json')) void read(file.slice(0, -'.json'.length));
  });
  watcher.on('error', failed);
  await Promise.all(publicKeys.map(read));
  return watcher;
}
