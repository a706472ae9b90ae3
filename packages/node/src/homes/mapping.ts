import type { OwnCsvOptions } from '@wattmesh/data';
import { z } from 'zod';
import { readJson } from '../config/node-config.ts';

const column = z.string().min(1);
const energySchema = z.union([
  z.strictObject({
    loadColumn: column.describe('energy that the home consumes'),
    pvColumn: column.optional().describe('energy that it produces; none when left out'),
  }),
  z.strictObject({ netColumn: column.describe('production less consumption: export is positive') }),
]);
const placeKm = z.number().min(0).max(20);

/**
 * What the columns of somebody's own CSV mean. `long` has a row for each home and interval, `wide` a row for each interval.
 * docs/data.md shows one of each.
 */
export const mappingSchema = z.strictObject({
  timeColumn: column,
  timeMeans: z.enum(['start', 'end']).describe('whether a time is the start or the end of its interval'),
  unit: z.enum(['kWh', 'Wh', 'kW', 'W']).describe('kW and W are means over the interval'),
  zone: z.string().min(1).describe('UTC, an offset such as -05:00, or a name such as America/Toronto'),
  layout: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('long'),
      homeColumn: column,
      energy: energySchema,
      positionColumns: z.strictObject({ xKm: column, yKm: column }).optional(),
      busColumn: column.optional(),
    }),
    z.strictObject({
      kind: z.literal('wide'),
      homes: z
        .array(
          z.strictObject({
            id: z.string().min(1),
            energy: energySchema,
            positionKm: z.strictObject({ x: placeKm, y: placeKm }).optional(),
            bus: z.string().min(1).optional(),
          }),
        )
        .min(1),
    }),
  ]),
  slotMinutes: z.int().min(1).max(1_440).optional().describe('the distance of the first two rows when left out'),
  dateOrder: z.enum(['iso', 'd/m/y', 'm/d/y']).optional(),
  delimiter: z.enum([',', ';', '\t']).optional(),
});
export type Mapping = z.infer<typeof mappingSchema>;

/** @throws ConfigError */
export async function readMapping(path: string): Promise<Mapping> {
  return readJson(path, 'mapping', mappingSchema);
}

/** The mapping as the importer takes it: positions in metres. */
export function importOptions({ layout, ...rest }: Mapping): OwnCsvOptions {
  if (layout.kind === 'long') return { ...rest, layout } as OwnCsvOptions;
  const homes = layout.homes.map(({ positionKm, ...home }) => ({
    ...home,
    ...(positionKm && { positionM: { xM: Math.round(positionKm.x * 1_000), yM: Math.round(positionKm.y * 1_000) } }),
  }));
  return { ...rest, layout: { kind: 'wide', homes } } as OwnCsvOptions;
}
