import { InvalidArgumentError, Option } from 'commander';

/** An integer option within bounds; the error names them. */
export function integerBetween(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`Give an integer from ${min} to ${max}.`);
    return value;
  };
}

export const protocolOption = (): Option =>
  new Option('--protocol <name>', 'prosumers that trade (poeg), or EVs that trade and learn (posoc)')
    .choices(['poeg', 'posoc'])
    .default('poeg');
export const presetOption = (): Option =>
  new Option('--preset <name>', 'posoc: physics, market and score as in the thesis, or as recommended')
    .choices(['paper', 'sound'])
    .default('sound');

const RULES = ['mean', 'median', 'trim', 'krum', 'multikrum', 'clip'] as const;
type Rule = { readonly name: (typeof RULES)[number]; readonly f: number };

/** `name` or `name:f`. */
export function aggregationRule(text: string): Rule {
  const [name, f = '0'] = text.split(':');
  const known = RULES.find((rule) => rule === name);
  if (known === undefined || !/^\d{1,3}$/.test(f) || Number(f) > 255)
    throw new InvalidArgumentError(`Give one of ${RULES.join(', ')}, with :f for the attackers that it assumes.`);
  return { name: known, f: Number(f) };
}
export const ruleOption = (): Option =>
  new Option(
    '--rule <name[:f]>',
    'posoc: how updates become a model (default: multikrum, with the most attackers that the number of EVs allows, at most 3)',
  ).argParser(aggregationRule);

/** An address with its port, such as 0.0.0.0:4001. */
export function hostAndPort(text: string): { host: string; port: number } {
  const match = /^([^:]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535)
    throw new InvalidArgumentError('Give an address and a port, such as 0.0.0.0:4001.');
  return { host: match[1] as string, port };
}

export const runOption = (): Option =>
  new Option('--run <folder>', 'the run folder; its files are the whole state of a run').default('.wattmesh/run');
export const jsonOption = (): Option =>
  new Option('--json', 'one JSON document a line on standard output, for programs');
export const seedOption = (): Option =>
  new Option('--seed <text>', 'decides every random draw: keys, places, households').default('1');
