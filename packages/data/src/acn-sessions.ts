import { parseTime } from './civil-time.ts';
import { DataError } from './errors.ts';
import { type ImportNotes, type ImportOptions, ImportReport } from './import-report.ts';
import { type DataInput, numberedLines, splitFields } from './lines.ts';
import { scaleDecimal, whScale } from './quantity.ts';

/** What reading ACN sessions gives. */
export type AcnImport = ImportNotes & ChargingSessions;

const HEADER = [
  'arrival',
  'departure',
  'requested_energy (kWh)',
  'delivered_energy (kWh)',
  'station_id',
  'session_id',
  'estimated_departure',
  'claimed',
];
const KWH = whScale('kWh', 60);
const DAY_S = 86_400;
/** Mean power above which a session on a workplace's alternating-current charger is doubted. */
const SUSPICIOUS_CHARGE_W = 22_000;

/** One charging session; times in UTC seconds since 1970-01-01, energies in Wh. */
export interface ChargingSession {
  sessionId: string;
  stationId: string;
  arrivalS: number;
  departureS: number;
  estimatedDepartureS: number | null;
  requestedWh: number;
  deliveredWh: number;
  /** Whether the driver identified themself (and so stated a request). */
  claimed: boolean;
}

/** Sessions in order of arrival. The chargers only charge: every discharge made from them is modelled, not measured. */
export interface ChargingSessions {
  direction: 'chargeOnly';
  sessions: ChargingSession[];
  /** Sessions of more than 24 hours, by index: a one-day episode cannot hold them. */
  longStays: number[];
}

/**
 * Reads ACN charging sessions (CSV text, already decompressed). Sessions must be in order of arrival with unique ids, depart
 * after they arrive, and carry time stamps with an offset. A file cut between two rows cannot be told from a shorter file.
 */
export function importAcnSessions(input: DataInput, options: ImportOptions = {}): AcnImport {
  const report = new ImportReport(options);
  const sessions: ChargingSession[] = [];
  const longStays: number[] = [];
  const ids = new Set<string>();
  let headed = false;
  for (const line of numberedLines(input)) {
    if (!headed) {
      const fields = splitFields(line.text, line.line);
      const wrong = HEADER.findIndex((name, i) => fields[i] !== name);
      if (wrong >= 0 || fields.length !== HEADER.length) {
        const reason = `column ${wrong + 1} is '${fields[wrong] ?? 'missing'}', expected '${HEADER[wrong] ?? 'nothing more'}'`;
        throw new DataError('DATA_HEADER_MISMATCH', line.line, reason);
      }
      headed = true;
      continue;
    }
    if (report.refuseCut(line, options)) continue;
    report.attempt(() => {
      const session = readSession(splitFields(line.text, line.line), line.line);
      if (ids.has(session.sessionId)) {
        throw new DataError('DATA_DUPLICATE', line.line, `session ${session.sessionId} was already read`);
      }
      const previous = sessions.at(-1);
      if (previous !== undefined && session.arrivalS < previous.arrivalS) {
        throw new DataError('DATA_OUT_OF_ORDER', line.line, 'this arrival is earlier than the one before it');
      }
      warnOfSession(session, line.line, report);
      if (session.departureS - session.arrivalS > DAY_S) longStays.push(sessions.length);
      ids.add(session.sessionId);
      sessions.push(session);
    });
  }
  report.requireRows();
  report.warn('DATA_ONE_DIRECTIONAL', 0, 'these chargers only charge: discharging is modelled, not measured');
  return { ...report.notes(), direction: 'chargeOnly', sessions, longStays };
}

function readSession(fields: string[], line: number): ChargingSession {
  if (fields.length !== HEADER.length) {
    throw new DataError('DATA_COLUMN_COUNT', line, `${fields.length} columns, a session has ${HEADER.length}`);
  }
  const [
    arrival = '',
    departure = '',
    requested = '',
    delivered = '',
    stationId = '',
    sessionId = '',
    estimate = '',
    claimed,
  ] = fields;
  if (stationId === '' || sessionId === '') throw new DataError('DATA_BAD_ID', line, 'station or session id is empty');
  if (claimed !== 'True' && claimed !== 'False') {
    throw new DataError('DATA_BAD_SESSION', line, `claimed is '${claimed}', expected True or False`);
  }
  const arrivalS = utcSecond(arrival, line);
  const departureS = utcSecond(departure, line);
  if (departureS <= arrivalS) throw new DataError('DATA_BAD_SESSION', line, 'departure is not after arrival');
  const [requestedWh, deliveredWh] = [
    scaleDecimal(requested, KWH, { line, field: 'requested_energy' }).value,
    scaleDecimal(delivered, KWH, { line, field: 'delivered_energy' }).value,
  ];
  if (requestedWh < 0 || deliveredWh < 0) throw new DataError('DATA_NEGATIVE_ENERGY', line, 'an energy is negative');
  return {
    sessionId,
    stationId,
    arrivalS,
    departureS,
    estimatedDepartureS: estimate === '' ? null : utcSecond(estimate, line),
    requestedWh,
    deliveredWh,
    claimed: claimed === 'True',
  };
}

function utcSecond(text: string, line: number): number {
  const { second, offsetMinutes } = parseTime(text, 'iso', line);
  if (offsetMinutes === null) throw new DataError('DATA_BAD_DATE', line, `'${text}' has no offset from UTC`);
  return second - offsetMinutes * 60;
}

function warnOfSession(session: ChargingSession, line: number, report: ImportReport): void {
  const staySeconds = session.departureS - session.arrivalS;
  if (staySeconds > DAY_S)
    report.warn('DATA_LONG_STAY', line, 'stays of more than 24 h do not fit into a one-day episode');
  if (session.deliveredWh > session.requestedWh) {
    report.warn('DATA_DELIVERED_ABOVE_REQUEST', line, 'more was delivered than the driver asked for');
  }
  if ((session.deliveredWh * 3600) / staySeconds > SUSPICIOUS_CHARGE_W) {
    report.warn('DATA_SUSPECT_UNIT', line, `a mean of more than ${SUSPICIOUS_CHARGE_W} W: are the energies in kWh?`);
  }
}
