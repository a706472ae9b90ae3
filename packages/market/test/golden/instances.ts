import golden from './prosumer-poeg.json' with { type: 'json' };

export interface GoldenTrade {
  readonly seller: number;
  readonly buyer: number;
  readonly kwh: number;
}

/** Expected results of one loss-charging mode; kWh, price 1 per kWh, delta 0.1. */
export interface GoldenMode {
  readonly initialPartition: readonly (readonly number[])[];
  readonly rounds: number;
  readonly merges: number;
  readonly splits: number;
  readonly finalPartition: readonly (readonly number[])[];
  readonly trades: readonly GoldenTrade[];
  readonly saving: readonly number[];
  readonly lossAlone: readonly number[];
  readonly lossInCoalition: readonly number[];
  readonly proofScore: readonly number[];
  readonly coalitionValue: readonly number[];
  readonly coalitionProofScore: readonly number[];
  readonly wrsProbability: readonly (number | null)[];
  readonly highestScoreCoalition: number;
  readonly miningReward: number;
  readonly shapleySavingWinner: readonly number[];
  readonly shapleyProofScoreWinner: readonly number[];
  readonly rewardShare: readonly number[];
  readonly payoffFeeDeducted: readonly number[];
  readonly payoffLiteral322: readonly number[];
  readonly savingPerKwh: {
    readonly sellers: readonly number[];
    readonly buyers: readonly number[];
    readonly matrix: readonly (readonly number[])[];
  };
  readonly grand: {
    readonly value: number;
    readonly trades: readonly GoldenTrade[];
    readonly saving: readonly number[];
    readonly shapley: readonly number[];
    readonly coreByDuals: readonly number[];
  };
  readonly physicalLossAlone: number;
  readonly physicalSaving: number;
}

export interface GoldenInstance {
  readonly name: string;
  readonly k: number;
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly P: readonly number[];
  readonly C: readonly number[];
  readonly E: readonly number[];
  readonly rateEDC: readonly number[];
  readonly rateMatrix: readonly (readonly number[])[];
  readonly singletonScore: readonly number[];
  readonly lossAlone: readonly number[];
  readonly half: GoldenMode;
  readonly full: GoldenMode;
}

export const GOLDEN_INSTANCES: readonly GoldenInstance[] = golden.instances;
export const LOSS_CHARGES = ['half', 'full'] as const;

/** Every instance in every loss-charging mode. */
export const GOLDEN_CASES = GOLDEN_INSTANCES.flatMap((instance) =>
  LOSS_CHARGES.map((lossCharge) => ({
    name: `${instance.name} ${lossCharge}`,
    instance,
    lossCharge,
    expected: instance[lossCharge],
  })),
);
