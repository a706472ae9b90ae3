import type { RunSummary } from '../run/result.ts';
import { escapeHtml } from './charts.ts';

/** Narrower, a bar could not be seen. */
const LEAST_PERCENT = 0.6;

/** Every fault with a bar for the time in which it was on, and the proof that it took effect. */
export function faultTimeline({ faults, figures }: Pick<RunSummary, 'faults' | 'figures'>): string {
  if (faults.length === 0) return '<p class="none">None.</p>';
  const endMs = Math.max(1, figures.seconds * 1_000);
  const rows = faults.map(({ label, beganMs, endedMs, proof, failure }) => {
    const shown =
      failure === null
        ? `<span class="soft">${escapeHtml(proof ?? 'nothing was seen')}</span>`
        : `<span class="violated">${escapeHtml(failure)}</span>`;
    if (beganMs === null)
      return `<div class="fault"><div>${escapeHtml(label)}</div><div class="soft">did not begin</div><div>${shown}</div></div>`;
    const left = Math.min(100 - LEAST_PERCENT, (100 * Math.max(0, beganMs)) / endMs);
    const width = Math.max(LEAST_PERCENT, (100 * Math.min(endedMs ?? endMs, endMs)) / endMs - left);
    const span = `${seconds(beganMs)} to ${endedMs === null ? 'the end' : seconds(endedMs)}`;
    return `<div class="fault"><div>${escapeHtml(label)}<br><span class="soft">${span}</span></div><div class="track"><i style="left:${left.toFixed(1)}%;width:${width.toFixed(1)}%"></i></div><div>${shown}</div></div>`;
  });
  return `<div class="faults">${rows.join('')}<div class="fault"><div></div><div class="ends soft"><span>0 s</span><span>${seconds(endMs)}</span></div><div></div></div></div>`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
