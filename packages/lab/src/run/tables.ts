import type { EventOf, LabEvent } from '../watch/events.ts';

/** Tables of a result folder, by file name: header and rows, for spreadsheets and plots. */
export function tablesOf(events: readonly LabEvent[]): Readonly<Record<string, string>> {
  const of = <T extends LabEvent['type']>(type: T): EventOf<T>[] =>
    events.filter((event): event is EventOf<T> => event.type === type);
  return {
    'blocks.csv': csv(
      [
        'at_ms',
        'height',
        'kind',
        'slot',
        'term',
        'turn',
        'composer',
        'round',
        'transactions',
        'bytes',
        'chain_time_ms',
        'hash',
      ],
      of('block').map((b) => [
        b.atMs,
        b.height,
        b.kind,
        b.slot,
        b.term,
        b.turn,
        b.composer,
        b.round,
        b.transactions,
        b.bytes,
        b.chainTimeMs,
        b.hash,
      ]),
    ),
    'commits.csv': csv(
      ['at_ms', 'height', 'peer', 'composed_at_ms', 'via_sync'],
      of('commit').map((c) => [c.atMs, c.height, c.peer, c.composedAtMs ?? '', c.viaSync]),
    ),
    'latency.csv': csv(
      ['at_ms', 'height', 'via', 'transactions', 'latency_ms'],
      of('transactions').map((t) => [t.atMs, t.height, t.via, t.count, t.latencyMs]),
    ),
    'load.csv': csv(
      ['at_ms', 'due', 'sent', 'missed', 'refused', 'committed', 'outstanding'],
      of('load').map((l) => [l.atMs, l.due, l.sent, l.missed, l.refused, l.committed, l.outstanding]),
    ),
    'settlements.csv': csv(
      ['at_ms', 'slot', 'height', 'produced_wh', 'consumed_wh', 'traded_wh', 'loss_saved_half_nano_wh', 'reward_micro'],
      of('settlement').map((s) => [
        s.atMs,
        s.slot,
        s.height,
        s.producedWh,
        s.consumedWh,
        s.tradedWh,
        s.lossSavedHalfNanoWh,
        s.rewardMicro,
      ]),
    ),
    'members.csv': csv(
      [
        'slot',
        'member',
        'produced_wh',
        'consumed_wh',
        'bill_micro',
        'without_trading_micro',
        'fee_micro',
        'share_micro',
        'score_wh',
      ],
      of('settlement').flatMap((s) =>
        s.members.map((m) => [
          s.slot,
          m.name,
          m.producedWh,
          m.consumedWh,
          m.billMicro,
          m.withoutTradingMicro,
          m.feeMicro,
          m.shareMicro,
          m.scoreWh,
        ]),
      ),
    ),
    'models.csv': csv(
      ['at_ms', 'round', 'group', 'shaped_gain_percent', 'objective_gain_percent', 'model'],
      of('model').flatMap((m) =>
        m.gains.map((g) => [m.atMs, m.round, g.group, 100 * g.shapedGain, 100 * g.objectiveGain, m.hash]),
      ),
    ),
    'days.csv': csv(
      ['day', 'miner', 'member', 'score_micro_kwh', 'profit_micro', 'fee_micro', 'payoff_micro', 'held_micro'],
      of('day').flatMap((d) =>
        d.members.map((m) => [
          d.day + 1,
          d.miner ?? '',
          m.name,
          m.scoreMicroKwh,
          m.profitMicro,
          m.feeMicro,
          m.payoffMicro,
          m.escrowMicro,
        ]),
      ),
    ),
    'draws.csv': csv(
      ['term', 'height', 'forced', 'drawn', 'miner', 'weight'],
      of('draw').flatMap((d) => d.weights.map((w) => [d.term, d.height, d.isForced, d.drawn ?? '', w.miner, w.weight])),
    ),
    'peers.csv': csv(
      ['at_ms', 'peer', 'state', 'height', 'connected', 'pool', 'cpu_ms', 'wait_ms', 'memory_bytes'],
      of('sample').map((s) => [
        s.atMs,
        s.peer,
        s.state,
        s.height ?? '',
        s.connected ?? '',
        s.poolTransactions ?? '',
        s.cpuMs ?? '',
        s.waitMs ?? '',
        s.memoryBytes ?? '',
      ]),
    ),
    'penalties.csv': csv(
      ['at_ms', 'height', 'member', 'lost_micro', 'stake_micro', 'opening_micro'],
      of('penalty').map((p) => [p.atMs, p.height, p.member, p.lostMicro, p.stakeMicro, p.openingMicro]),
    ),
    'faults.csv': csv(
      ['at_ms', 'what', 'kind', 'label', 'proof', 'failure'],
      of('fault').map((f) => [f.atMs, f.what, f.kind, f.label, f.proof ?? '', f.failure ?? '']),
    ),
  };
}

type Cell = string | number | boolean;

export function csv(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return `${[header, ...rows].map((row) => row.map(quoted).join(',')).join('\n')}\n`;
}

function quoted(cell: Cell): string {
  // In full: what is small is not nothing, and whoever reads the table can round it.
  const text = String(cell);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
