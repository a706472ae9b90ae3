import {
  type Block,
  blockHash,
  type Certificate,
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
  rememberCombinations,
  rememberSignatures,
  stateRoot,
} from '@wattmesh/consensus';
import type { BlockTiming } from '../node.ts';
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
  #nearest: ChainState;

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
    this.#nearest = genesisState(this.rules);
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
    if (height === 0) return genesisState(this.rules);
    if (this.#nearest.height === height) return this.#nearest;
    const kept = await this.#keptState(height);
    if (kept !== null) return kept;
    let state = this.#nearest.height < height ? this.#nearest : genesisState(this.rules);
    while (state.height < height) state = this.#execute(state, await this.at(state.height + 1));
    this.#nearest = state;
    return state;
  }

  /** Every height from `from` to `to` with the states before and after it. */
  async *walk(from = 1, to = this.head): AsyncGenerator<Step> {
    let parent = await this.stateAfter(from - 1);
    for (let height = from; height <= to; height += 1) {
      const stored = await this.at(height);
      const state = this.#execute(parent, stored);
      yield { ...stored, parent, state };
      parent = state;
    }
  }

  timing(height: number): Promise<BlockTiming | null> {
    return this.source.timing(height);
  }

  close(): Promise<void> {
    return this.source.close();
  }

  async #keptState(height: number): Promise<ChainState | null> {
    const bytes = await this.source.state(height);
    if (bytes === null) return null;
    const { block, hash } = await this.at(height);
    const state = decodeState(this.rules, bytes);
    return state.blockHash === hash && stateRoot(this.rules, state) === block.header.stateRoot ? state : null;
  }

  #execute(parent: ChainState, { height, block, hash }: StoredHeight): ChainState {
    try {
      return executeBlock(this.rules, parent, block, hash);
    } catch (cause) {
      throw new InspectError(
        'INSPECT_CHAIN_INVALID',
        `the block that ${this.source.label} holds at height ${height} cannot be executed: ${(cause as Error).message}; see: wattmesh inspect verify`,
        { cause, height },
      );
    }
  }
}
