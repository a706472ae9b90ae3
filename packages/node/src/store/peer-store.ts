import type { ChainReader, StoredPeer, StoreWrite } from '@wattmesh/consensus';

/**
 * What a peer needs of a disk. `ChainStore` is the real one, the simulated world has one in memory, and one compliance
 * suite (`test/store/compliance.ts`) runs against both.
 */
export interface PeerStore extends ChainReader {
  /**
   * Makes writes durable, in order: what survives a crash is everything that was acknowledged and a prefix of the rest.
   * When it rejects, nothing that follows may be sent, and the peer must stop.
   */
  write(writes: readonly StoreWrite[]): Promise<void>;
  /** What was found when the store was opened. */
  load(): StoredPeer;
}
