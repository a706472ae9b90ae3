import { Command, InvalidArgumentError, Option } from 'commander';
import { commitOf, hostFacts } from '../../bench/host.ts';
import { type EvaluateOptions, type EvaluationReport, evaluatePolicies, POLICIES } from '../../learning/evaluate.ts';
import { EVALUATION_SEED } from '../../learning/settings.ts';
import { integerBetween, jsonOption } from '../options.ts';
import { print, printJson, printTable } from '../output.ts';

type CommandOptions = Omit<EvaluateOptions, 'what' | 'rangeAnxietyCad'> & {
  readonly eta: number;
  readonly json?: boolean;
};

export function evaluateCommand(): Command {
  return new Command('evaluate')
    .description('Measure trained models and fixed policies on the same days, against perfect hindsight.')
    .argument('<what...>', `models (safetensors of wattmesh train) and policies: ${POLICIES.join(', ')}`)
    .addOption(
      new Option(
        '--preset <name>',
        "physics as in the thesis, or with losses and wear (default: the first model's, else sound)",
      ).choices(['paper', 'sound']),
    )
    .addOption(new Option('--calendar <name>', "the tariff's hours").choices(['winter', 'summer']).default('winter'))
    .addOption(
      new Option('--prices <law>', 'normal or uniform within three standard deviations')
        .choices(['ND', 'UD'])
        .default('ND'),
    )
    .option('--eta <cad>', 'range anxiety: CAD per squared fraction missing at departure', notNegative, 10)
    .option('--days <n>', 'days to play', integerBetween(1, 100_000), 200)
    .option('--seed <text>', 'decides the days', EVALUATION_SEED)
    .option('--sessions <file>', 'stays from measured charging sessions (ACN)')
    .option('--zone <name>', "the sessions' time zone", 'America/Los_Angeles')
    .option('--rates <file>', 'prices from published time-of-use rates (OEB)')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Gains are shares of what the best policy in hindsight gains over doing nothing: of the shaped return (cash weighed with delta)
and of U (cash less range anxiety and wear). Money is CAD and energy kWh, for a day of one EV. "settled" counts what is left
in the battery at the off-peak price.

Without files the days are those on which wattmesh train measures. A file of sessions gives the hours of stays; the charge on
arrival is drawn. See what is in a file with: wattmesh data check FILE

Examples:
  wattmesh evaluate rule idle random uncontrolled oracle --preset paper
  wattmesh evaluate federated/model.safetensors rule --days 1000
  wattmesh evaluate federated/model.safetensors rule --sessions sessions.csv --rates rates.json --json`,
    )
    .action(async (what: string[], options: CommandOptions) => {
      const { json, eta, ...same } = options;
      const report = await evaluatePolicies({ ...same, what, rangeAnxietyCad: eta });
      if (json) {
        // Settings, but no folders of this machine.
        const { sessions: _, rates: __, ...config } = same;
        const commit = await commitOf(import.meta.dirname);
        printJson({ seed: options.seed, config: { ...config, eta }, commit, host: hostFacts(), ...report });
      } else show(report, options);
    });
}

function show(
  { preset, days, policies, remarks }: EvaluationReport,
  { calendar, prices, eta, seed }: CommandOptions,
): void {
  print(`${days} days, preset ${preset}, ${calendar} hours, prices ${prices}, eta ${eta} CAD, seed ${seed}`);
  for (const remark of remarks) print(`note: ${remark}`);
  print();
  const right = (title: string) => ({ title, align: 'right' as const });
  printTable(
    [
      { title: 'policy' },
      right('shaped gain %'),
      right('U gain %'),
      right('U'),
      right('cash'),
      right('settled'),
      right('wear'),
      right('SOC end'),
      right('bought'),
      right('sold'),
      right('cycles'),
      right('satisfied %'),
    ],
    policies.map(({ policy, shapedGain, objectiveGain, means }) => [
      policy,
      (100 * shapedGain).toFixed(1),
      (100 * objectiveGain).toFixed(1),
      means.objective.toFixed(3),
      means.cash.toFixed(3),
      means.settled.toFixed(3),
      means.degradation.toFixed(3),
      means.socEnd.toFixed(3),
      means.boughtKwh.toFixed(1),
      means.soldKwh.toFixed(1),
      means.equivalentFullCycles.toFixed(2),
      (100 * means.satisfaction).toFixed(1),
    ]),
  );
  for (const { policy, modelHash } of policies) if (modelHash !== null) print(`\n${policy}: model ${modelHash}`);
}

function notNegative(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError('Give a number, 0 or more.');
  return value;
}
