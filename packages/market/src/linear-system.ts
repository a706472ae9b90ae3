import { MarketError } from './errors.ts';

/**
 * Solves `matrix * x = right` by Gaussian elimination with partial pivoting.
 *
 * @throws MarketError MARKET_INVALID_INPUT when the matrix is singular, for a network: when it is not connected.
 */
export function solveLinearSystem(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const size = right.length;
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column + 1; row < size; row++) {
      if (Math.abs(rows[row]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = row;
    }
    if (!(Math.abs(rows[pivot]![column]!) > 1e-12)) {
      throw new MarketError(
        'MARKET_INVALID_INPUT',
        `network equations are singular in column ${column}: is it connected?`,
        {
          field: 'network',
          index: column,
        },
      );
    }
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    for (let row = column + 1; row < size; row++) {
      const factor = rows[row]![column]! / rows[column]![column]!;
      if (factor === 0) continue;
      for (let k = column; k <= size; k++) rows[row]![k]! -= factor * rows[column]![k]!;
    }
  }
  const solution = new Array<number>(size).fill(0);
  for (let row = size - 1; row >= 0; row--) {
    let sum = rows[row]![size]!;
    for (let k = row + 1; k < size; k++) sum -= rows[row]![k]! * solution[k]!;
    solution[row] = sum / rows[row]![row]!;
  }
  return solution;
}
