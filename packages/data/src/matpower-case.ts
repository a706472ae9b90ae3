import { DataError, type DataWarning } from './errors.ts';
import { type DataInput, numberedLines } from './lines.ts';

/** A bus: load in kW and kvar, base voltage in V. */
export interface CaseBus {
  id: number;
  type: number;
  loadKw: number;
  loadKvar: number;
  baseV: number;
}

/** A branch: impedance in per unit, long-term limit in kVA; `limitKva` null where the file has none. */
export interface CaseBranch {
  from: number;
  to: number;
  resistancePu: number;
  reactancePu: number;
  chargingPu: number;
  limitKva: number | null;
  tapRatio: number;
  inService: boolean;
}

/** A network in MATPOWER format, with the reservations under which homes may be put on it. */
export interface NetworkCase {
  name: string;
  baseMva: number;
  buses: CaseBus[];
  branches: CaseBranch[];
  totalLoadKw: number;
  warnings: DataWarning[];
}

interface MatrixRow {
  v: number[];
  line: number;
}

const COLUMNS = { bus: 13, gen: 21, branch: 13 } as const;
/** Above this total load a case is a transmission network, not a neighbourhood. */
const NEIGHBOURHOOD_KW = 10_000;

/**
 * Reads a MATPOWER case file (version 2): `mpc.baseMVA`, `mpc.bus`, `mpc.branch`. Raises DATA_BAD_CASE or DATA_BAD_NUMBER with
 * the line of a row that has the wrong number of columns, is not numeric, names an unknown bus, or of a matrix left open.
 * Warns when no branch has a limit, no bus a base voltage, or the load is that of a transmission network.
 */
export function importMatpowerCase(input: DataInput): NetworkCase {
  let name = '';
  let baseMva = Number.NaN;
  let matrix: { kind: keyof typeof COLUMNS | 'other'; line: number } | null = null;
  const rows: Record<keyof typeof COLUMNS, MatrixRow[]> = { bus: [], gen: [], branch: [] };
  let lastLine = 0;
  for (const { text, line } of numberedLines(input)) {
    lastLine = line;
    const code = (text.split('%')[0] ?? '').trim();
    if (code === '') continue;
    if (matrix === null) {
      name = /^function\s+mpc\s*=\s*(\w+)/.exec(code)?.[1] ?? name;
      const base = /^mpc\.baseMVA\s*=\s*([^;]+);/.exec(code)?.[1];
      if (base !== undefined) baseMva = number(base.trim(), line);
      const opened = /^mpc\.(\w+)\s*=\s*\[\s*$/.exec(code)?.[1];
      if (opened !== undefined) matrix = { kind: opened in COLUMNS ? (opened as 'bus') : 'other', line };
      continue;
    }
    if (code.startsWith(']')) {
      matrix = null;
      continue;
    }
    if (matrix.kind === 'other') continue;
    if (!code.endsWith(';')) throw new DataError('DATA_BAD_CASE', line, 'a matrix row must end with a semicolon');
    const v = code
      .slice(0, -1)
      .trim()
      .split(/[\s,]+/)
      .map((field) => number(field, line));
    if (v.length !== COLUMNS[matrix.kind]) {
      const reason = `${v.length} columns, a row of mpc.${matrix.kind} has ${COLUMNS[matrix.kind]}`;
      throw new DataError('DATA_BAD_CASE', line, reason);
    }
    rows[matrix.kind].push({ v, line });
  }
  if (matrix !== null)
    throw new DataError('DATA_TRUNCATED', lastLine, `the matrix opened at line ${matrix.line} is not closed`);
  if (!(baseMva > 0) || rows.bus.length === 0 || rows.branch.length === 0) {
    throw new DataError('DATA_BAD_CASE', lastLine, 'the file ends without mpc.baseMVA, mpc.bus and mpc.branch');
  }
  const buses = rows.bus.map(({ v, line }) => readBus(v, line));
  const known = new Set(buses.map((bus) => bus.id));
  if (known.size !== buses.length)
    throw new DataError('DATA_DUPLICATE', rows.bus[0]?.line ?? 0, 'a bus number appears twice');
  const branches = rows.branch.map(({ v, line }) => readBranch(v, line, known));
  const totalLoadKw = buses.reduce((sum, bus) => sum + bus.loadKw, 0);
  return { name, baseMva, buses, branches, totalLoadKw, warnings: caseWarnings(buses, branches, totalLoadKw) };
}

/**
 * How many homes of `kwPerHome` a bus's load stands for, rounded; the scale must be stated since the file has none.
 * Raises DATA_SCALE_NOT_STATED when it is not a positive number.
 */
export function homesPerBus(network: NetworkCase, kwPerHome: number | undefined): Map<number, number> {
  if (kwPerHome === undefined || !(kwPerHome > 0) || !Number.isFinite(kwPerHome)) {
    const reason = `state how many kW one home stands for: ${network.name} has ${network.totalLoadKw} kW of load and no homes`;
    throw new DataError('DATA_SCALE_NOT_STATED', 0, reason);
  }
  return new Map(network.buses.map((bus) => [bus.id, Math.round(bus.loadKw / kwPerHome)]));
}

function number(text: string, line: number): number {
  const value = text === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) throw new DataError('DATA_BAD_NUMBER', line, `'${text.slice(0, 24)}' is not a number`);
  return value;
}

function readBus(v: number[], line: number): CaseBus {
  const [id = 0, type = 0, loadMw = 0, loadMvar = 0] = v;
  if (!Number.isInteger(id) || id < 1)
    throw new DataError('DATA_BAD_ID', line, `bus number ${id} is not a positive integer`);
  return { id, type, loadKw: loadMw * 1000, loadKvar: loadMvar * 1000, baseV: (v[9] ?? 0) * 1000 };
}

function readBranch(v: number[], line: number, known: ReadonlySet<number>): CaseBranch {
  const [from = 0, to = 0, resistancePu = 0, reactancePu = 0, chargingPu = 0, rateA = 0] = v;
  if (!known.has(from) || !known.has(to))
    throw new DataError('DATA_BAD_CASE', line, `branch ${from}-${to} names an unknown bus`);
  const limitKva = rateA > 0 ? rateA * 1000 : null;
  const tapRatio = (v[8] ?? 0) === 0 ? 1 : (v[8] ?? 1);
  return { from, to, resistancePu, reactancePu, chargingPu, limitKva, tapRatio, inService: v[10] === 1 };
}

function caseWarnings(buses: CaseBus[], branches: CaseBranch[], totalLoadKw: number): DataWarning[] {
  const warnings: DataWarning[] = [];
  const unlimited = branches.filter((branch) => branch.limitKva === null).length;
  if (unlimited > 0) {
    const message = `${unlimited} of ${branches.length} branches have no limit (rateA = 0): state any limit that you add`;
    warnings.push({ code: 'DATA_NO_BRANCH_LIMITS', line: 0, count: unlimited, message });
  }
  const unbased = buses.filter((bus) => bus.baseV === 0).length;
  if (unbased > 0) {
    const message = `${unbased} of ${buses.length} buses have no base voltage: only per-unit results are possible`;
    warnings.push({ code: 'DATA_NO_BASE_VOLTAGE', line: 0, count: unbased, message });
  }
  if (totalLoadKw > NEIGHBOURHOOD_KW) {
    const message = `${Math.round(totalLoadKw)} kW of load is a transmission network: state how many homes a bus stands for`;
    warnings.push({ code: 'DATA_TRANSMISSION_SCALE', line: 0, count: 1, message });
  }
  return warnings;
}
