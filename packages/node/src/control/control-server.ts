import { chmod, mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { dirname } from 'node:path';
import { z } from 'zod';
import { ConfigError } from '../config/node-config.ts';
import { type ControlReport, type ControlSettings, controlSettingsSchema } from './settings.ts';

const MAX_BODY_BYTES = 1_048_576;

/** What the endpoint acts on. */
export interface Controlled {
  apply(settings: ControlSettings): void;
  report(fromHeight: number): ControlReport;
}

/**
 * Serves `PUT /settings` and `GET /report?from=HEIGHT` on a unix socket: never on the network, and only for who may open
 * the socket's file. A file that an earlier process has left is replaced.
 * @throws ConfigError CONFIG_INVALID when the path cannot be listened on
 */
export async function serveControl(
  socket: string,
  mode: number,
  controlled: Controlled,
): Promise<{ close(): Promise<void> }> {
  const server = createServer((request, response) => {
    answer(request, controlled).then(
      ({ status, body }) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
      (error: Error) => response.writeHead(500).end(JSON.stringify({ error: { message: error.message } })),
    );
  });
  await mkdir(dirname(socket), { recursive: true });
  await rm(socket, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new ConfigError(
          'CONFIG_INVALID',
          `cannot open the control socket ${socket}: ${cause.message}; is its path too long?`,
          {
            cause,
          },
        ),
      ),
    );
    server.listen(socket, resolve);
  });
  await chmod(socket, mode);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, controlled: Controlled): Promise<{ status: number; body: unknown }> {
  const url = new URL(request.url ?? '/', 'http://control');
  if (request.method === 'GET' && url.pathname === '/report')
    return { status: 200, body: controlled.report(Number(url.searchParams.get('from') ?? 0) || 0) };
  if (request.method !== 'PUT' || url.pathname !== '/settings')
    return refusal(404, `there is no ${request.method} ${url.pathname}`);
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk;
    if (body.length > MAX_BODY_BYTES) return refusal(413, 'the settings are too large');
  }
  const parsed = controlSettingsSchema.safeParse(jsonOf(body));
  if (!parsed.success) return refusal(400, z.prettifyError(parsed.error));
  controlled.apply(parsed.data);
  return { status: 200, body: parsed.data };
}

function refusal(status: number, message: string): { status: number; body: unknown } {
  return { status, body: { error: { code: 'CONTROL_REFUSED', message } } };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
