import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import {
  type DataFormat,
  type DataWarning,
  detectFormat,
  type HouseholdSeries,
  type ImportMode,
  type ImportNotes,
  importAusgridAggregate,
  importAusgridHourly,
  importAusgridNeighbourhood,
  importAusgridRaw,
  importOpenDssLoadShapes,
  importOwnCsv,
} from '@wattmesh/data';
import { HomesError } from './errors.ts';
import { importOptions, type Mapping } from './mapping.ts';

export interface HomeFile extends ImportNotes {
  readonly format: DataFormat;
  readonly series: HouseholdSeries;
  readonly warnings: DataWarning[];
}

/** Bytes of a data file; a gzip file is unpacked. @throws HomesError HOMES_FILE_UNREADABLE */
export async function readDataFile(path: string): Promise<Uint8Array> {
  try {
    const bytes = await readFile(path);
    return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new HomesError(
      'HOMES_FILE_UNREADABLE',
      `cannot read ${path}: ${code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'it is a folder' : message}`,
      { cause },
    );
  }
}

/** The format that a file's first lines announce. */
export function formatOf(bytes: Uint8Array): DataFormat {
  return detectFormat(new TextDecoder().decode(bytes.subarray(0, 65_536)).split('\n', 3));
}

/**
 * Reads homes from a file: a published format that is recognised, or a table of one's own with a mapping. `day` dates
 * load shapes, which carry no date.
 * @throws HomesError HOMES_MAPPING_NEEDED, HOMES_MAPPING_UNUSED, HOMES_NOT_HOUSEHOLDS; DataError that names the line
 */
export function readHomes(
  bytes: Uint8Array,
  options: {
    readonly mapping?: Mapping | undefined;
    readonly day?: string | undefined;
    readonly mode?: ImportMode;
  } = {},
): HomeFile {
  const { mapping, day = '1970-01-01', mode = 'strict' } = options;
  const format = formatOf(bytes);
  if (mapping !== undefined) {
    if (format !== 'other-csv' && format !== 'unknown')
      throw new HomesError('HOMES_MAPPING_UNUSED', `the file is ${format}, which needs no mapping; leave it out`);
    return { format, ...importOwnCsv(bytes, { ...importOptions(mapping), mode }) };
  }
  switch (format) {
    case 'ausgrid-raw':
      return { format, ...importAusgridRaw(bytes, { mode }) };
    case 'ausgrid-hourly':
      return { format, ...importAusgridHourly(bytes, { mode }) };
    case 'ausgrid-aggregate':
      return { format, ...importAusgridAggregate(bytes, { mode }) };
    case 'ausgrid-neighbourhood':
      return { format, ...importAusgridNeighbourhood(bytes, { mode }) };
    case 'opendss-load-shapes':
      return { format, ...importOpenDssLoadShapes(bytes, { mode, day }) };
    case 'other-csv':
    case 'unknown':
      throw new HomesError(
        'HOMES_MAPPING_NEEDED',
        'the file is in no known format; say with --mapping what its columns mean (docs/data.md), and see: wattmesh data check FILE',
      );
    default:
      throw new HomesError('HOMES_NOT_HOUSEHOLDS', `the file holds ${format}, not the energy of homes`);
  }
}
