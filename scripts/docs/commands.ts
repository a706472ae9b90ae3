/** A line of a marked ```sh block, joined where it went on with a backslash. */
export interface DocumentedCommand {
  readonly line: number;
  readonly text: string;
}

/** What a command line is held against. */
export interface CommandWorld {
  /** Output of `wattmesh ...subcommands --help`. */
  readonly help: (subcommands: readonly string[]) => string;
  /** Names of the scripts in package.json. */
  readonly npmScripts: ReadonlySet<string>;
  /** Whether a file of the repository exists. */
  readonly fileExists: (path: string) => boolean;
}

/** Stands on the line before a fence whose commands are to be held against the program. */
export const MARKER = '<!-- verified -->';

const NPM_OWN_COMMANDS = new Set(['ci', 'install', 'run']);

/** The commands in the marked blocks of a Markdown text, in order. */
export function markedCommands(markdown: string): DocumentedCommand[] {
  const commands: DocumentedCommand[] = [];
  const lines = markdown.split('\n');
  for (let index = 0; index < lines.length; index += 1) {
    if (lines[index]?.trim() !== MARKER || !/^\s*```sh\s*$/.test(lines[index + 1] ?? '')) continue;
    index += 2;
    let pending = '';
    for (; index < lines.length && !/^\s*```\s*$/.test(lines[index] ?? ''); index += 1) {
      const text = pending + (lines[index] ?? '').replace(/^\s*\$ /, '').trim();
      if (text.endsWith('\\')) {
        pending = text.slice(0, -1);
        continue;
      }
      pending = '';
      if (text !== '' && !text.startsWith('#')) commands.push({ line: index + 1, text });
    }
  }
  return commands;
}

/** What is wrong with a documented command: one sentence each, none when it can be typed as it stands. */
export function problemsOf(command: DocumentedCommand, world: CommandWorld): string[] {
  return simpleCommands(command.text).flatMap((words) =>
    problemsOfWords(words, world).map((problem) => `line ${command.line}: \`${command.text}\`: ${problem}`),
  );
}

function problemsOfWords([program = '', ...args]: readonly string[], world: CommandWorld): string[] {
  if (program === 'npm') return problemsOfNpm(args, world);
  if (program === 'wattmesh' || /(^|\/)bin\/wattmesh$/.test(program)) return problemsOfWattmesh(args, world);
  // Any other program with a path is a file of this repository; names without one belong to the reader's system.
  if (program.includes('/') && !program.startsWith('/') && !world.fileExists(program)) {
    return [`there is no file ${program}`];
  }
  return [];
}

function problemsOfNpm([first = '', ...rest]: readonly string[], world: CommandWorld): string[] {
  const script = first === 'run' ? (rest[0] ?? '') : first;
  if (first !== 'run' && NPM_OWN_COMMANDS.has(first)) return [];
  if (!world.npmScripts.has(script)) return [`package.json has no script "${script}"`];
  const separator = rest.indexOf('--');
  const own = separator === -1 ? [] : rest.slice(separator + 1);
  const toNpm = (separator === -1 ? rest : rest.slice(0, separator)).filter((word) => word.startsWith('-'));
  if (toNpm.length > 0) return [`npm takes ${toNpm.join(' ')} for itself: write -- before it`];
  if (script === 'start') return problemsOfWattmesh(['demo', ...own], world);
  if (script === 'wattmesh') return problemsOfWattmesh(own, world);
  return [];
}

function problemsOfWattmesh(args: readonly string[], world: CommandWorld): string[] {
  const problems: string[] = [];
  const path: string[] = [];
  let help = parseHelp(world.help(path));
  for (const word of args) {
    if (word.startsWith('-') && word !== '-' && word !== '--') {
      const name = word.replace(/=.*$/, '');
      if (!help.options.has(name)) problems.push(`${['wattmesh', ...path].join(' ')} has no option ${name}`);
    } else if (help.commands.size > 0) {
      if (!help.commands.has(word)) {
        problems.push(`${['wattmesh', ...path].join(' ')} has no command ${word}`);
        break;
      }
      path.push(word);
      const inner = parseHelp(world.help(path));
      // Options of the whole program may stand after the command too.
      help = { commands: inner.commands, options: new Set([...inner.options, ...help.options]) };
    }
  }
  return problems;
}

/** Commands and options that a help text lists: the indented entries under its headings. */
function parseHelp(text: string): { commands: Set<string>; options: Set<string> } {
  const commands = new Set<string>();
  const options = new Set(['--help', '-h']);
  let heading = '';
  for (const line of text.split('\n')) {
    const newHeading = /^(\S.*):\s*$/.exec(line);
    if (newHeading !== null) heading = (newHeading[1] ?? '').toLowerCase();
    const entry = /^ {1,4}(\S.*)$/.exec(line)?.[1];
    if (entry === undefined) continue;
    if (heading.endsWith('commands')) commands.add((/^[\w-]+/.exec(entry) ?? [''])[0]);
    if (entry.startsWith('-')) {
      const names = entry.split(/ {2,}/)[0] ?? '';
      for (const name of names.match(/--?[A-Za-z][\w-]*/g) ?? []) options.add(name);
    }
  }
  return { commands, options };
}

/** Words of each simple command of a shell line: split at pipes and lists, quotes removed, assignments dropped. */
function simpleCommands(text: string): string[][] {
  const words = text.match(/"[^"]*"|'[^']*'|&&|\|\||[|;&]|(?:[^\s"'|;&]|"[^"]*"|'[^']*')+/g) ?? [];
  const commands: string[][] = [[]];
  for (const word of words) {
    if (word.startsWith('#')) break;
    if (/^(&&|\|\||[|;&])$/.test(word)) commands.push([]);
    else commands.at(-1)?.push(word.replace(/["']/g, ''));
  }
  return commands
    .map((command) => command.slice(command.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word))))
    .filter((command) => command.length > 0);
}
