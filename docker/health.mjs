/**
 * Health check of the container: asks the peer's own HTTP API on loopback, where the configuration says it listens.
 * Exit 0: it answers that it is well. Exit 1: anything else, with the reason.
 */
import { readFileSync } from 'node:fs';

try {
  const [file = '/config/node.json'] = process.argv.slice(2);
  const { api } = JSON.parse(readFileSync(file, 'utf8'));
  const response = await fetch(`http://${api.host ?? '127.0.0.1'}:${api.port}/health`, {
    signal: AbortSignal.timeout(3_000),
  });
  const body = await response.text();
  process.stdout.write(`${response.status} ${body}\n`);
  process.exitCode = response.ok ? 0 : 1;
} catch (error) {
  process.stdout.write(`${error}\n`);
  process.exitCode = 1;
}
