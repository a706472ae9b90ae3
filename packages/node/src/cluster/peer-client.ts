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

export async function postJson<T>(apiUrl: string, path: string, body: unknown): Promise<T> {
  return request<T>(apiUrl, path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function request<T>(apiUrl: string, path: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`${apiUrl}${path}`, { ...init, signal: AbortSignal.timeout(REQUEST_LIMIT_MS) });
  } catch (cause) {
    throw new ClusterError('PEER_UNREACHABLE', `${apiUrl} does not answer: ${(cause as Error).message}`, { cause });
  }
  const text = await response.text().catch(() => '');
  const body = parsed(text) as { error?: { code: string; message: string } } | null;
  if (response.ok && body !== null) return body as T;
  if (body?.error === undefined)
    throw new ClusterError('PEER_UNREACHABLE', `${apiUrl}${path} does not answer as a peer (${response.status})`);
  throw new ClusterError('PEER_REFUSED', `${apiUrl}${path}: ${body.error.code}: ${body.error.message}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
