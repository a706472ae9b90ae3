import type { Genesis } from '@wattmesh/consensus';
import type { BlockTiming } from '../shell/commit-log.ts';

/** Where a chain is read from: a data folder on disk, or a running peer's API. Nothing read from it is trusted yet. */
export interface ChainSource {
  /** For people: which peer or folder this is. */
  readonly label: string;
  readonly genesis: Genesis;
  /** Height of the last block when the source was opened. */
  readonly head: number;
  block(height: number): Promise<StoredBlockBytes | null>;
  /** Encoded state after `height`; null when it is not (or no longer) kept. */
  state(height: number): Promise<Uint8Array | null>;
  /** When the peer composed and committed the block by its clock; null where that is not known. */
  timing(height: number): Promise<BlockTiming | null>;
  /** Records of the peer's journal, oldest first; null where it cannot be read. */
  journal(): Promise<readonly Uint8Array[] | null>;
  close(): Promise<void>;
}

export interface StoredBlockBytes {
  readonly block: Uint8Array;
  readonly certificate: Uint8Array;
}
