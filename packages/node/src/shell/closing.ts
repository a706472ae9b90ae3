/** What was opened, to be closed once and in reverse order; one step that fails does not keep the others from closing. */
export class Closing {
  readonly #steps: (() => unknown)[] = [];
  #done: Promise<void> | null = null;

  /** What is opened when the closing has begun is closed at once; who then asks for `run` waits for that too. */
  add(step: () => unknown): void {
    if (this.#done === null) this.#steps.push(step);
    else {
      this.#done = allOf([this.#done, (async () => void (await step()))()]);
      // Perhaps nobody asks any more.
      this.#done.catch(() => undefined);
    }
  }

  run(): Promise<void> {
    this.#done ??= this.#closeAll();
    return this.#done;
  }

  async #closeAll(): Promise<void> {
    // By then `add` knows that this has begun.
    await null;
    const failures: unknown[] = [];
    for (const step of this.#steps.reverse())
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    if (failures.length > 0) throw failures[0];
  }
}

async function allOf(closings: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(closings)).find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
