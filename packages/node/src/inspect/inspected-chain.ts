import {
  type Block,
  blockHash,
  type Certificate,
  type ChainHistory,
  type ChainRules,
  type ChainState,
  chainIdOf,
  createApplication,
  createSignatureScheme,
  createThresholdScheme,
  decodeBlock,
  decodeCertificate,
  decodeState,
  executeBlock,
  genesisState,
  type HistoryEntry,
  rememberCombinations,
  rememberSignatures,
  stateRoot,
} from '@wattmesh/consensus';
import type { BlockTiming } from '../shell/commit-log.ts';
import type { ChainSource } from './chain-source.ts';
import { InspectError } from './errors.ts';

/** A committed height, decoded. */
export interface StoredHeight {
  readonly height: number;
  readonly hash: string;
  readonly block: Block;
  readonly encoded: Uint8Array;
  /** The certificate that this peer keeps beside the block; its child embeds another copy, maybe with other voters. */
  readonly certificate: Certificate;
}

export interface Step extends StoredHeight {
  readonly parent: ChainState;
  readonly state: ChainState;
}

/** A settlement is looked at once for its state and once for its description; verification once more. */
const REMEMBERED_SIGNATURES = 4_096;

/**
 * A chain with the means to read it: rules from its genesis, decoded blocks, and the state at any height, taken from where
 * it is kept or computed again from genesis.
 */
export class InspectedChain {
  readonly rules: ChainRules;
  readonly source: ChainSource;
  readonly #nameOf: (rank: number) => string;
  /** What has been read or computed, by height, the latest last. */
  readonly #entries = new Map<number, HistoryEntry>();

  constructor(source: ChainSource, names: ReadonlyMap<string, string> = new Map()) {
    const { genesis } = source;
    const signatures = rememberSignatures(createSignatureScheme(), REMEMBERED_SIGNATURES);
    const threshold = rememberCombinations(createThresholdScheme(), 16);
    this.source = source;
    this.rules = {
      genesis,
      chainId: chainIdOf(genesis),
      application: createApplication(genesis, signatures),
      signatures,
      threshold,
    };
    this.#nameOf = (rank) => names.get(genesis.members[rank]?.publicKey ?? '') ?? `member ${rank}`;
  }

  get head(): number {
    return this.source.head;
  }

  /** A member's name in its run, or `member RANK` where no run is known. */
  name(rank: number): string {
    return this.#nameOf(rank);
  }

  /** @throws InspectError INSPECT_NO_SUCH_BLOCK, INSPECT_CHAIN_INVALID */
  async at(height: number): Promise<StoredHeight> {
    const stored = await this.source.block(height);
    if (stored === null)
      throw new InspectError(
        'INSPECT_NO_SUCH_BLOCK',
        `${this.source.label} has no block at height ${height}; its chain goes from 1 to ${this.head}`,
        { height },
      );
    try {
      const block = decodeBlock(stored.block);
      const certificate = decodeCertificate(stored.certificate);
      return { height, hash: blockHash(block.header), block, encoded: stored.block, certificate };
    } catch (cause) {
      throw new InspectError(
        'INSPECT_CHAIN_INVALID',
        `what ${this.source.label} holds at height ${height} is no block: ${(cause as Error).message}`,
        { cause, height },
      );
    }
  }

  /** The height that a number, a hash or the beginning of a hash (8 digits or more) names. */
  async heightOf(which: string): Promise<number> {
    if (/^\d{1,7}$/.test(which)) return Number(which);
    if (!/^[0-9a-f]{8,64}$/.test(which))
      throw new InspectError('INSPECT_BAD_OPTION', `"${which}" is neither a height nor a block hash (8 to 64 digits)`);
    for (let height = this.head; height >= 1; height -= 1)
      if ((await this.at(height)).hash.startsWith(which)) return height;
    throw new InspectError('INSPECT_NO_SUCH_BLOCK', `${this.source.label} has no block with hash ${which}`);
  }

  /** State after `height`: the kept one when it fits its header, else executed from the nearest that is known. */
  async stateAfter(height: number): Promise<ChainState> {
    return (await this.#entryAt(height)).state;
  }

  /** Every height from `from` to `to` with the states before and after it. */
  async *walk(from = 1, to = this.head): AsyncGenerator<Step> {
    let parent = await this.stateAfter(from - 1);
    for (let height = from; height <= to; height += 1) {
      const stored = await this.at(height);
      const state = await this.#execute(parent, stored);
      yield { ...stored, parent, state };
      parent = state;
    }
  }

  /**
   * Does what needs the chain's earlier states. Which they are shows when they are asked for: they are then fetched or
   * computed, and `work` is done again. It must have no effects.
   */
  async withHistory<T>(work: (history: ChainHistory) => T): Promise<T> {
    const loaded = new Map<number, HistoryEntry>();
    for (;;) {
      const missing = new Set<number>();
      const at = (height: number): HistoryEntry => {
        const entry = loaded.get(height);
        if (entry !== undefined) return entry;
        missing.add(height);
        throw new Error(`the state after height ${height} is not loaded yet`);
      };
      let failure: unknown = null;
      let result: T | undefined;
      try {
        result = work({ at });
      } catch (error) {
        failure = error;
      }
      if (missing.size === 0) {
        if (failure !== null) throw failure;
        return result as T;
      }
      for (const height of missing) loaded.set(height, await this.#entryAt(height));
    }
  }

  timing(height: number): Promise<BlockTiming | null> {
    return this.source.timing(height);
  }

  close(): Promise<void> {
    return this.source.close();
  }

  async #entryAt(height: number): Promise<HistoryEntry> {
    let from = height;
    let entry = await this.#known(from);
    while (entry === null) {
      from -= 1;
      entry = await this.#known(from);
    }
    while (entry.state.height < height) {
      const next = await this.at(entry.state.height + 1);
      entry = { state: await this.#execute(entry.state, next), certificate: next.certificate };
    }
    return entry;
  }

  async #known(height: number): Promise<HistoryEntry | null> {
    if (height <= 0) return { state: genesisState(this.rules), certificate: null };
    const held = this.#entries.get(height);
    if (held !== undefined) return held;
    const bytes = await this.source.state(height);
    if (bytes === null) return null;
    const { block, hash, certificate } = await this.at(height);
    const state = decodeState(this.rules, bytes);
    if (state.blockHash !== hash || stateRoot(this.rules, state) !== block.header.stateRoot) return null;
    const entry = { state, certificate };
    this.#remember(entry);
    return entry;
  }

  /** As many as evidence can concern, and some more. */
  #remember(entry: HistoryEntry): void {
    this.#entries.set(entry.state.height, entry);
    const most = this.rules.genesis.penalties.evidenceBlocks + 8;
    for (const height of this.#entries.keys()) {
      if (this.#entries.size <= most) break;
      this.#entries.delete(height);
    }
  }

  async #execute(parent: ChainState, { height, block, hash, certificate }: StoredHeight): Promise<ChainState> {
    try {
      const state = await this.withHistory((history) => executeBlock(this.rules, parent, block, hash, history));
      this.#remember({ state, certificate });
      return state;
    } catch (cause) {
      if (cause instanceof InspectError) throw cause;
      throw new InspectError(
        'INSPECT_CHAIN_INVALID',
        `the block that ${this.source.label} holds at height ${height} cannot be executed: ${(cause as Error).message}; see: wattmesh inspect verify`,
        { cause, height },
      );
    }
  }
}
