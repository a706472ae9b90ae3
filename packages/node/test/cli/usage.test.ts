import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Command, CommanderError } from 'commander';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { demoCommand } from '../../src/cli/commands/demo.ts';
import { downCommand } from '../../src/cli/commands/down.ts';
import { evaluateCommand } from '../../src/cli/commands/evaluate.ts';
import { logsCommand } from '../../src/cli/commands/logs.ts';
import { nodeCommand } from '../../src/cli/commands/node.ts';
import { statusCommand } from '../../src/cli/commands/status.ts';
import { trainCommand } from '../../src/cli/commands/train.ts';
import { upCommand } from '../../src/cli/commands/up.ts';
import { codeOf, describeError, exitCodeOf } from '../../src/cli/exit.ts';
import { integerBetween } from '../../src/cli/options.ts';
import { provisionSyntheticEvs } from '../../src/cluster/create-ev-run.ts';
import { writeRunFolder } from '../../src/provision/run-folder.ts';
import { runCommand } from '../fixtures/run-command.ts';
import { provisionedRun } from '../provisioned-run.ts';
import { tempFolder } from '../temp-folder.ts';
import { wattmesh } from './wattmesh.ts';

const COMMANDS: readonly [() => Command, readonly string[]][] = [
  [demoCommand, ['--nodes', '--slots', '--slot-ms', '--seed', '--run', '--json']],
  [upCommand, ['--nodes', '--slot-seconds', '--quorum', '--seed', '--run', '--json']],
  [statusCommand, ['--run', '--json']],
  [logsCommand, ['--lines', '--follow', '--run', '--json']],
  [downCommand, ['--run', '--json']],
  [trainCommand, ['--mode', '--rule', '--backend', '--resume', '--out', '--seed', '--json']],
  [evaluateCommand, ['--preset', '--days', '--sessions', '--rates', '--seed', '--json']],
  [nodeCommand, ['--config', '--explain', '--end-with-parent']],
];

describe('help', () => {
  it.each(COMMANDS.map(([create, options]) => [create().name(), create, options] as const))(
    'of %s names every option and ends well',
    (_, create, options) => {
      let text = '';
      const command = create()
        .exitOverride()
        .configureOutput({
          writeOut: (part) => {
            text += part;
          },
        });
      expect(() => command.parse(['--help'], { from: 'user' })).toThrow(expect.objectContaining({ exitCode: 0 }));
      for (const option of options) expect(text).toContain(option);
      expect(command.options.map(({ long }) => long).filter((long) => !text.includes(long as string))).toEqual([]);
    },
  );

  it('of the whole exits 0 and names every command', async () => {
    const { code, stdout } = await wattmesh('--help');
    expect(code).toBe(0);
    for (const [create] of COMMANDS) expect(stdout).toContain(`\n  ${create().name()} `);
    expect(stdout).toContain('Exit codes: 0 done');
  });
});

