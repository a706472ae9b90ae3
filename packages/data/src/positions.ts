import type { HouseholdSeries, PositionM } from './household-series.ts';
import { randomStream } from './random.ts';

/** Side of the market's square and the place of the energy distribution company in its middle, in metres. */
export const AREA_SIDE_M = 20_000;
export const EDC_POSITION_M: PositionM = { xM: 10_000, yM: 10_000 };

/** Position of one home, uniform on the whole metres of the square; depends on the seed and the home's index only. */
export function drawPosition(seed: string, homeIndex: number): PositionM {
  const stream = randomStream(seed, 'position', homeIndex);
  const draw = () => Math.floor(stream.next() * (AREA_SIDE_M + 1));
  return { xM: draw(), yM: draw() };
}

/** The series with a drawn position for every home that has neither position nor bus, and how many were drawn. */
export function withDrawnPositions(series: HouseholdSeries, seed: string): { series: HouseholdSeries; drawn: number } {
  let drawn = 0;
  const homes = series.homes.map((home, index) => {
    if (home.positionM !== undefined || home.bus !== undefined) return home;
    drawn += 1;
    return { ...home, positionM: drawPosition(seed, index) };
  });
  return { series: { ...series, homes }, drawn };
}
