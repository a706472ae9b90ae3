import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { PEER_NODE_ARGUMENTS, peerEnvironment } from '../cluster/peer-runtime.ts';
import { BenchError } from './errors.ts';

const STOP_LIMIT_MS = 15_000;

type Reply = { readonly id: number; readonly result?: unknown; readonly error?: string };

/** The orders that a program takes, by name. */
export type Orders = Readonly<Record<string, (argument: never) => unknown>>;

/** A program of the benchmark in a process of its own, which ends with this one. */
export class Worker {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  readonly #ended: Promise<void>;
  #orders = 0;
  #said = '';

  constructor(program: string, name: string, execArgv: readonly string[] = []) {
    this.name = name;
    this.#child = fork(new URL(program, import.meta.url), [], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
      execArgv: [...PEER_NODE_ARGUMENTS, ...execArgv],
      env: peerEnvironment(),
      detached: true,
    });
    this.#child.stderr?.on('data', (chunk) => {
      this.#said = `${this.#said}${chunk}`.slice(-4_000);
    });
    this.#child.on('message', ({ id, result, error }: Reply) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new BenchError('BENCH_WORKER_FAILED', `${name}: ${error}`));
    });
    this.#ended = once(this.#child, 'exit').then(([code, signal]) => {
      const why = new BenchError(
        'BENCH_WORKER_FAILED',
        `${name} ended (${signal ?? `exit code ${code}`}): ${this.#said.trim()}`,
      );
      for (const { reject } of this.#waiting.values()) reject(why);
      this.#waiting.clear();
    });
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** @throws BenchError BENCH_WORKER_FAILED with what the program said */
  async ask<T>(order: string, argument: unknown = null): Promise<T> {
    if (this.hasEnded) throw new BenchError('BENCH_WORKER_FAILED', `${this.name} has ended: ${this.#said.trim()}`);
    const id = ++this.#orders;
    const answer = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#child.send({ id, order, argument });
    return (await answer) as T;
  }

  /** Asks the program to end, and kills it when it does not. */
  async stop(): Promise<void> {
    if (this.hasEnded) return;
    if (this.#child.connected) this.#child.disconnect();
    const limit = new AbortController();
    const isLate = await Promise.race([
      this.#ended.then(() => false),
      delay(STOP_LIMIT_MS, true, { signal: limit.signal }).catch(() => false),
    ]);
    limit.abort();
    if (isLate) this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

/** The other side: answers orders until the parent is gone, then cleans up and ends. */
export function serveOrders(orders: Orders, close: () => Promise<void>): void {
  process.on('message', async ({ id, order, argument }: { id: number; order: string; argument: unknown }) => {
    try {
      const run = orders[order] as ((argument: unknown) => unknown) | undefined;
      if (run === undefined) throw new Error(`no order ${order}`);
      const result = await run(argument);
      if (process.connected) process.send?.({ id, result });
    } catch (error) {
      if (process.connected) process.send?.({ id, error: error instanceof Error ? error.message : String(error) });
    }
  });
  process.once('disconnect', () => {
    void close()
      .catch((error) => process.stderr.write(`${String(error)}\n`))
      .then(() => process.exit());
  });
}
