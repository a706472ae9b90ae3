import { coalitionValue, optimizeLoss } from './coalition-problem.ts';
import { MarketError } from './errors.ts';
import type { ProsumerMarket } from './prosumer-market.ts';
import type { Rng } from './rng.ts';
import { sampledShapley } from './sampled-shapley.ts';
import { exactShapley } from './shapley.ts';
import { starShapley } from './star-shapley.ts';

/** Up to this many members all subsets are enumerated (section 7). */
export const EXACT_SHAPLEY_MEMBERS = 12;

/**
 * Shapley value of the saving game on `members` (ascending), kWh per entry: closed form for stars, all subsets up to
 * `EXACT_SHAPLEY_MEMBERS`, antithetic sampling with `rng` above.
 *
 * @throws MarketError MARKET_INVALID_INPUT when sampling is needed and no `rng` was given.
 */
export function savingShapley(market: ProsumerMarket, members: readonly number[], rng?: Rng): readonly number[] {
  const star = market.forced ? undefined : starShapley(market.model, members);
  if (star !== undefined) return star;
  const value = (positions: readonly number[]) => {
    const inside = positions.map((position) => members[position]!);
    return market.forced ? optimizeLoss(market.model, inside).value : coalitionValue(market.model, inside);
  };
  if (members.length <= EXACT_SHAPLEY_MEMBERS) return exactShapley(members.length, value);
  if (rng === undefined) {
    throw new MarketError(
      'MARKET_INVALID_INPUT',
      `rng is missing: ${members.length} members need sampling; pass one, or form coalitions of at most ${EXACT_SHAPLEY_MEMBERS}`,
      { field: 'rng', value: 'undefined' },
    );
  }
  return sampledShapley(members.length, value, rng).value;
}
