import { BlockRejection } from '../application/rejection.ts';
import { batchHash, batchLength } from '../chain/transactions.ts';
import type { TransactionBatch } from '../chain/types.ts';
import { authenticateBatch } from '../composition/select-batches.ts';
import { accountIndexOf } from '../ledger/draft.ts';
import { MAX_GROUPED_BATCHES } from '../wire/messages.ts';
import type { Composer } from './composer.ts';
import type { Mempool, PoolRefusal } from './mempool.ts';
import type { Outbox } from './outbox.ts';
import type { Standing } from './standing.ts';

/** So many times the number of other members, in milliseconds, is the shortest time between two messages of batches. */
const TRANSACTIONS_PAUSE_MS = 10;
/** Encoded batches in one message at most, as far as one of them fits. */
const MAX_GROUPED_BYTES = 262_144;

interface BatchGossipModules {
  readonly standing: Standing;
  readonly outbox: Outbox;
  readonly mempool: Mempool;
  readonly composer: Composer;
  /** How long a local batch may wait before the others are told again. */
  readonly resendMs: number;
}

/** Takes signed transaction batches into the mempool, and tells the others about those of local clients. */
export class BatchGossip {
  readonly #modules: BatchGossipModules;
  /** Batches of local clients that the others have not been told about, and when they were told last. */
  #untold: TransactionBatch[] = [];
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(modules: BatchGossipModules) {
    this.#modules = modules;
  }

  /**
   * Of several batches, the last reason; `accept` when any of them was of use. `local`: they come from a client of this peer.
   * @throws BlockRejection when one of them must not be sent at all.
   */
  receive(batches: readonly TransactionBatch[], local: boolean): string {
    const verdicts = batches.map((batch) => this.#onBatch(batch, local));
    if (!verdicts.includes('accept')) return verdicts.at(-1) as string;
    this.#modules.composer.considerBatches();
    return 'accept';
  }

  /** Time to tell the others what has come in meanwhile. */
  onTimer(): void {
    const batches = this.#untold;
    this.#untold = [];
    if (batches.length === 0) return;
    this.#toldMs = this.#modules.standing.nowMs;
    this.#broadcast(batches, false);
  }

  /** Tells the others again about local transactions that still wait. */
  resend(): void {
    const { mempool, standing } = this.#modules;
    this.#broadcast(mempool.overdueLocal(standing.nowMs), true);
  }

  #onBatch(batch: TransactionBatch, local: boolean): string {
    const { standing, mempool, composer, resendMs } = this.#modules;
    const { rules, nowMs } = standing;
    if (accountIndexOf(rules.genesis, batch.sender) === undefined) return 'TRANSACTION_UNKNOWN_SENDER';
    const hash = batchHash(batch);
    // A signature costs more than all the rest together: it is checked only of what this peer would take.
    const isWanted = composer.wants(hash);
    const refusal = mempool.refusal(standing.nonceOf(batch.sender), batch, hash);
    if (refusal === 'known' || (refusal !== null && !isWanted)) return codeOf(refusal);
    const authentic = authenticateBatch(rules, batch);
    if (!authentic.ok) throw new BlockRejection('transactions', authentic.code, authentic.reason);
    if (isWanted) composer.supply(hash, batch);
    const nonce = standing.nonceOf(batch.sender);
    const verdict = mempool.add(standing.state, nonce, batch, hash, nowMs, local ? nowMs + resendMs : null);
    if (verdict !== 'added') return codeOf(verdict);
    if (local) this.#tell(batch);
    return 'accept';
  }

  /**
   * Tells the others about a batch that was handed in here: at once when it has been quiet, else together with what comes
   * within the next moment. A message costs every peer the same whatever it holds, so no peer may get more of them for
   * there being more members.
   */
  #tell(batch: TransactionBatch): void {
    this.#untold.push(batch);
    if (this.#untold.length > 1) return;
    const { standing, outbox } = this.#modules;
    const pauseMs = TRANSACTIONS_PAUSE_MS * (standing.rules.genesis.members.length - 1);
    const waitMs = this.#toldMs + pauseMs - standing.nowMs;
    // A clock that was set back must not silence this peer.
    if (waitMs <= 0 || waitMs > pauseMs) this.onTimer();
    else outbox.timer('tell', waitMs);
  }

  #broadcast(batches: readonly TransactionBatch[], resend: boolean): void {
    const { outbox } = this.#modules;
    let group: TransactionBatch[] = [];
    let bytes = 0;
    const send = (): void => {
      const [only] = group;
      if (group.length === 1 && only !== undefined)
        outbox.broadcast('transactions', { type: 'batch', batch: only }, resend);
      else if (group.length > 1) outbox.broadcast('transactions', { type: 'batches', batches: group }, resend);
      group = [];
      bytes = 0;
    };
    for (const batch of batches) {
      if (group.length === MAX_GROUPED_BATCHES || bytes + batchLength(batch) > MAX_GROUPED_BYTES) send();
      group.push(batch);
      bytes += batchLength(batch);
    }
    send();
  }
}

function codeOf(refusal: PoolRefusal): string {
  return `TRANSACTION_${refusal.toUpperCase().replaceAll('-', '_')}`;
}
