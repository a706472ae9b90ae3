/** Aborts at the first SIGINT or SIGTERM. Peers take a moment to end, and a second signal must not leave them behind. */
export function stopOnSignals(say: (text: string) => void): AbortController {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      say(stop.signal.aborted ? 'still ending the peers' : 'ending the peers');
      stop.abort(signal);
    });
  return stop;
}
