import { ClusterError } from './errors.ts';

const REQUEST_LIMIT_MS = 10_000;

export interface StatusView {
  readonly name: string;
  readonly rank: number;
  readonly publicKey: string;
  readonly chainId: string;
  readonly height: number;
  readonly headHash: string;
  readonly stateRoot: string;
  readonly term: number;
  readonly slot: number;
  readonly phase: 'open' | 'closed';
  readonly round: number;
  readonly poolTransactions: number;
  readonly connected: number;
  readonly members: number;
  readonly quorum: number;
  readonly sittingOut: boolean;
  readonly syncTarget: number | null;
}

/** Reads a peer's HTTP API. @throws ClusterError PEER_UNREACHABLE, or with the peer's own code and message. */
export async function getJson<T>(apiUrl: string, path: string): Promise<T> {
  return request<T>(apiUrl, path, {});
}

/** Bytes of a peer's HTTP API, and what their headers say. @throws ClusterError PEER_UNREACHABLE */
export async function getBytes(apiUrl: string, path: string): Promise<{ bytes: Uint8Array; headers: Headers }> {
  const response = await respond(apiUrl, path, {});
  return { bytes: new Uint8Array(await response.arrayBuffer()), headers: response.headers };
}

export async function postJson<T>(apiUrl: string, path: string, body: unknown): Promise<T> {
  return request<T>(apiUrl, path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function request<T>(apiUrl: string, path: string, init: RequestInit): Promise<T> {
  return (await (await respond(apiUrl, path, init)).json()) as T;
}

async function respond(apiUrl: string, path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`${apiUrl}${path}`, { ...init, signal: AbortSignal.timeout(REQUEST_LIMIT_MS) });
  } catch (cause) {
    throw new ClusterError('PEER_UNREACHABLE', `${apiUrl} does not answer: ${(cause as Error).message}`, { cause });
  }
  if (!response.ok) {
    const body = (await response.json().catch(() => ({}))) as { error?: { code: string; message: string } };
    throw new ClusterError(
      'PEER_UNREACHABLE',
      `${apiUrl}${path}: ${body.error?.code ?? response.status}: ${body.error?.message ?? response.statusText}`,
    );
  }
  return response;
}
