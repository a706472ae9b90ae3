import type { Branch, Bus, Network } from './network.ts';

/** Number, kind, load MW, load MVAr, generation MW, voltage set point, shunt MVAr. */
const BUSES: readonly (readonly [number, Bus['kind'], number, number, number, number, number])[] = [
  [1, 'slack', 0, 0, 0, 1.06, 0],
  [2, 'pv', 21.7, 12.7, 40, 1.045, 0],
  [3, 'pv', 94.2, 19, 0, 1.01, 0],
  [4, 'pq', 47.8, -3.9, 0, 1, 0],
  [5, 'pq', 7.6, 1.6, 0, 1, 0],
  [6, 'pv', 11.2, 7.5, 0, 1.07, 0],
  [7, 'pq', 0, 0, 0, 1, 0],
  [8, 'pv', 0, 0, 0, 1.09, 0],
  [9, 'pq', 29.5, 16.6, 0, 1, 19],
  [10, 'pq', 9, 5.8, 0, 1, 0],
  [11, 'pq', 3.5, 1.8, 0, 1, 0],
  [12, 'pq', 6.1, 1.6, 0, 1, 0],
  [13, 'pq', 13.5, 5.8, 0, 1, 0],
  [14, 'pq', 14.9, 5, 0, 1, 0],
];

/** Bus numbers, resistance, reactance, charging (per unit), tap. */
const BRANCHES: readonly (readonly [number, number, number, number, number, number])[] = [
  [1, 2, 0.01938, 0.05917, 0.0528, 1],
  [1, 5, 0.05403, 0.22304, 0.0492, 1],
  [2, 3, 0.04699, 0.19797, 0.0438, 1],
  [2, 4, 0.05811, 0.17632, 0.034, 1],
  [2, 5, 0.05695, 0.17388, 0.0346, 1],
  [3, 4, 0.06701, 0.17103, 0.0128, 1],
  [4, 5, 0.01335, 0.04211, 0, 1],
  [4, 7, 0, 0.20912, 0, 0.978],
  [4, 9, 0, 0.55618, 0, 0.969],
  [5, 6, 0, 0.25202, 0, 0.932],
  [6, 11, 0.09498, 0.1989, 0, 1],
  [6, 12, 0.12291, 0.25581, 0, 1],
  [6, 13, 0.06615, 0.13027, 0, 1],
  [7, 8, 0, 0.17615, 0, 1],
  [7, 9, 0, 0.11001, 0, 1],
  [9, 10, 0.03181, 0.0845, 0, 1],
  [9, 14, 0.12711, 0.27038, 0, 1],
  [10, 11, 0.08205, 0.19207, 0, 1],
  [12, 13, 0.22092, 0.19988, 0, 1],
  [13, 14, 0.17093, 0.34802, 0, 1],
];

/** The IEEE 14-bus test case with MATPOWER's figures; bus 1 is the slack, where the EDC is connected. */
export const CASE14: Network = {
  baseMva: 100,
  buses: BUSES.map(([number, kind, loadMw, loadMvar, generationMw, voltagePu, shuntMvar]) => ({
    number,
    kind,
    loadMw,
    loadMvar,
    generationMw,
    voltagePu,
    shuntMvar,
  })),
  branches: BRANCHES.map(
    ([from, to, resistancePu, reactancePu, chargingPu, tap]): Branch => ({
      from: from - 1,
      to: to - 1,
      resistancePu,
      reactancePu,
      chargingPu,
      tap,
    }),
  ),
};
