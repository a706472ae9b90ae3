import type { Runtime } from '../runtime/runtime.ts';

/**
 * Whether a peer's log has `words` in a line that it wrote since a moment, by the machine's clock. Logs go on over restarts:
 * the same words may stand there of an earlier fault.
 */
export async function hasSaidSince(runtime: Runtime, name: string, sinceMs: number, words: string): Promise<boolean> {
  const lines = (await runtime.lastWords(name)).split('\n');
  return lines.some((line) => line.includes(words) && timeOf(line) >= sinceMs);
}

/** Lines of the log are JSON, in the log of a container behind a few bytes of its engine. */
function timeOf(line: string): number {
  try {
    const { time } = JSON.parse(line.slice(line.indexOf('{'))) as { time?: unknown };
    return typeof time === 'number' ? time : Number.NaN;
  } catch {
    // Standard error has no time, and the first line of the end of a log is cut.
    return Number.NaN;
  }
}