describe('a mistake', () => {
  it.each<[string, string[], RegExp]>([
    ['an unknown option', ['status', '--jsno'], /unknown option '--jsno'[\s\S]*Did you mean --json/],
    ['an unknown command', ['statsu'], /unknown command 'statsu'[\s\S]*Did you mean status/],
    ['a run that is not there', ['status', '--run', '/nonexistent/run'], /^error RUN_NOT_FOUND: .*\/nonexistent\/run/],
    [
      'a folder that is a file',
      ['provision', '--nodes', '2', '--out', join(import.meta.filename, 'out'), '--address', '/dns4/p{n}/tcp/1'],
      /^error ENOTDIR: not a directory, mkdir '.*usage\.test\.ts\/out\/peer-1'\n$/,
    ],
  ])('such as %s ends with 2 and says what is wrong', async (_, args, text) => {
    const { code, stdout, stderr } = await wattmesh(...args);
    expect(stderr).toMatch(text);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  // Without a process each: what commander refuses ends with 2, as the first two above show.
  it.each<[string, () => Command, string[], RegExp]>([
    ['an integer that is none', demoCommand, ['--nodes', 'ten'], /--nodes.*Give an integer from 2 to 64/],
    ['an integer out of bounds', demoCommand, ['--slots', '0'], /--slots.*Give an integer from 1 to 1000/],
    [
      'homes for EVs',
      demoCommand,
      ['--protocol', 'posoc', '--data', 'homes.csv', '--day', '2013-01-15'],
      /--data is for prosumers/,
    ],
    ['a missing argument', logsCommand, [], /missing required argument 'peer'/],
    ['one argument too many', statusCommand, ['p01'], /too many arguments/],
    ['a node without a configuration', nodeCommand, [], /--config <file>/],
  ])('such as %s is refused', async (_, create, args, text) => {
    let said = '';
    const command = create()
      .exitOverride()
      .configureOutput({
        writeErr: (part) => {
          said += part;
        },
      });
    await expect(command.parseAsync(args, { from: 'user' })).rejects.toBeInstanceOf(CommanderError);
    expect(said).toMatch(text);
  });

  it('such as a port in use ends with 2 and its code', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    onTestFinished(() => void server.close());
    const run = await provisionedRun('in use');
    run.configure({ listen: { port: (server.address() as { port: number }).port } });
    const { code, stderr } = await wattmesh('node', '--config', run.configFile);
    expect(stderr).toMatch(/^error TRANSPORT_ADDRESS_IN_USE: /);
    expect(code).toBe(2);
  });

  it('such as an unknown peer, a foreign run or nothing to stop has a code', async () => {
    const run = await provisionedRun('mistakes');
    const parse = (command: Command, ...args: string[]): Promise<Command> =>
      command.exitOverride().parseAsync([...args, '--run', run.folder], { from: 'user' });
    await expect(parse(logsCommand(), 'p09')).rejects.toMatchObject({ code: 'RUN_UNKNOWN_PEER' });
    await expect(parse(upCommand(), '--nodes', '3')).rejects.toMatchObject({
      code: 'RUN_EXISTS',
      message: expect.stringContaining('nodes 1, not 3'),
    });
    for (const options of [
      ['--seed', 'other'],
      ['--quorum', '2'],
      ['--slot-seconds', '7'],
      ['--protocol', 'posoc'],
      ['--preset', 'sound'],
      ['--rounds-per-day', '4'],
      ['--training-seconds', '10'],
    ])
      await expect(parse(upCommand(), ...options)).rejects.toMatchObject({ code: 'RUN_EXISTS' });
    const nowhere = tempFolder();
    await expect(downCommand().parseAsync(['--run', nowhere], { from: 'user' })).rejects.toMatchObject({
      code: 'RUN_NOT_FOUND',
    });
    writeFileSync(join(nowhere, 'run.json'), 'x');
    await expect(statusCommand().parseAsync(['--run', nowhere], { from: 'user' })).rejects.toMatchObject({
      code: 'CONFIG_NOT_JSON',
    });
    await expect(
      demoCommand().parseAsync(['--nodes', '2', '--run', run.folder], { from: 'user' }),
    ).rejects.toMatchObject({ code: 'RUN_EXISTS' });
  });

  it.each<['paper' | 'sound', string[], RegExp | null]>([
    ['paper', ['--protocol', 'poeg'], /protocol posoc, not poeg/],
    ['paper', ['--preset', 'sound'], /preset paper, not sound/],
    ['sound', ['--preset', 'paper'], /preset sound, not paper/],
    ['paper', ['--rounds-per-day', '4'], /roundsPerDay 2, not 4/],
    ['paper', ['--training-seconds', '4'], /trainingSeconds 3, not 4/],
    // What only repeats is fine: it comes as far as looking for the peers.
    ['sound', ['--protocol', 'posoc', '--preset', 'sound', '--rounds-per-day', '2', '--training-seconds', '3'], null],
    ['paper', ['--protocol', 'posoc', '--preset', 'paper', '--rounds-per-day', '2', '--training-seconds', '3'], null],
  ])(
    'such as asking a run of EVs (%s) for %j is refused, unless it is what the run has',
    async (preset, options, message) => {
      const folder = tempFolder();
      const network = provisionSyntheticEvs({
        nodes: 2,
        seed: '1',
        clock: 'wall',
        slotMs: 10_000,
        genesisTimeMs: 0,
        preset,
        roundsPerDay: 2,
        trainingWindowMs: 3_000,
      });
      const run = await writeRunFolder(folder, network, { seed: '1', createdMs: 0 });
      // Without peers there is none to start.
      writeFileSync(join(folder, 'run.json'), JSON.stringify({ ...run, peers: [] }));
      const up = runCommand(upCommand(), ...options, '--run', folder, '--json');
      if (message === null) expect(JSON.parse(await up)).toMatchObject({ started: [] });
      else await expect(up).rejects.toMatchObject({ code: 'RUN_EXISTS', message: expect.stringMatching(message) });
    },
  );

  it('such as following a log that can no longer be read ends with what is wrong with it', async () => {
    const run = await provisionedRun('unreadable');
    const file = join(run.folder, 'peers', 'p01', 'node.log');
    writeFileSync(file, '{"level":30,"time":1,"msg":"first"}\n');
    const listeners = process.listenerCount('SIGINT');
    const following = runCommand(logsCommand(), 'p01', '--follow', '--run', run.folder);
    // Once it has shown what there was, the log becomes something else.
    await vi.waitFor(() => expect(process.listenerCount('SIGINT')).toBeGreaterThan(listeners));
    rmSync(file);
    mkdirSync(file);
    await expect(following).rejects.toMatchObject({ code: 'EISDIR' });
  });

  it.each(['', ' 1', '1.0', '1e1', '0x1', '-0', '99', 'NaN'])('such as the integer "%s" is refused', (text) => {
    expect(() => integerBetween(2, 64)(text)).toThrow(/integer from 2 to 64/);
    expect(integerBetween(2, 64)('64')).toBe(64);
    expect(integerBetween(-5, 5)('-5')).toBe(-5);
  });
});

describe('exit codes', () => {
  it.each([
    ['RUN_DIVERGED', 1],
    ['PEER_WOULD_NOT_STOP', 1],
    ['STORE_FULL', 1],
    ['STORE_WRITE_FAILED', 1],
    ['STORE_LOCKED', 2],
    ['CONFIG_INVALID', 2],
    ['TRANSPORT_ADDRESS_IN_USE', 2],
    ['PEER_DID_NOT_START', 2],
    ['ENOENT', 1],
    ['ERR_INVALID_ARG_TYPE', 1],
    ['ABORT_ERR', 1],
  ])('of %s is %i', (code, exit) => {
    expect(exitCodeOf(Object.assign(new Error(), { code }))).toBe(exit);
  });

  it('of what the system says of a file or a port is 2, with its name and without a stack', async () => {
    const folder = tempFolder();
    const missing = join(folder, 'missing');
    const error = await readFile(missing).catch((cause: unknown) => cause);
    expect([exitCodeOf(error), codeOf(error)]).toEqual([2, 'ENOENT']);
    expect(describeError(error)).toBe(`error ENOENT: no such file or directory, open '${missing}'`);
    const nameless = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES', syscall: 'mkdir' });
    expect(codeOf(nameless)).toBeNull();
    expect(describeError(Object.assign(nameless, { path: '/srv/data' }))).toBe(
      'error EACCES: permission denied (/srv/data)',
    );
    for (const [code, syscall] of [
      ['ENOSPC', 'write'],
      ['EADDRINUSE', 'listen'],
    ])
      expect(exitCodeOf(Object.assign(new Error(), { code, syscall }))).toBe(2);
    // A connection that breaks is nothing that the user has chosen.
    expect(exitCodeOf(Object.assign(new Error(), { code: 'ECONNRESET', syscall: 'read' }))).toBe(1);
  });

  it('of a mistake in the program is 1, with its stack, also when Node gives it a code', () => {
    let mistake: unknown;
    try {
      Buffer.from(null as unknown as string);
    } catch (error) {
      mistake = error;
    }
    expect(mistake).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    expect([exitCodeOf(mistake), codeOf(mistake)]).toEqual([1, null]);
    expect(describeError(mistake)).toContain('usage.test.ts');
  });

  it('of an error without a code is that of a failure', () => {
    expect(exitCodeOf(new TypeError('a bug'))).toBe(1);
    expect(codeOf(null)).toBeNull();
    expect(codeOf({ code: 7 })).toBeNull();
  });
});

it('node --explain prints the schema of the configuration with every default', async () => {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    await nodeCommand().parseAsync(['--explain'], { from: 'user' });
    expect(JSON.parse(write.mock.calls.join(''))).toMatchObject({
      required: ['name', 'genesis', 'secrets', 'dataFolder'],
      additionalProperties: false,
      properties: { timing: { properties: { proposeMs: { default: 2_000, description: expect.any(String) } } } },
    });
  } finally {
    write.mockRestore();
  }
});
