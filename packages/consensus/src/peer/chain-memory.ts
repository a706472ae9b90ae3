import { decodeBlock, blockHash as hashOf } from '../chain/block.ts';
import { decodeCertificate } from '../chain/certificate.ts';
import type { ChainHistory, HistoryEntry } from '../chain/history.ts';
import type { ChainRules } from '../chain/state.ts';
import { decodeState, executeBlock, genesisState } from '../execution/index.ts';
import type { ChainReader } from './ports.ts';

/**
 * The last heights of a peer's chain, for deciding evidence. What is not in memory is read from the store; what is not
 * kept there (a store that had to be cut back) is computed again from an older state, of which genesis is the last.
 */
export class ChainMemory implements ChainHistory {
  readonly #rules: ChainRules;
  readonly #reader: ChainReader;
  readonly #heightsHeld: number;
  readonly #entries = new Map<number, HistoryEntry>();

  /** `heightsHeld`: how many heights stay in memory; by default those that a block's own evidence can ask for. */
  constructor(
    rules: ChainRules,
    reader: ChainReader,
    heightsHeld: number = rules.genesis.penalties.evidenceBlocks + 2,
  ) {
    this.#rules = rules;
    this.#reader = reader;
    this.#heightsHeld = heightsHeld;
  }

  /** Remembers a committed state, and forgets those that no evidence can concern any more. */
  add(entry: HistoryEntry): void {
    this.#entries.set(entry.state.height, entry);
    const oldest = entry.state.height - this.#heightsHeld;
    for (const height of this.#entries.keys()) if (height < oldest) this.#entries.delete(height);
  }

  /**
   * For a reader of a whole chain that has no store: to `add` every height from genesis on is enough. An accused block may
   * itself hold evidence of as many blocks before it, so twice as many heights stay in memory.
   */
  static ofWalk(rules: ChainRules): ChainMemory {
    const nothing: ChainReader = { block: () => null, state: () => null };
    return new ChainMemory(rules, nothing, 2 * (rules.genesis.penalties.evidenceBlocks + 2));
  }

  /** @throws Error when the blocks up to `height` are not all in memory or in the store. */
  at(height: number): HistoryEntry {
    const known = this.#known(height);
    if (known !== null) return known;
    let from = height - 1;
    let entry = this.#known(from);
    while (entry === null) {
      from -= 1;
      entry = this.#known(from);
    }
    for (let next = from + 1; next <= height; next += 1) {
      const stored = this.#reader.block(next);
      if (stored === null) throw new Error(`block ${next} is neither in memory nor in the store`);
      const block = decodeBlock(stored.block);
      const state = executeBlock(this.#rules, entry.state, block, hashOf(block.header), this);
      entry = { state, certificate: decodeCertificate(stored.certificate) };
      this.#entries.set(next, entry);
    }
    return entry;
  }

  #known(height: number): HistoryEntry | null {
    const held = this.#entries.get(height);
    if (held !== undefined) return held;
    if (height <= 0) return { state: genesisState(this.#rules), certificate: null };
    const state = this.#reader.state(height);
    const block = this.#reader.block(height);
    if (state === null || block === null) return null;
    const entry = { state: decodeState(this.#rules, state), certificate: decodeCertificate(block.certificate) };
    this.#entries.set(height, entry);
    return entry;
  }
}
