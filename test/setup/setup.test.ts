import { execFileSync } from 'node:child_process';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { FakeClone } from './clone.ts';

test('the first set-up says each step and ends with a stamp; the second does and says nothing', async () => {
  using clone = new FakeClone();
  const first = await clone.setUp();
  expect(first.stderr.trim().split('\n')).toEqual([
    '[setup] fetching pnpm 12.21.0 into .tools with npm',
    '[setup] installing the locked dependencies with pnpm',
    expect.stringMatching(/^\[setup\] ready after \d+\.\d s$/),
  ]);
  expect(first).toMatchObject({ status: 0, stdout: `${process.execPath}\n` });
  expect(await clone.setUp()).toMatchObject({ status: 0, stderr: '', stdout: `${process.execPath}\n` });
  expect(clone.calls).toEqual(['npm', 'pnpm']);
});

test.each([
  ['a changed lock file', (clone: FakeClone) => clone.write('pnpm-lock.yaml', 'lockfileVersion: 10\n')],
  ['a changed manifest', (clone: FakeClone) => clone.write('packages/node/package.json', '{"dependencies":{}}')],
  ['a deleted node_modules', (clone: FakeClone) => clone.remove('node_modules')],
  ["a package's deleted node_modules", (clone: FakeClone) => clone.remove('packages/node/node_modules')],
])('%s is installed again, without fetching the tools again', async (_, change) => {
  using clone = new FakeClone();
  await clone.setUp();
  change(clone);
  expect((await clone.setUp()).status).toBe(0);
  expect(clone.calls).toEqual(['npm', 'pnpm', 'pnpm']);
});

test('a deleted .tools is fetched again', async () => {
  using clone = new FakeClone();
  await clone.setUp();
  clone.remove('.tools');
  expect((await clone.setUp()).status).toBe(0);
  expect(clone.calls).toEqual(['npm', 'pnpm', 'npm', 'pnpm']);
});

test('an install that is killed leaves no stamp, and the next run starts it again', async () => {
  using clone = new FakeClone({ pnpm: '[ -e .killed ] || { : > .killed; mkdir node_modules; kill -9 $$; }' });
  const killed = await clone.setUp();
  expect(killed).toMatchObject({ status: 69, stdout: '' });
  expect(killed.stderr).toContain('SETUP_TOOL_FAILED: Installing the dependencies with pnpm failed.');
  expect(killed.stderr).toContain('ended by SIGKILL');
  expect(clone.has('.tools/stamp')).toBe(false);
  expect((await clone.setUp()).status).toBe(0);
  expect(clone.calls).toEqual(['npm', 'pnpm', 'pnpm']);
});

test('an installer that claims success without its files is not believed', async () => {
  using clone = new FakeClone({ pnpm: 'exit 0' });
  const outcome = await clone.setUp();
  expect(outcome.status).toBe(69);
  expect(outcome.stderr).toContain('SETUP_INCOMPLETE');
  expect(clone.has('.tools/stamp')).toBe(false);
});

test('four set-ups at once install once; the others wait for it', async () => {
  using clone = new FakeClone({ pnpm: 'until [ -e go ]; do sleep 0.05; done' });
  const running = [clone.setUp(), clone.setUp(), clone.setUp(), clone.setUp()];
  await expect.poll(() => clone.calls, { timeout: 20_000 }).toEqual(['npm', 'pnpm']);
  clone.write('go', '');
  const outcomes = await Promise.all(running);
  expect(outcomes.map((outcome) => outcome.status)).toEqual([0, 0, 0, 0]);
  expect(clone.calls).toEqual(['npm', 'pnpm']);
  expect(clone.has('.tools/lock')).toBe(false);
});

test('the lock of a dead process is taken over', async () => {
  using clone = new FakeClone();
  await clone.setUp();
  const dead = execFileSync('sh', ['-c', 'echo "$$ $(uname -n)"'], { encoding: 'utf8' });
  clone.remove('node_modules');
  clone.write('.tools/lock', dead);
  expect((await clone.setUp()).status).toBe(0);
  expect(clone.has('.tools/lock')).toBe(false);
});

