import { percentileOf } from '../checks/measured.ts';
import type { Result } from '../run/result.ts';
import type { EventOf, LabEvent } from '../watch/events.ts';
import type { Band, Series } from './charts.ts';

/** Percentiles that a curve shows, as far as there are samples for them. */
const PERCENTILES = [
  0, 5, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92, 94, 95, 96, 97, 98, 99, 99.3, 99.5, 99.7, 99.9,
];
const BUCKET_MS = 1_000;

/** What the charts of a report are drawn from. Times in seconds. */
export class ReportData {
  readonly #events: readonly LabEvent[];
  readonly bands: readonly Band[];

  constructor({ events, summary }: Result) {
    this.#events = events;
    const endMs = summary.figures.seconds * 1_000;
    this.bands = summary.faults.flatMap(({ label, beganMs, endedMs }) =>
      beganMs === null ? [] : [{ from: beganMs / 1_000, to: (endedMs ?? endMs) / 1_000, label }],
    );
  }

  of<T extends LabEvent['type']>(type: T): EventOf<T>[] {
    return this.#events.filter((event): event is EventOf<T> => event.type === type);
  }

  /** For each block: seconds after the start, and ms from its composition until the last peer had it. */
  blockLatencies(): [number, number][] {
    const commits = Map.groupBy(
      this.of('commit').filter(({ viaSync }) => !viaSync),
      ({ height }) => height,
    );
    return [...commits.values()].flatMap((ofHeight): [number, number][] => {
      const composedAtMs = ofHeight.find((commit) => commit.composedAtMs !== null)?.composedAtMs;
      if (composedAtMs == null) return [];
      return [[composedAtMs / 1_000, Math.max(...ofHeight.map(({ atMs }) => atMs)) - composedAtMs]];
    });
  }

  /** One sample for each transaction, in ms. */
  transactionLatencies(): number[] {
    return this.of('transactions').flatMap(({ latencyMs, count }) => Array.from({ length: count }, () => latencyMs));
  }

  latencyOverTime(): Series[] {
    const blocks = this.blockLatencies();
    const batches = this.of('transactions').map(({ atMs, latencyMs }): [number, number] => [atMs / 1_000, latencyMs]);
    return [
      ...(blocks.length === 0 ? [] : [{ name: 'blocks', points: blocks, style: 'dots' as const }]),
      ...(batches.length === 0
        ? []
        : [{ name: 'transactions', points: thinned(batches, 1_500), style: 'dots' as const }]),
    ];
  }

  /** Up to the highest percentile that one sample lies above: the rest would be the slowest one again and again. */
  percentileCurves(): Series[] {
    const curve = (name: string, samples: readonly number[]): Series[] => {
      const shown = PERCENTILES.filter((percentile) => samples.length * (1 - percentile / 100) >= 1);
      const points = shown.map((percentile) => [percentile, percentileOf(samples, percentile)] as const);
      return points.length < 2 ? [] : [{ name: `${name} (${samples.length})`, points }];
    };
    return [
      ...curve(
        'blocks',
        this.blockLatencies().map(([, ms]) => ms),
      ),
      ...curve('transactions', this.transactionLatencies()),
    ];
  }

  /** Blocks and transactions committed in each second. */
  throughput(): Series[] {
    const blocks = this.of('block');
    const perSecond = (name: string, what: (block: EventOf<'block'>) => number): Series => {
      const buckets = Map.groupBy(blocks, ({ atMs }) => Math.max(0, Math.floor(atMs / BUCKET_MS)));
      const last = [...buckets.keys()].reduce((a, b) => Math.max(a, b), 0);
      const counts = Array.from({ length: last + 1 }, (_, k): [number, number] => [
        (k * BUCKET_MS) / 1_000,
        (buckets.get(k) ?? []).reduce((sum, block) => sum + what(block), 0),
      ]);
      return stepped(name, counts, BUCKET_MS / 1_000);
    };
    const hasLoad = blocks.some(({ transactions }) => transactions > 0);
    return [
      perSecond('blocks', () => 1),
      ...(hasLoad ? [perSecond('transactions', ({ transactions }) => transactions)] : []),
    ];
  }

  heights(peers: readonly string[]): Series[] {
    const commits = this.of('commit');
    return peers.map((peer) => ({
      name: peer,
      points: thinned(
        commits
          .filter((commit) => commit.peer === peer)
          .map(({ atMs, height }): [number, number] => [atMs / 1_000, height]),
        400,
      ),
      style: 'steps',
    }));
  }

