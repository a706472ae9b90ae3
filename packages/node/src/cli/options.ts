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

export const runOption = (): Option =>
  new Option('--run <folder>', 'the run folder; its files are the whole state of a run').default('.wattmesh/run');
export const jsonOption = (): Option =>
  new Option('--json', 'one JSON document a line on standard output, for programs');
export const seedOption = (): Option =>
  new Option('--seed <text>', 'decides every random draw: keys, places, households').default('1');
