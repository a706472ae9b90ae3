import { createServer, type Server } from 'node:http';
import { ApiError } from '../api/errors.ts';
import type { PeerMetrics } from './peer-metrics.ts';

/**
 * Serves the metrics, and nothing else, at an address of their own: for a Prometheus that cannot reach the loopback of the
 * peer. Reading them needs no key and changes nothing.
 * @throws ApiError API_ADDRESS_IN_USE, API_LISTEN_FAILED
 */
export async function startMetricsServer(
  metrics: Pick<PeerMetrics, 'contentType' | 'text'>,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('only GET /metrics is served here\n');
      return;
    }
    metrics.text().then(
      (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
      (error: Error) => response.writeHead(500, { 'content-type': 'text/plain' }).end(`${error.message}\n`),
    );
  });
  await listen(server, host, port);
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${host}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const inUse = cause.code === 'EADDRINUSE';
      reject(
        new ApiError(
          inUse ? 'API_ADDRESS_IN_USE' : 'API_LISTEN_FAILED',
          500,
          inUse
            ? `port ${port} on ${host} is in use; give the metrics another one`
            : `cannot listen on ${host}:${port} for metrics: ${cause.message}`,
          { cause },
        ),
      );
    });
    server.listen(port, host, () => resolve());
  });
}