  /** By slot: kWh, from settlements; what came in and went out has another name with each protocol. */
  energy(produced: string, consumed: string): Series[] {
    const settlements = this.of('settlement').sort((a, b) => a.slot - b.slot);
    const series = (name: string, of: (s: EventOf<'settlement'>) => string): Series =>
      stepped(
        name,
        settlements.map((s) => [s.slot, Number(of(s)) / 1_000]),
        1,
      );
    return [
      series(produced, ({ producedWh }) => producedWh),
      series(consumed, ({ consumedWh }) => consumedWh),
      series('traded', ({ tradedWh }) => tradedWh),
    ];
  }

  /** By learning round, for each group of EVs: what the model gains of what the oracle gains, in per cent. */
  gains(): Series[] {
    const models = this.of('model').sort((a, b) => a.round - b.round);
    const groups = [...new Set(models.flatMap(({ gains }) => gains.map(({ group }) => group)))];
    return groups.map((group) => ({
      name: group,
      points: models.flatMap(({ round, gains }) =>
        gains.filter((one) => one.group === group).map(({ shapedGain }) => [round, 100 * shapedGain] as const),
      ),
    }));
  }

  /** Over all days, for each EV, in currency: what it was paid, and what is held of it. */
  profits(peers: readonly string[]): { readonly name: string; readonly values: readonly number[] }[] {
    const members = this.of('day').flatMap(({ members: ofDay }) => ofDay);
    const total = (name: string, of: 'payoffMicro' | 'escrowMicro'): number =>
      members.filter((member) => member.name === name).reduce((sum, member) => sum + Number(member[of]), 0) / 1e6;
    return [
      { name: 'paid', values: peers.map((peer) => total(peer, 'payoffMicro')) },
      { name: 'held', values: peers.map((peer) => total(peer, 'escrowMicro')) },
    ];
  }

  /** Over all slots, for each member: bills with and without trading, in currency. */
  money(peers: readonly string[]): { readonly name: string; readonly values: readonly number[] }[] {
    const members = this.of('settlement').flatMap(({ members: ofSlot }) => ofSlot);
    const total = (name: string, of: 'billMicro' | 'withoutTradingMicro'): number =>
      members.filter((member) => member.name === name).reduce((sum, member) => sum + Number(member[of]), 0) / 1e6;
    return [
      { name: 'without trading', values: peers.map((peer) => total(peer, 'withoutTradingMicro')) },
      { name: 'with trading', values: peers.map((peer) => total(peer, 'billMicro')) },
    ];
  }

  /** Summed proof scores in kWh, over slots. */
  scores(peers: readonly string[]): Series[] {
    const settlements = this.of('settlement').sort((a, b) => a.slot - b.slot);
    return peers.map((peer) => {
      let sum = 0;
      return {
        name: peer,
        points: settlements.map(({ slot, members }) => {
          sum += Number(members.find(({ name }) => name === peer)?.scoreWh ?? 0) / 1_000;
          return [slot, sum] as const;
        }),
      };
    });
  }

  load(): Series[] {
    const samples = this.of('load');
    const series = (name: string, of: (s: EventOf<'load'>) => number): Series => ({
      name,
      points: samples.map((s) => [s.atMs / 1_000, of(s)] as const),
    });
    return [
      series('due', ({ due }) => due),
      series('sent', ({ sent }) => sent),
      series('committed', ({ committed }) => committed),
    ];
  }

  memory(peers: readonly string[]): Series[] {
    const samples = this.of('sample');
    return peers.map((peer) => ({
      name: peer,
      // A peer that is down uses none.
      points: thinned(
        samples
          .filter((s) => s.peer === peer)
          .map((s) => [s.atMs / 1_000, s.memoryBytes === null ? Number.NaN : s.memoryBytes / 1e6] as const),
        400,
      ),
    }));
  }
}

/** Values that hold for a while each, the last one too. */
function stepped(name: string, points: readonly (readonly [number, number])[], width: number): Series {
  const last = points.at(-1);
  return { name, points: last === undefined ? [] : [...points, [last[0] + width, last[1]]], style: 'steps' };
}

/** At most about `limit` of the points, evenly. */
function thinned<T>(points: readonly T[], limit: number): T[] {
  const step = Math.max(1, Math.ceil(points.length / limit));
  return points.filter((_, k) => k % step === 0 || k === points.length - 1);
}
