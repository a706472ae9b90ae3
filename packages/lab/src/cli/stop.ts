/** One press of Ctrl-C may come twice: from the terminal, and from the program that started this one. */
const SAME_PRESS_MS = 500;

/** Aborts at the first SIGINT or SIGTERM. Peers take a moment to end, and a second signal must not leave them behind. */
export function stopOnSignals(say: (text: string) => void): AbortController {
  const stop = new AbortController();
  let firstMs = Number.POSITIVE_INFINITY;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (!stop.signal.aborted) {
        firstMs = performance.now();
        say('ending the peers');
      } else if (performance.now() - firstMs > SAME_PRESS_MS) say('still ending the peers');
      stop.abort(signal);
    });
  return stop;
}
