import { request } from 'node:http';
import { ClusterError } from '../cluster/errors.ts';
import type { ControlReport, ControlSettings, ControlSettingsInput } from './settings.ts';

const ANSWER_LIMIT_MS = 5_000;

/** Gives a peer its settings. @throws ClusterError PEER_UNREACHABLE, PEER_REFUSED */
export function putControl(socket: string, settings: ControlSettingsInput): Promise<ControlSettings> {
  return ask<ControlSettings>(socket, 'PUT', '/settings', JSON.stringify(settings));
}

/** @throws ClusterError PEER_UNREACHABLE, PEER_REFUSED */
export function getControlReport(socket: string, fromHeight: number): Promise<ControlReport> {
  return ask<ControlReport>(socket, 'GET', `/report?from=${fromHeight}`, null);
}

function ask<T>(socketPath: string, method: string, path: string, body: string | null): Promise<T> {
  return new Promise((resolve, reject) => {
    const unreachable = (cause: Error): void =>
      reject(new ClusterError('PEER_UNREACHABLE', `nobody answers on ${socketPath}: ${cause.message}`, { cause }));
    const asked = request({ socketPath, method, path, timeout: ANSWER_LIMIT_MS }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', unreachable);
      response.on('end', () => {
        try {
          const parsed = JSON.parse(text) as T & { error?: { message: string } };
          if (response.statusCode === 200) resolve(parsed);
          else reject(new ClusterError('PEER_REFUSED', `${socketPath}${path}: ${parsed.error?.message ?? text}`));
        } catch (cause) {
          unreachable(cause as Error);
        }
      });
    });
    asked.on('timeout', () => asked.destroy(new Error(`no answer within ${ANSWER_LIMIT_MS} ms`)));
    asked.on('error', unreachable);
    asked.end(body ?? undefined);
  });
}
