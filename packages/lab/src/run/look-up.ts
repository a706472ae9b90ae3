import { ClusterError, getJson } from '@wattmesh/node';

/** A peer may be busy, or just starting: that it has no time is not that it has no transaction. */
const TRIES = 3;

/**
 * Asks a peer for a committed transaction. Null: it says that it does not have it. A string says why it gave no answer, after
 * it was asked some times.
 */
export async function lookUp(apiUrl: string, id: string): Promise<{ readonly height: number } | null | string> {
  let why = '';
  for (let asked = 0; asked < TRIES; asked += 1) {
    const found = await getJson<{ height: number }>(apiUrl, `/transactions/${id}`).catch((error: Error) => error);
    if (!(found instanceof Error)) return found;
    if (found instanceof ClusterError && found.code === 'PEER_REFUSED' && found.message.includes('API_NOT_FOUND'))
      return null;
    why = found.message;
  }
  return why;
}
