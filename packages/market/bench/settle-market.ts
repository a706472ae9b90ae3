/**
 * How long a peer takes to settle a slot and to share a reward, in exact integers.
 *
 *   node packages/market/bench/settle-market.ts [slots=30]
 *
 * Prints per number of members, with everybody at a place of its own and with members sharing buses (ties): median and
 * maximum CPU time of `settleMarket`, and of `shapleyHalfNanoWh` for the largest coalition.
 */

import { seededRng } from '../scripts/seeded-rng.ts';
import { type IntegerMarketInput, settleMarket, shapleyHalfNanoWh } from '../src/index.ts';

const slots = Number(process.argv[2] ?? 30);

function randomInput(members: number, places: number, seed: number): IntegerMarketInput {
  const rng = seededRng(seed);
  const place = Array.from({ length: places }, () => [20 * rng(), 20 * rng()] as const);
  const at = Array.from({ length: members }, (_, i) => place[places === members ? i : Math.floor(rng() * places)]!);
  const rate = (a: readonly [number, number], b: readonly [number, number]) =>
    BigInt(Math.round(0.0039598e9 * Math.hypot(a[0] - b[0], a[1] - b[1])));
  return {
    balanceWh: at.map(() => BigInt(Math.round((rng() - 0.55) * 20_000))),
    rateEdcPpb: at.map((each) => rate(each, [10, 10])),
    ratePpb: at.map((a) => at.map((b) => rate(a, b))),
    lossCharge: 'half',
    maxCoalitionSize: 12,
    tieWeight: (i, j) => BigInt((Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(j + 1, 0x9e3779b1)) >>> 0),
  };
}

/** CPU time, so that other work on the machine does not count. */
function milliseconds(action: () => void): number {
  const start = process.cpuUsage();
  action();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

console.log(
  '| members | places | settle median ms | settle max ms | largest coalition | Shapley median ms | Shapley max ms |',
);
for (const [members, places] of [
  [10, 10],
  [20, 20],
  [20, 5],
  [50, 50],
  [50, 13],
  [100, 100],
] as const) {
  const settle: number[] = [];
  const share: number[] = [];
  let largest = 0;
  for (let seed = 0; seed < slots; seed++) {
    const input = randomInput(members, places, seed);
    let winner: readonly number[] = [];
    settle.push(
      milliseconds(() => {
        const { coalitions } = settleMarket(input);
        winner = coalitions.reduce((a, b) => (b.members.length > a.members.length ? b : a)).members;
      }),
    );
    largest = Math.max(largest, winner.length);
    share.push(milliseconds(() => shapleyHalfNanoWh(input, winner)));
  }
  const median = (times: number[]) => times.sort((a, b) => a - b)[times.length >> 1]!.toFixed(1);
  const most = (times: number[]) => Math.max(...times).toFixed(1);
  console.log(
    `| ${[members, places, median(settle), most(settle), largest, median(share), most(share)].join(' | ')} |`,
  );
}
