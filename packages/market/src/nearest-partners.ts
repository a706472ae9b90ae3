import type { Position } from './loss-rate.ts';

/** Prosumers per cell of the grid that neighbours are looked up in. */
const PROSUMERS_PER_CELL = 4;

/**
 * Arcs between each prosumer and its `count` nearest of the opposite type, for large slots (section 10): pass the
 * result as `isArc`. An arc counts when either end has it among its nearest. `balanceKwh` tells sellers (positive)
 * from buyers.
 */
export function nearestPartnerArcs(
  positions: readonly Position[],
  balanceKwh: readonly number[],
  count = 8,
): (seller: number, buyer: number) => boolean {
  const arcs = new Set<number>();
  const size = positions.length;
  const sellers = positions.map((_, i) => i).filter((i) => balanceKwh[i]! > 0);
  const buyers = positions.map((_, i) => i).filter((i) => balanceKwh[i]! < 0);
  const nearBuyers = nearestIn(positions, buyers, count);
  for (const seller of sellers) for (const buyer of nearBuyers(seller)) arcs.add(seller * size + buyer);
  const nearSellers = nearestIn(positions, sellers, count);
  for (const buyer of buyers) for (const seller of nearSellers(buyer)) arcs.add(seller * size + buyer);
  return (seller, buyer) => arcs.has(seller * size + buyer);
}

/** Looks up the `count` nearest of `candidates` (ties to the lower index) in rings of cells around a prosumer. */
function nearestIn(
  positions: readonly Position[],
  candidates: readonly number[],
  count: number,
): (i: number) => readonly number[] {
  const bounds = extent(positions);
  const side = Math.max(bounds.width, bounds.height, Number.MIN_VALUE);
  const cellsPerSide = Math.max(1, Math.floor(Math.sqrt(candidates.length / PROSUMERS_PER_CELL)));
  const cellOf = (offset: number) => Math.min(cellsPerSide - 1, Math.floor((offset / side) * cellsPerSide));
  const place = (i: number) => ({
    column: cellOf(positions[i]!.xKm - bounds.left),
    row: cellOf(positions[i]!.yKm - bounds.bottom),
  });
  const cells = Array.from({ length: cellsPerSide * cellsPerSide }, () => [] as number[]);
  for (const i of candidates) {
    const { column, row } = place(i);
    cells[row * cellsPerSide + column]!.push(i);
  }
  return (i) => {
    const from = positions[i]!;
    const distance = (j: number) => Math.hypot(positions[j]!.xKm - from.xKm, positions[j]!.yKm - from.yKm);
    const { column, row } = place(i);
    let found: { readonly j: number; readonly km: number }[] = [];
    for (let ring = 0; ring < cellsPerSide; ring++) {
      for (let y = row - ring; y <= row + ring; y++) {
        for (let x = column - ring; x <= column + ring; x++) {
          const isOnRing = Math.abs(y - row) === ring || Math.abs(x - column) === ring;
          if (!isOnRing || x < 0 || y < 0 || x >= cellsPerSide || y >= cellsPerSide) continue;
          for (const j of cells[y * cellsPerSide + x]!) found.push({ j, km: distance(j) });
        }
      }
      found = found.sort((a, b) => a.km - b.km || a.j - b.j).slice(0, count);
      // Whatever lies outside the rings seen so far is at least `ring` cell widths away.
      if (found.length === count && found.at(-1)!.km <= (ring * side) / cellsPerSide) break;
    }
    return found.map(({ j }) => j);
  };
}

function extent(positions: readonly Position[]) {
  let [left, right, bottom, top] = [
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ];
  for (const { xKm, yKm } of positions) {
    left = Math.min(left, xKm);
    right = Math.max(right, xKm);
    bottom = Math.min(bottom, yKm);
    top = Math.max(top, yKm);
  }
  return { left, bottom, width: right - left, height: top - bottom };
}
