import { styleText } from 'node:util';
import type { Verdict } from '../checks/facts.ts';
import type { RunSummary } from '../run/result.ts';
import type { LabEvent } from '../watch/events.ts';

const STATUS_EVERY_MS = 5_000;
const MARK: Readonly<Record<Verdict, string>> = {
  holds: styleText('green', 'holds   '),
  violated: styleText('red', 'VIOLATED'),
  unknown: styleText('yellow', 'unknown '),
};

/** What a person sees while a run goes on: faults as they happen, and every few seconds how far it has come. */
export class Progress {
  readonly #isJson: boolean;
  #height = 0;
  #slot = 0;
  #shownMs = Number.NEGATIVE_INFINITY;
  #load = '';

  constructor(isJson: boolean) {
    this.#isJson = isJson;
  }

  event(event: LabEvent): void {
    if (this.#isJson) {
      process.stdout.write(`${JSON.stringify(event)}\n`);
      return;
    }
    if (event.type === 'started') this.#say(event.atMs, `${event.peers.length} peers are up, quorum ${event.quorum}`);
    if (event.type === 'commit') this.#height = Math.max(this.#height, event.height);
    if (event.type === 'settlement') this.#slot = event.slot;
    if (event.type === 'load' && event.due > 0)
      this.#load = `, ${event.committed} of ${event.due} transactions committed`;
    if (event.type === 'fault')
      this.#say(event.atMs, `${event.label}: ${event.failure ?? (event.what === 'proven' ? event.proof : event.what)}`);
    if (event.type === 'violation') this.#say(event.atMs, styleText('red', `${event.check}: ${event.message}`));
    if (event.type !== 'sample' || event.atMs - this.#shownMs < STATUS_EVERY_MS) return;
    this.#shownMs = event.atMs;
    this.#say(event.atMs, `height ${this.#height}, slot ${this.#slot}${this.#load}`);
  }

  summary(summary: RunSummary, folder: string): void {
    if (this.#isJson) {
      process.stdout.write(`${JSON.stringify({ type: 'summary', folder, ...summary })}\n`);
      return;
    }
    this.note('');
    for (const { check, verdict, detail } of summary.checks)
      this.note(`${MARK[verdict]} ${check.padEnd(18)} ${detail}`);
    this.note(`\n${summary.name} (seed ${summary.seed}): ${MARK[summary.verdict].trim()}\n${folder}/report.html`);
  }

  note(text: string): void {
    if (!this.#isJson) process.stdout.write(`${text}\n`);
  }

  #say(atMs: number, text: string): void {
    this.note(`${(atMs / 1_000).toFixed(1).padStart(7)} s  ${text}`);
  }
}
