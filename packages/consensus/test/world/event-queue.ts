/** Binary heap by time, then by order of arrival. */
export class EventQueue {
  readonly #heap: { readonly atMs: number; readonly order: number; readonly run: () => void }[] = [];
  #order = 0;

  push(atMs: number, run: () => void): void {
    const heap = this.#heap;
    const entry = { atMs, order: this.#order, run };
    this.#order += 1;
    let k = heap.length;
    heap.push(entry);
    for (let parent = (k - 1) >> 1; k > 0 && isBefore(entry, heap[parent]); parent = (k - 1) >> 1) {
      heap[k] = heap[parent] as typeof entry;
      k = parent;
    }
    heap[k] = entry;
  }

  /** The next event up to `endMs`; null when there is none. */
  pop(endMs: number): { readonly atMs: number; readonly run: () => void } | null {
    const heap = this.#heap;
    const top = heap[0];
    if (top === undefined || top.atMs > endMs) return null;
    const last = heap.pop() as typeof top;
    if (heap.length === 0) return top;
    let k = 0;
    for (let child = 1; child < heap.length; child = 2 * k + 1) {
      const right = child + 1;
      const least = right < heap.length && isBefore(heap[right], heap[child]) ? right : child;
      if (!isBefore(heap[least], last)) break;
      heap[k] = heap[least] as typeof last;
      k = least;
    }
    heap[k] = last;
    return top;
  }
}

function isBefore(
  a: { atMs: number; order: number } | undefined,
  b: { atMs: number; order: number } | undefined,
): boolean {
  if (a === undefined || b === undefined) return false;
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
