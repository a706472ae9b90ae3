/** What was opened, to be closed once and in reverse order; one step that fails does not keep the others from closing. */
export class Closing {
  readonly #steps: (() => unknown)[] = [];
  #done: Promise<void> | null = null;

  add(step: () => unknown): void {
    this.#steps.push(step);
  }

  run(): Promise<void> {
    this.#done ??= (async () => {
      const failures: unknown[] = [];
      for (const step of this.#steps.reverse())
        try {
          await step();
        } catch (error) {
          failures.push(error);
        }
      if (failures.length > 0) throw failures[0];
    })();
    return this.#done;
  }
}
