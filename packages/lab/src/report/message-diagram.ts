import type { EventOf } from '../watch/events.ts';
import { colour, escapeHtml } from './charts.ts';

const LANE = 74;
const LEFT = 44;
const TOP = 26;
const PX_PER_ROW = 13;
const MAX_ROWS = 90;
const KINDS = ['proposal', 'prevote', 'precommit'] as const;

interface Arrow {
  readonly atMs: number;
  readonly from: number;
  readonly to: number;
  readonly what: (typeof KINDS)[number];
  readonly count: number;
  readonly round: number;
  readonly isNil: boolean;
  readonly isReceived: boolean;
}

/** Heights of which messages were recorded. */
export function tracedHeights(traces: readonly EventOf<'trace'>[]): number[] {
  const heights = new Set(traces.flatMap(({ messages }) => messages.map(({ height }) => height)));
  return [...heights].sort((a, b) => a - b);
}

/**
 * The proposals and votes of one height as arrows between peers, in the order in which they arrived. A message that was sent
 * to one peer and never arrived is shown as a dashed arrow.
 */
export function messageDiagram(height: number, peers: readonly string[], traces: readonly EventOf<'trace'>[]): string {
  const arrows = arrowsOf(height, peers, traces);
  if (arrows.length === 0) return '<p class="none">No message was recorded.</p>';
  const shown = arrows.slice(0, MAX_ROWS);
  const firstMs = shown[0]?.atMs ?? 0;
  const width = LEFT + peers.length * LANE;
  const depth = TOP + (shown.length + 1) * PX_PER_ROW;
  const x = (peer: number): number => LEFT + (peer + 0.5) * LANE;
  const lanes = peers.map(
    (name, k) =>
      `<text x="${x(k)}" y="14" text-anchor="middle">${escapeHtml(name)}</text><line x1="${x(k)}" x2="${x(k)}" y1="20" y2="${depth - 4}" class="grid"/>`,
  );
  const rows = shown.map((arrow, row) => {
    const y = TOP + (row + 0.7) * PX_PER_ROW;
    const paint = colour(KINDS.indexOf(arrow.what));
    const title = `${arrow.what}${arrow.isNil ? ' for nil' : ''}${arrow.count > 1 ? ` x ${arrow.count}` : ''}, round ${arrow.round}, ${peers[arrow.from]} to ${peers[arrow.to]}${arrow.isReceived ? '' : ', not seen to arrive'}`;
    const tip = x(arrow.to) + (arrow.to > arrow.from ? -6 : 6);
    const dash = arrow.isReceived ? '' : ' stroke-dasharray="3 3"';
    return `<g><title>${escapeHtml(title)}</title><text x="2" y="${y + 3}">${Math.round(arrow.atMs - firstMs)} ms</text><line x1="${x(arrow.from)}" x2="${tip}" y1="${y}" y2="${y}" stroke="${paint}" stroke-width="${arrow.count > 1 ? 2.4 : 1.4}"${dash}/><path d="M${x(arrow.to)} ${y}L${tip} ${y - 3}L${tip} ${y + 3}Z" fill="${paint}"/></g>`;
  });
  const legend = KINDS.map((kind, k) => `<span><i style="background:${colour(k)}"></i>${kind}</span>`).join('');
  const more =
    arrows.length > shown.length
      ? `<p class="none">${arrows.length - shown.length} later messages are not drawn.</p>`
      : '';
  return `<div class="wide"><svg viewBox="0 0 ${width} ${depth}" style="width:${width}px" role="img">${lanes.join('')}${rows.join('')}</svg></div><div class="legend">${legend}<span>thick: a bundle of votes</span></div>${more}`;
}

function arrowsOf(height: number, peers: readonly string[], traces: readonly EventOf<'trace'>[]): Arrow[] {
  const rank = (name: string | null): number => (name === null ? -1 : peers.indexOf(name));
  const messages = traces.flatMap(({ peer, messages: ofPeer }) => ofPeer.map((message) => ({ ...message, peer })));
  const ofHeight = messages.filter((message) => message.height === height);
  const received = ofHeight.filter(({ direction }) => direction === 'in');
  const arrows = received.map(
    ({ atMs, otherName, peer, what, count, round, isNil }): Arrow => ({
      atMs,
      from: rank(otherName),
      to: rank(peer),
      what,
      count,
      round,
      isNil,
      isReceived: true,
    }),
  );
  const lost = ofHeight.filter(
    (sent) =>
      sent.direction === 'out' &&
      sent.otherName !== null &&
      !received.some(
        (one) =>
          one.peer === sent.otherName &&
          one.otherName === sent.peer &&
          one.what === sent.what &&
          one.round === sent.round,
      ),
  );
  for (const { atMs, otherName, peer, what, count, round, isNil } of lost)
    arrows.push({ atMs, from: rank(peer), to: rank(otherName), what, count, round, isNil, isReceived: false });
  return arrows.filter(({ from, to }) => from >= 0 && to >= 0 && from !== to).sort((a, b) => a.atMs - b.atMs);
}
