import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeEndpoint } from './run-folder.ts';

/** The file that tells others on this machine where this peer is. */
export class OwnEndpoint {
  readonly #folder: string | undefined;
  readonly #publicKey: string;
  #isPublished = false;

  constructor(folder: string | undefined, publicKey: string) {
    this.#folder = folder;
    this.#publicKey = publicKey;
  }

  async publish(peerAddress: string, apiUrl: string): Promise<void> {
    if (this.#folder === undefined) return;
    await writeEndpoint(this.#folder, { pid: process.pid, publicKey: this.#publicKey, peerAddress, apiUrl });
    this.#isPublished = true;
  }

  /** Only what this process has published: another one may run with the same keys, which is why this one failed. */
  async withdraw(): Promise<void> {
    if (this.#isPublished) await rm(join(this.#folder ?? '', `${this.#publicKey}.json`), { force: true });
  }
}
