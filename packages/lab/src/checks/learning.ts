import { selectPeers } from '../scenario/plan-timeline.ts';
import { type Check, holds, unknown, violated } from './facts.ts';

/** What the EVs have learnt together, measured by the laboratory on days that nobody trains on. */
export const modelGain: Check = {
  name: 'model-gain',
  promise: 'The global model is worth something to every group of EVs, whoever sent what.',
  judge: ({ scenario, models }) => {
    const bound = scenario.checks.modelGain;
    if (bound === undefined) return null;
    const last = models.at(-1);
    const [worst] = [...(last?.gains ?? [])].sort((a, b) => a.shapedGain - b.shapedGain);
    if (last === undefined || worst === undefined) return unknown('no model was measured');
    const found = `after round ${last.round} the group "${worst.group}" gains ${percent(worst.shapedGain)} of what the oracle gains; wanted: ${percent(bound.atLeast)}`;
    return worst.shapedGain >= bound.atLeast ? holds(found) : violated(found, { atMs: last.atMs, height: null });
  },
};

/** Profits of EVs that do not pay the miner its share are held, to the unit, and nobody else's are. */
export const unpaidHeld: Check = {
  name: 'unpaid-held',
  promise: 'Who keeps its share of the mining reward has its whole profit held; nobody else has.',
  judge: ({ scenario, names, days }) => {
    const notPaying = scenario.evs?.notPaying;
    if (notPaying === undefined) return null;
    const dodgers = new Set(selectPeers(notPaying.peers, names));
    let held = 0n;
    for (const { day, height, miner, members, atMs } of days) {
      for (const { name, profitMicro, feeMicro, escrowMicro } of members) {
        const owes = miner !== null && miner !== name && BigInt(feeMicro) > 0n;
        const isDue = owes && dodgers.has(name) && day < notPaying.untilDay;
        const expected = isDue ? profitMicro : '0';
        if (escrowMicro !== expected)
          return violated(`of ${name} ${escrowMicro} micro were held on day ${day + 1}, not ${expected}`, {
            atMs,
            height,
          });
        held += BigInt(escrowMicro);
      }
    }
    return held > 0n ? holds(`${held} micro were held`) : unknown('no EV that does not pay earned anything');
  },
};

function percent(ratio: number): string {
  return `${(100 * ratio).toFixed(1)} %`;
}
