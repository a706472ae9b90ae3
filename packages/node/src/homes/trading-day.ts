import {
  type DataWarning,
  formatMinute,
  type HomeSeries,
  type HouseholdSeries,
  selectDay,
  slotWallMinute,
  toElapsed,
  withDrawnPositions,
} from '@wattmesh/data';
import { CASE14, type LossRates, networkLoss, networkLossRates } from '@wattmesh/market';
import type { Household } from '../household/household.ts';
import {
  DEFAULT_MARKET,
  type NetworkPlan,
  type PositionKm,
  type ProvisionedNetwork,
  provisionNetwork,
} from '../provision/network.ts';
import { HomesError } from './errors.ts';

const SLOT_MINUTES = 60;
/** As many as a demo runs as processes, and as the chain was tried with. */
export const MAX_HOMES = 64;

export interface TradingHome {
  readonly id: string;
  readonly household: Household;
  /** Drawn from the seed unless the file has one; without meaning when the home stands on a bus. */
  readonly position: PositionKm;
  readonly bus: string | null;
}

/** One day of real homes, ready to be traded in hourly slots. */
export interface TradingDay {
  readonly day: string;
  readonly seed: string;
  readonly homes: readonly TradingHome[];
  /** Local time at which each slot begins, `HH:MM`. */
  readonly hours: readonly string[];
  /** Rates of the IEEE 14-bus network when the homes stand on its buses; else they follow from positions. */
  readonly lossRates: LossRates | null;
  /** What was assumed or drawn, in words. */
  readonly remarks: readonly string[];
}

/**
 * Takes one local day out of a series. Shorter intervals are added up to hours; on the days of a clock change there are 23
 * or 25 slots. Homes without a place get one drawn from the seed by their index in the file, whichever are chosen.
 * @throws HomesError; DataError DATA_DAY_NOT_COVERED, DATA_BAD_DATE, DATA_INCONSISTENT
 */
export function tradingDay(
  series: HouseholdSeries,
  options: {
    readonly day: string;
    readonly seed: string;
    readonly homes?: readonly string[] | undefined;
    readonly warnings?: readonly DataWarning[];
  },
): TradingDay {
  const { day, seed, homes: ids, warnings = [] } = options;
  const placed = withDrawnPositions(series, seed).series;
  const without = new Set(
    series.homes.filter((home) => home.positionM === undefined && home.bus === undefined).map(({ id }) => id),
  );
  const chosen = choose(placed.homes, ids);
  const onDay = hourly(selectDay(toElapsed({ ...placed, homes: chosen }), day));
  const gap = onDay.notes.find(({ kind }) => kind === 'missing');
  if (gap !== undefined)
    throw new HomesError(
      'HOMES_INCOMPLETE_DAY',
      `nobody measured ${gap.slotCount} interval(s) of ${day}${gap.homeId === null ? '' : ` at home ${gap.homeId}`}; choose another day`,
    );
  const lossRates = busRates(onDay.homes);
  const drawn = onDay.homes.filter(({ id }) => without.has(id)).length;
  const remarks = [
    ...(drawn > 0 && lossRates === null
      ? [`${drawn} of ${onDay.homes.length} homes have no position in the file: drawn from seed ${seed}`]
      : []),
    ...(lossRates === null ? [] : ['loss rates are those of the IEEE 14-bus network between the buses of the homes']),
    ...(series.slotMinutes < SLOT_MINUTES ? [`intervals of ${series.slotMinutes} min are added up to hours`] : []),
    ...(onDay.slotCount === 24 ? [] : [`the clock changes on ${day}: ${onDay.slotCount} hours`]),
    ...(series.measured === 'net'
      ? ['only the balance is known: net import counts as load, net export as production']
      : []),
    ...warnings
      .filter(
        ({ code }) => !['DATA_NO_POSITIONS', 'DATA_NET_ONLY', 'DATA_CLOCK_FORWARD', 'DATA_CLOCK_BACK'].includes(code),
      )
      .map(({ code, message }) => `${code}: ${message}`),
  ];
  return {
    day,
    seed,
    homes: onDay.homes.map((home) => ({
      id: home.id,
      household: {
        name: `home ${home.id}`,
        intervals: Array.from(home.loadWh, (consumptionWh, slot) => ({
          productionWh: home.pvWh[slot] ?? 0,
          consumptionWh,
        })),
      },
      position: { x: (home.positionM?.xM ?? 10_000) / 1_000, y: (home.positionM?.yM ?? 10_000) / 1_000 },
      bus: home.bus ?? null,
    })),
    hours: Array.from({ length: onDay.slotCount }, (_, slot) => formatMinute(slotWallMinute(onDay, slot)).slice(11)),
    lossRates,
    remarks,
  };
}

