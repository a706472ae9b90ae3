import type { SlotPrices } from '../environment/tariff.ts';

/** How one EV's slot was filled; kWh are positive, `cashCad` is income. */
export interface FilledSlot {
  readonly v2vKwh: number;
  readonly gridKwh: number;
  readonly cashCad: number;
}

export interface SlotFill {
  readonly buyKwh: number;
  readonly sellKwh: number;
  /** Energy that changed hands between EVs. */
  readonly matchedKwh: number;
  readonly rows: readonly FilledSlot[];
}

/** Rule that turns the metered actions of a lot's slot (kWh, positive buys) into trades. */
export type FillRule = 'assumed' | 'pool';

/**
 * Fills one slot (section 6). `assumed`: everything at pV2V against an unlimited counterparty, for reproducing
 * figures only. `pool`: the short side is filled fully, the long side pro rata, the rest trades with the grid.
 */
export function fillSlot(rule: FillRule, actionKwh: ArrayLike<number>, prices: SlotPrices): SlotFill {
  let buyKwh = 0;
  let sellKwh = 0;
  for (let i = 0; i < actionKwh.length; i++) {
    const action = actionKwh[i] as number;
    if (action > 0) buyKwh += action;
    else sellKwh -= action;
  }
  sellKwh += 0;
  const matchedKwh = Math.min(buyKwh, sellKwh);
  const rows = Array.from(actionKwh, (action): FilledSlot => {
    const amount = Math.abs(action);
    const side = action > 0 ? buyKwh : sellKwh;
    const v2vKwh = amount === 0 ? 0 : rule === 'assumed' ? amount : (matchedKwh * amount) / side;
    const gridKwh = Math.max(0, amount - v2vKwh);
    const cash =
      action > 0 ? -v2vKwh * prices.v2v - gridKwh * prices.gridSell : v2vKwh * prices.v2v + gridKwh * prices.gridBuy;
    return { v2vKwh, gridKwh, cashCad: cash + 0 };
  });
  return { buyKwh, sellKwh, matchedKwh, rows };
}
