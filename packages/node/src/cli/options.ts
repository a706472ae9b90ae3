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
