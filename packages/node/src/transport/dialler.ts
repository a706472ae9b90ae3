import type { TransportLog } from './transport-error.ts';

export interface RedialOptions {
  readonly firstDelayMs: number;
  /** How much longer the peer with the higher id waits before its first attempt. */
  readonly courtesyMs: number;
  /** Largest pause between two attempts; the pause doubles up to here. */
  readonly maxDelayMs: number;
  readonly dialTimeoutMs: number;
}

export const DEFAULT_REDIAL: RedialOptions = {
  firstDelayMs: 100,
  courtesyMs: 500,
  maxDelayMs: 3_000,
  dialTimeoutMs: 8_000,
};

export interface DiallerShell {
  readonly self: string;
  readonly log: TransportLog;
  readonly random: () => number;
  isConnected(peer: string): boolean;
  /** Whether an inbound connection of the peer is in its handshake. */
  isArriving(peer: string): boolean;
  /** How long the peer must not be dialled. */
  backOffMs(peer: string): number;
  dial(peer: string, address: string, signal: AbortSignal): Promise<void>;
}

interface Target {
  address: string;
  attempts: number;
  timer: NodeJS.Timeout | null;
  isDialling: boolean;
}

/**
 * Keeps a connection to every peer with a known address, for ever.
 *
 * Both ends of a missing connection dial. The peer with the lower id begins at once, the other one a little later, so
 * that they rarely cross; if they do, the transport's gater keeps the dial of the lower id.
 */
export class Dialler {
  readonly #options: RedialOptions;
  readonly #shell: DiallerShell;
  readonly #targets = new Map<string, Target>();
  #abort: AbortController | null = null;

  constructor(options: RedialOptions, shell: DiallerShell) {
    this.#options = options;
    this.#shell = shell;
  }

  address(peer: string): string | null {
    return this.#targets.get(peer)?.address ?? null;
  }

  isDialling(peer: string): boolean {
    return this.#targets.get(peer)?.isDialling ?? false;
  }

  /** Learns or corrects an address and, while running, tries it at once. */
  setAddress(peer: string, address: string): void {
    const target = this.#targets.get(peer);
    if (target === undefined) this.#targets.set(peer, { address, attempts: 0, timer: null, isDialling: false });
    else target.address = address;
    this.wake(peer);
  }

  start(): void {
    this.#abort = new AbortController();
    for (const peer of this.#targets.keys()) this.wake(peer);
  }

  stop(): void {
    this.#abort?.abort();
    this.#abort = null;
    for (const target of this.#targets.values()) {
      if (target.timer !== null) clearTimeout(target.timer);
      target.timer = null;
      target.attempts = 0;
    }
  }

  /** A connection that worked was lost, or an address is new: dial soon. */
  wake(peer: string): void {
    this.#again(peer, 0);
  }

  /**
   * A connection was lost before it was of any use: dial again, but after a growing pause.
   *
   * A peer that refuses us does so after the handshake, when our end counts as connected.
   */
  retry(peer: string): void {
    this.#again(peer, (this.#targets.get(peer)?.attempts ?? 0) + 1);
  }

  #again(peer: string, attempts: number): void {
    const target = this.#targets.get(peer);
    if (target === undefined || this.#abort === null || target.isDialling) return;
    target.attempts = attempts;
    this.#schedule(peer, target);
  }

  #schedule(peer: string, target: Target): void {
    if (target.timer !== null) clearTimeout(target.timer);
    const { firstDelayMs, courtesyMs, maxDelayMs } = this.#options;
    const step = target.attempts === 0 ? 0 : Math.min(maxDelayMs, firstDelayMs * 2 ** (target.attempts - 1));
    const extraMs = target.attempts === 0 && this.#shell.self > peer ? courtesyMs : 0;
    // Half of the pause is random, so that peers that failed together do not retry together.
    const delayMs = step * (0.5 + 0.5 * this.#shell.random()) + extraMs;
    target.timer = setTimeout(() => void this.#attempt(peer, target), Math.max(delayMs, this.#shell.backOffMs(peer)));
  }

  async #attempt(peer: string, target: Target): Promise<void> {
    target.timer = null;
    const abort = this.#abort;
    if (abort === null || this.#shell.isConnected(peer)) return;
    if (this.#shell.isArriving(peer)) {
      // Looked at again, because a handshake that fails tells nobody.
      target.attempts = Math.max(1, target.attempts);
      this.#schedule(peer, target);
      return;
    }
    target.isDialling = true;
    const dialled = target.address;
    try {
      const signal = AbortSignal.any([abort.signal, AbortSignal.timeout(this.#options.dialTimeoutMs)]);
      await this.#shell.dial(peer, dialled, signal);
    } catch (error) {
      // One line per outage and then one per doubling is enough for a log; the status page shows the rest.
      const isPowerOfTwo = (target.attempts & (target.attempts - 1)) === 0;
      if (this.#abort === abort && isPowerOfTwo && !this.#shell.isConnected(peer)) {
        this.#shell.log({ code: 'TRANSPORT_DIAL_FAILED', member: peer, detail: `${dialled}: ${describe(error)}` });
      }
    }
    target.isDialling = false;
    if (this.#abort !== abort || this.#shell.isConnected(peer)) return;
    target.attempts = target.address === dialled ? target.attempts + 1 : 0;
    this.#schedule(peer, target);
  }
}

function describe(error: unknown): string {
  return error instanceof AggregateError
    ? error.errors.map(describe).join('; ')
    : error instanceof Error
      ? error.message
      : String(error);
}
