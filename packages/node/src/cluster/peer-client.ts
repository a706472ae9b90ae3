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

/** Reads a peer's HTTP API. @throws ClusterError PEER_UNREACHABLE; PEER_REFUSED with the peer's own code and message. */
export async function getJson<T>(apiUrl: string, path: string): Promise<T> {
  return request<T>(apiUrl, path, {});
}

/** Bytes of a peer's HTTP API, and what their headers say. @throws as `getJson` */
export async function getBytes(apiUrl: string, path: string): Promise<{ bytes: Uint8Array; headers: Headers }> {
  const response = await respond(apiUrl, path, {});
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (!response.ok) throw refusal(`${apiUrl}${path}`, response.status, parsed(new TextDecoder().decode(bytes)));
  return { bytes, headers: response.headers };
}

export async function postJson<T>(apiUrl: string, path: string, body: unknown): Promise<T> {
  return request<T>(apiUrl, path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function request<T>(apiUrl: string, path: string, init: RequestInit): Promise<T> {
  const response = await respond(apiUrl, path, init);
  const body = parsed(await response.text().catch(() => ''));
  if (response.ok && body !== null) return body as T;
  throw refusal(`${apiUrl}${path}`, response.status, body);
}

async function respond(apiUrl: string, path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(`${apiUrl}${path}`, { ...init, signal: AbortSignal.timeout(REQUEST_LIMIT_MS) });
  } catch (cause) {
    throw new ClusterError('PEER_UNREACHABLE', `${apiUrl} does not answer: ${(cause as Error).message}`, { cause });
  }
}

function refusal(url: string, status: number, body: unknown): ClusterError {
  const error = (body as { error?: { code: string; message: string } } | null)?.error;
  if (error === undefined) return new ClusterError('PEER_UNREACHABLE', `${url} does not answer as a peer (${status})`);
  return new ClusterError('PEER_REFUSED', `${url}: ${error.code}: ${error.message}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
