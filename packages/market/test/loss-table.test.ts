import { describe, expect, test } from 'vitest';
import {
  allocateLosses,
  CASE14,
  createMarket,
  type Network,
  networkLoss,
  networkLossRates,
  settleSlot,
} from '../src/index.ts';
import { lossRatesAt, networkLossMw } from '../src/loss-table.ts';
import { solvePowerFlow } from '../src/power-flow.ts';

const flow = solvePowerFlow(CASE14);
const bus = (number: number) => CASE14.buses.findIndex((candidate) => candidate.number === number);
const degrees = (radians: number) => (180 * radians) / Math.PI;
const percent = (rates: readonly (readonly number[])[], from: number, to: number) => 100 * rates[bus(from)]![bus(to)]!;

describe('power flow of case14', () => {
  test('losses, slack power, voltages and angles', () => {
    const { activeMw, reactiveMw } = networkLossMw(CASE14, flow);
    expect(activeMw).toBeCloseTo(13.175, 3);
    expect(reactiveMw).toBeCloseTo(0.2183, 4);
    expect(activeMw + reactiveMw).toBeCloseTo(13.3933, 4);
    // Losses along branches and what the buses feed in are the same power.
    expect(flow.injectionMw.reduce((sum, power) => sum + power, 0)).toBeCloseTo(activeMw + reactiveMw, 7);
    expect(flow.injectionMw[bus(1)]).toBeCloseTo(232.393, 3);
    expect(flow.iterations).toBe(4);
    expect([4, 5, 14].map((number) => flow.voltagePu[bus(number)]!.toFixed(4))).toEqual(['1.0177', '1.0195', '1.0355']);
    expect(degrees(flow.angleRad[bus(3)]!)).toBeCloseTo(-12.73, 2);
    expect(degrees(flow.angleRad[bus(14)]!)).toBeCloseTo(-16.03, 2);
  });
});

describe('branch flows of case14', () => {
  test('through the transformers', () => {
    const through = (from: number, to: number) => {
      const { activePu, reactivePu } =
        flow.branches[CASE14.branches.findIndex((each) => each.from === bus(from) && each.to === bus(to))]!;
      return [100 * activePu, 100 * reactivePu].map((power) => power.toFixed(2));
    };
    // MATPOWER's solution; transformers have no charging, so what enters at the bus enters the impedance.
    expect(through(4, 7)).toEqual(['28.07', '-9.68']);
    expect(through(4, 9)).toEqual(['16.08', '-0.43']);
    expect(through(5, 6)).toEqual(['44.09', '12.47']);
  });
});

describe('loss rates of case14', () => {
  const unsigned = networkLossRates(CASE14);
  const signed = lossRatesAt(CASE14, flow, { sign: 'signed' });

  test('unsigned, power factor 1', () => {
    const hosts = [2, 3, 4, 5, 9, 14];
    const expected = [
      [0, 4.14, 4.012, 4.008, 4.325, 5.159, 3.394],
      [4.14, 0, 3.619, 4.324, 4.057, 5.137, 6.19],
      [4.012, 3.619, 0, 1.807, 0.954, 2.156, 5.549],
      [4.008, 4.324, 1.807, 0, 1.811, 2.459, 5.094],
      [4.325, 4.057, 0.954, 1.811, 0, 1.72, 5.778],
      [5.159, 5.137, 2.156, 2.459, 1.72, 0, 6.562],
    ];
    hosts.forEach((from, row) => {
      [...hosts, 1].forEach((to, column) => {
        expect(percent(unsigned, from, to)).toBeCloseTo(expected[row]![column]!, 3);
        expect(unsigned[bus(from)]![bus(to)]).toBe(unsigned[bus(to)]![bus(from)]);
      });
    });
  });

  test('unsigned, power factor 0.95', () => {
    const rates = networkLossRates(CASE14, { powerFactor: 0.95 });
    const hosts = [2, 3, 4, 5, 9, 14];
    const between = hosts.flatMap((from) => hosts.filter((to) => to !== from).map((to) => percent(rates, from, to)));
    const toEdc = hosts.map((from) => percent(rates, from, 1));
    expect([Math.min(...between), Math.max(...between)].map((rate) => rate.toFixed(2))).toEqual(['1.04', '5.45']);
    expect([Math.min(...toEdc), Math.max(...toEdc)].map((rate) => rate.toFixed(2))).toEqual(['3.51', '6.89']);
  });

  test('signed rates are antisymmetric and nearly add up to the losses', () => {
    expect(percent(signed, 2, 3)).toBeCloseTo(3.631, 3);
    expect(percent(signed, 2, 14)).toBeCloseTo(3.612, 3);
    signed.forEach((row, from) => {
      row.forEach((rate, to) => {
        expect(rate).toBeCloseTo(-signed[to]![from]!, 12);
      });
    });
    const exchanges = flow.injectionMw.map((powerMw, from) => ({ from, to: bus(1), powerMw }));
    const charged = exchanges.reduce((sum, { from, to, powerMw }) => sum + powerMw * signed[from]![to]!, 0);
    expect(charged).toBeCloseTo(12.64, 2);
    const { activeMw } = networkLossMw(CASE14, flow);
    const allocated = allocateLosses(signed, exchanges, activeMw);
    expect(allocated.reduce((sum, loss) => sum + loss, 0)).toBeCloseTo(activeMw, 9);
    allocated.forEach((loss, k) => {
      const { from, to, powerMw } = exchanges[k]!;
      expect(loss).toBeCloseTo((powerMw * signed[from]![to]! * activeMw) / charged, 9);
    });
  });

  test('prosumers on one bus pay for the way to it, and the market runs on the table', () => {
    const locations = [
      { bus: bus(9), distanceKm: 1 },
      { bus: bus(9), distanceKm: 0.5 },
      { bus: bus(14), distanceKm: 0 },
    ];
    const rates = networkLoss(CASE14, unsigned, locations, 0.004);
    expect(rates.rate(0, 1)).toBeCloseTo(0.006, 12);
    expect(rates.rate(0, 2)).toBeCloseTo(0.0172 + 0.004, 5);
    expect(rates.rateEdc(1)).toBeCloseTo(0.05778 + 0.002, 5);
    const market = createMarket(
      [
        { productionKwh: 5, consumptionKwh: 0 },
        { productionKwh: 0, consumptionKwh: 2 },
        { productionKwh: 0, consumptionKwh: 2 },
      ],
      rates,
    );
    expect(settleSlot(market).energyTradedKwh).toBeCloseTo(4, 12);
  });
});

test('MARKET_INVALID_INPUT for a network that is not connected or cannot carry its load', () => {
  const without = (index: number): Network => ({
    ...CASE14,
    branches: CASE14.branches.filter((_, l) => l !== index),
  });
  // Branch 7-8 is all that connects bus 8.
  const island = without(13);
  expect(() => networkLossRates(island)).toThrowError(expect.objectContaining({ code: 'MARKET_INVALID_INPUT' }));
  const overloaded: Network = { ...CASE14, buses: CASE14.buses.map((each) => ({ ...each, loadMw: 20 * each.loadMw })) };
  expect(() => networkLossRates(overloaded)).toThrowError(expect.objectContaining({ code: 'MARKET_INVALID_INPUT' }));
});
