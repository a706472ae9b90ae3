import { layoutOf, type PosocParameters } from '@wattmesh/consensus';
import {
  createEvaluation,
  createLearnedPolicy,
  decodeModel,
  type Evaluation,
  TypedArrayActorCritic,
} from '@wattmesh/frl';
import { type EvProfileInput, environmentOf, evProfileSchema } from '../ev/ev-profile.ts';

/** How good the global model is for a group of EVs, on days that nobody trains on. */
export interface ModelGain {
  readonly group: string;
  /** Share of what the oracle gains over doing nothing, of the shaped return that EVs are trained on. */
  readonly shapedGain: number;
  /** The same of the objective in money. */
  readonly objectiveGain: number;
}

/** Measures models on one fixed set of days for each group. */
export class ModelGains {
  readonly #evaluations: readonly { readonly group: string; readonly evaluation: Evaluation }[];
  readonly #parameters: PosocParameters;

  constructor(parameters: PosocParameters, profiles: readonly EvProfileInput[], days: number) {
    this.#parameters = parameters;
    const groups = new Map(profiles.map((profile) => [profile.group ?? '', profile]));
    this.#evaluations = [...groups].map(([group, profile]) => ({
      group,
      evaluation: createEvaluation(environmentOf(parameters, evProfileSchema.parse(profile)), {
        days,
        seed: `evaluation/${group}`,
      }),
    }));
  }

  /** Objective gain of a policy that is perfect in the shaped return: what EVs that train on it can hope for in money. */
  attainable(): readonly { readonly group: string; readonly objectiveGain: number }[] {
    return this.#evaluations.map(({ group, evaluation }) => ({
      group,
      objectiveGain: evaluation.objectiveGainOfShapedOptimum,
    }));
  }

  /** `model` as safetensors. @throws FrlError when it is none of this chain. */
  of(model: Uint8Array): readonly ModelGain[] {
    const layout = layoutOf(this.#parameters.learning);
    const policy = createLearnedPolicy(new TypedArrayActorCritic(layout), decodeModel(layout, model));
    return this.#evaluations.map(({ group, evaluation }) => {
      const { shapedGain, objectiveGain } = evaluation.evaluate(policy);
      return { group, shapedGain, objectiveGain };
    });
  }
}