/** Keys and genesis of a network whose members are the homes of the day, in the order of the file. */
export function provisionDay(
  { day, seed, homes, lossRates }: TradingDay,
  clock: { readonly slotMs: number; readonly genesisTimeMs: number },
): ProvisionedNetwork {
  const plan: NetworkPlan = {
    name: `wattmesh ${homes.length} homes ${day}`,
    seed,
    genesisTimeMs: clock.genesisTimeMs,
    households: homes.map(({ household, position }) => ({ household, position })),
    slot: { lengthMs: clock.slotMs, clock: 'ready', simulatedHours: 1, slotsPerTerm: 1 },
    market: DEFAULT_MARKET,
    ...(lossRates === null ? {} : { lossRates }),
  };
  return provisionNetwork(plan);
}

function choose(homes: readonly HomeSeries[], ids: readonly string[] | undefined): HomeSeries[] {
  const chosen = ids?.map((id) => {
    const home = homes.find((one) => one.id === id);
    if (home !== undefined) return home;
    const known = homes.slice(0, 20).map((one) => one.id);
    throw new HomesError(
      'HOMES_UNKNOWN_HOME',
      `the file has no home ${id}; it has ${known.join(', ')}${homes.length > known.length ? ', ...' : ''}`,
    );
  });
  const result = [...new Set(chosen ?? homes)];
  if (result.length < 2 || result.length > MAX_HOMES)
    throw new HomesError(
      'HOMES_WRONG_NUMBER',
      `a market has 2 to ${MAX_HOMES} homes, ${ids === undefined ? 'the file has' : 'you chose'} ${result.length}; choose some with --homes`,
    );
  return result;
}

function hourly(series: HouseholdSeries): HouseholdSeries {
  const { slotMinutes, slotCount } = series;
  if (slotMinutes === SLOT_MINUTES) return series;
  const together = SLOT_MINUTES / slotMinutes;
  if (!Number.isInteger(together))
    throw new HomesError('HOMES_BAD_INTERVAL', `intervals of ${slotMinutes} min cannot be added up to hours`);
  const sum = (values: Int32Array): Int32Array =>
    Int32Array.from({ length: slotCount / together }, (_, hour) =>
      values.subarray(hour * together, (hour + 1) * together).reduce((total, value) => total + value, 0),
    );
  return {
    ...series,
    slotMinutes: SLOT_MINUTES,
    slotCount: slotCount / together,
    homes: series.homes.map((home) => ({ ...home, loadWh: sum(home.loadWh), pvWh: sum(home.pvWh) })),
  };
}

function busRates(homes: readonly HomeSeries[]): LossRates | null {
  if (homes.every(({ bus }) => bus === undefined)) return null;
  const locations = homes.map(({ id, bus, positionM }) => {
    const place = CASE14.buses.findIndex(({ number }) => String(number) === bus);
    if (bus === undefined)
      throw new HomesError(
        'HOMES_BAD_PLACE',
        `home ${id} has no bus, others have one; give all of them a bus, or none`,
      );
    if (place < 0)
      throw new HomesError('HOMES_BAD_PLACE', `home ${id} stands on bus ${bus}; the IEEE 14-bus network has 1 to 14`);
    if (positionM !== undefined)
      throw new HomesError('HOMES_BAD_PLACE', `home ${id} has a bus and a position; map one of them`);
    return { bus: place, distanceKm: DISTANCE_TO_BUS_KM };
  });
  return networkLoss(CASE14, networkLossRates(CASE14), locations);
}

/** So that two homes on one bus do not trade for nothing. */
const DISTANCE_TO_BUS_KM = 0.5;
