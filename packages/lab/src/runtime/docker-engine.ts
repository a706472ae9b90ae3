import { request } from 'node:http';
import { LabError } from '../errors.ts';

const SOCKET = (process.env.DOCKER_HOST ?? '').replace(/^unix:\/\//, '') || '/var/run/docker.sock';
const ANSWER_LIMIT_MS = 60_000;

/** One request to the engine's API over its local socket. @throws LabError DOCKER_FAILED for everything but 2xx and 304 */
export function engine(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: Error): void =>
      reject(new LabError('DOCKER_FAILED', `the Docker engine (${SOCKET}): ${method} ${path}: ${why}`, { cause }));
    const asked = request(
      { socketPath: SOCKET, method, path, headers: { 'content-type': 'application/json' }, timeout: ANSWER_LIMIT_MS },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', (error) => fail(error.message, error));
        response.on('end', () => {
          const body = Buffer.concat(chunks);
          const status = response.statusCode ?? 0;
          if ((status >= 200 && status < 300) || status === 304) resolve(body);
          else fail(`${status} ${body.toString('utf8').slice(0, 300)}`);
        });
      },
    );
    asked.on('timeout', () => asked.destroy(new Error('no answer')));
    asked.on('error', (error) => fail(error.message, error));
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** The content of the first file in a tar archive; null when it holds none. */
export function firstFileOf(archive: Buffer): Buffer | null {
  const HEADER = 512;
  const size = Number.parseInt(archive.subarray(124, 136).toString('latin1').replaceAll('\0', '').trim(), 8);
  return archive.length < HEADER || Number.isNaN(size) ? null : archive.subarray(HEADER, HEADER + size);
}