test('no registry: exit 69, a reason that names it, and nothing half-done that is trusted', async () => {
  using clone = new FakeClone();
  // The machine's real npm, and a port on which nothing listens.
  clone.remove('path/npm');
  const outcome = await clone.setUp({
    npm_config_registry: 'http://127.0.0.1:9/',
    npm_config_fetch_retries: '0',
  });
  expect(outcome).toMatchObject({ status: 69, stdout: '' });
  expect(outcome.stderr).toContain('SETUP_NO_NETWORK: Fetching Node and pnpm with npm failed.');
  expect(outcome.stderr).toContain('could not be reached');
  expect(clone.has('.tools/stamp')).toBe(false);
});

test('no npm: exit 69 and its name', async () => {
  using clone = new FakeClone();
  clone.remove('path/npm');
  const outcome = await clone.run([process.execPath, 'scripts/run.mjs', 'setup'], { environment: { PATH: clone.bin } });
  expect(outcome.status).toBe(69);
  expect(outcome.stderr).toContain('SETUP_NO_NPM');
});

test('a clone that cannot be written: exit 69 and the reason', async () => {
  using clone = new FakeClone();
  clone.write('.tools', 'a file in the place of the folder');
  const outcome = await clone.setUp();
  expect(outcome.status).toBe(69);
  expect(outcome.stderr).toContain('SETUP_NOT_WRITABLE');
});

test('an unknown command is refused with the usage', async () => {
  using clone = new FakeClone();
  const outcome = await clone.run(['node', 'scripts/run.mjs', 'tset']);
  expect(outcome).toMatchObject({ status: 64, stdout: '' });
  expect(outcome.stderr).toContain('usage: node scripts/run.mjs COMMAND');
  expect(clone.calls).toEqual([]);
});

const launchers: [string, readonly [string, ...string[]]][] = [
  ['npm run wattmesh', ['node', 'scripts/run.mjs', 'wattmesh']],
  ['bin/wattmesh', ['bin/wattmesh']],
];

test.each(launchers)('%s passes arguments and exit status', async (_, launcher) => {
  using clone = new FakeClone();
  const outcome = await clone.run([...launcher, 'exit', '--json', 'two words']);
  expect(outcome.status).toBe(7);
  expect(outcome.stdout).toBe(`cli ["exit","--json","two words"] ${clone.root}\n`);
});

test.each(launchers)('%s passes SIGTERM on and leaves no process behind', async (_, launcher) => {
  using clone = new FakeClone();
  const outcome = await clone.run([...launcher, 'wait'], {
    onLine: (line, pid) => {
      if (line.startsWith('cli')) process.kill(pid, 'SIGTERM');
    },
  });
  // Standard output closes only when nobody holds it any more: an orphan would keep this test waiting.
  expect(outcome).toMatchObject({ status: 9, stdout: `cli ["wait"] ${clone.root}\ntold to stop\n` });
});

test.each(launchers)('%s ends by the signal that ended the program', async (_, launcher) => {
  using clone = new FakeClone();
  expect(await clone.run([...launcher, 'die'])).toMatchObject({ status: null, signal: 'SIGKILL' });
});

test('a program whose npm was killed is told to stop', async () => {
  using clone = new FakeClone();
  await clone.setUp();
  // The shell stands for npm. It ends by SIGKILL; standard output closes when the program it left has ended too.
  const outcome = await clone.run(['sh', '-c', 'node scripts/run.mjs wattmesh wait & wait'], {
    environment: { npm_lifecycle_event: 'start' },
    onLine: (line, pid) => {
      if (line.startsWith('cli')) process.kill(pid, 'SIGKILL');
    },
  });
  expect(outcome).toMatchObject({ signal: 'SIGKILL', stdout: expect.stringMatching(/^cli .*\ntold to stop\n$/) });
});

test('bin/wattmesh works from another folder and through a symbolic link', async () => {
  using clone = new FakeClone();
  execFileSync('ln', ['-s', '../bin/wattmesh', `${clone.bin}/wattmesh`]);
  const outcome = await clone.run(['wattmesh', 'status']);
  expect(outcome.status).toBe(0);
  expect(outcome.stdout).toContain('cli ["status"]');
  expect(dirname(outcome.stdout)).toContain(clone.root.slice(1, 4));
});
