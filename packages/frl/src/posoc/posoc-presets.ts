import type { ENVIRONMENT_PRESETS } from '../environment/environment-config.ts';
import type { FillRule } from '../market/fill.ts';
import type { ScoreMode } from './proof-score.ts';

/** The settings of PoSOC beyond the EVs' own worlds. Integers, so that they can stand in a genesis. */
export interface PosocPreset {
  readonly environment: keyof typeof ENVIRONMENT_PRESETS;
  readonly fill: FillRule | 'auction';
  readonly scoreMode: ScoreMode;
  /** Memory of the score ledger, ppm; 0 forgets each day. */
  readonly ledgerRhoPpm: bigint;
  /** Miner's share of the others' profits, ppm, and the most that it may be set to. */
  readonly betaPpm: bigint;
  readonly maxBetaPpm: bigint;
}

/** `paper`: the closest workable reading of the text. `sound`: cleared market and a score without phantoms. */
export const POSOC_PRESETS: Readonly<Record<'paper' | 'sound', PosocPreset>> = {
  paper: {
    environment: 'paper',
    fill: 'assumed',
    scoreMode: 'thesis',
    ledgerRhoPpm: 0n,
    betaPpm: 50_000n,
    maxBetaPpm: 1_000_000n,
  },
  sound: {
    environment: 'sound',
    fill: 'pool',
    scoreMode: 'trade',
    ledgerRhoPpm: 900_000n,
    betaPpm: 50_000n,
    maxBetaPpm: 100_000n,
  },
};
