import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { type CommandWorld, MARKER, markedCommands, problemsOf } from '../../scripts/docs/commands.ts';

const repository = join(import.meta.dirname, '../..');

async function helpOf(subcommands: string): Promise<string> {
  const cli = join(repository, 'packages/node/src/cli/main.ts');
  const words = subcommands.split(' ').filter((word) => word !== '');
  return (await promisify(execFile)(process.execPath, [cli, ...words, '--help'])).stdout;
}

const helpTexts: Record<string, string> = {
  '': 'Usage: wattmesh [options] [command]\n\nOptions:\n  -V, --version  version\n  --json  machine-readable\n\nCommands:\n  up [options]  starts\n  demo [options]  shows\n  bench  measures\n',
  up: 'Usage: wattmesh up [options]\n\nOptions:\n  -n, --nodes <count>  how many; see --slots\n  --no-wait  returns at once\n',
  demo: 'Usage: wattmesh demo [options]\n\nOptions:\n  --seed <number>  of everything\n',
  bench: 'Usage: wattmesh bench [command]\n\nCommands:\n  blocks [options]  how fast\n',
  'bench blocks': 'Usage: wattmesh bench blocks\n\nOptions:\n  --rounds <n>  how often\n',
};

const world: CommandWorld = {
  help: (subcommands) => helpTexts[subcommands.join(' ')] ?? '',
  npmScripts: new Set(['start', 'test', 'wattmesh']),
  fileExists: (path) => path === 'scripts/docker-build.sh',
};

const problems = (text: string) => problemsOf({ line: 1, text }, world).map((problem) => problem.split('`: ')[1]);

describe('a documented command', () => {
  test.each([
    'wattmesh up --nodes 4 --json',
    'wattmesh up -n 4 --no-wait',
    'bin/wattmesh bench blocks --rounds=3 | tee out.txt',
    'npm start -- --seed 7',
    'npm run wattmesh -- up --nodes 4 && npm test',
    'WATTMESH_IMAGE=x scripts/docker-build.sh --local-base',
    'wattmesh demo --seed 7   # twice the same',
    'wattmesh --help',
    'git clone somewhere && cd wattmesh',
    'npm ci',
  ])('%s can be typed', (text) => {
    expect(problems(text)).toEqual([]);
  });

  test.each([
    ['wattmesh upp', 'wattmesh has no command upp'],
    ['wattmesh up --node 4', 'wattmesh up has no option --node'],
    // A name in the description of another option is not an option.
    ['wattmesh up --slots 4', 'wattmesh up has no option --slots'],
    ['bin/wattmesh bench block', 'wattmesh bench has no command block'],
    ['npm start -- --sead=7', 'wattmesh demo has no option --sead'],
    ['npm start --seed 7', 'npm takes --seed for itself: write -- before it'],
    ['npm run tset', 'package.json has no script "tset"'],
    ['npm test && npm run wattmesh -- dawn', 'wattmesh has no command dawn'],
    ['scripts/dokcer.sh', 'there is no file scripts/dokcer.sh'],
  ])('%s is refused', (text, problem) => {
    expect(problems(text)).toEqual([problem]);
  });
});

test('only marked blocks are read, with their line numbers, comments and continued lines', () => {
  const markdown = [
    '# Title',
    MARKER,
    '```sh',
    '# first',
    'npm test',
    '$ wattmesh up \\',
    '    --nodes 4',
    '```',
    '```sh',
    'rm -rf /',
    '```',
  ];
  expect(markedCommands(markdown.join('\n'))).toEqual([
    { line: 5, text: 'npm test' },
    { line: 7, text: 'wattmesh up --nodes 4' },
  ]);
});

describe('the documents of this repository', () => {
  const helps = new Map<string, string>();
  const real: CommandWorld = {
    help: (subcommands) => helps.get(subcommands.join(' ')) ?? '',
    npmScripts: new Set([
      'install',
      ...Object.keys(JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')).scripts),
    ]),
    fileExists: (path) => existsSync(join(repository, path)),
  };
  const documents = [
    ...readdirSync(repository),
    ...['docs', 'scenarios']
      .filter((folder) => existsSync(join(repository, folder)))
      .flatMap((folder) =>
        readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
      ),
  ].filter((name) => name.endsWith('.md'));

  /** Every command says what it can, once, as many at a time as there are cores: a program's start takes a second. */
  beforeAll(async () => {
    const all = documents.flatMap((name) => markedCommands(readFileSync(join(repository, name), 'utf8')));
    for (;;) {
      const missing = new Set<string>();
      const help = (path: readonly string[]): string => {
        const key = path.join(' ');
        if (!helps.has(key)) missing.add(key);
        return helps.get(key) ?? '';
      };
      for (const command of all) problemsOf(command, { ...real, help });
      if (missing.size === 0) return;
      const queue = [...missing];
      await Promise.all(
        Array.from({ length: availableParallelism() }, async () => {
          for (let key = queue.pop(); key !== undefined; key = queue.pop()) helps.set(key, await helpOf(key));
        }),
      );
    }
  });

  test.each(documents)('%s: every marked command can be typed', (name) => {
    const commands = markedCommands(readFileSync(join(repository, name), 'utf8'));
    expect(commands.flatMap((command) => problemsOf(command, real))).toEqual([]);
  });

  test('at least one document has marked commands', () => {
    const all = documents.flatMap((name) => markedCommands(readFileSync(join(repository, name), 'utf8')));
    expect(all.length).toBeGreaterThan(0);
  });
});
