import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pino, { type Logger } from 'pino';
import { describe, expect, it, vi } from 'vitest';
import { readNodeConfig } from '../../src/config/node-config.ts';
import { MAX_WAITING_BYTES, openLog } from '../../src/log/peer-log.ts';
import { PeerMetrics } from '../../src/metrics/peer-metrics.ts';
import { startNode } from '../../src/node.ts';
import { OwnEndpoint } from '../../src/provision/own-endpoint.ts';
import { peerFolder, readEndpoint } from '../../src/provision/run-folder.ts';
import { Closing } from '../../src/shell/closing.ts';
import { type Instruments, NO_INSTRUMENTS } from '../../src/shell/instruments.ts';
import type { ShellPorts } from '../../src/shell/peer-shell.ts';
import { ChainStore } from '../../src/store/chain-store.ts';
import { StoreError } from '../../src/store/errors.ts';
import { eventually } from '../eventually.ts';
import { provisionedRun } from '../provisioned-run.ts';

describe('a node that makes its chain alone', () => {
  it('goes on after a restart from where its disk is', async () => {
    const run = await provisionedRun('restart');
    const first = await run.start();
    await eventually('blocks', () => first.store.head >= 4);
    await first.stop();
    await first.ended;
    const { head } = first.store;
    const second = await run.start();
    try {
      expect(second.view().state.height).toBeGreaterThanOrEqual(head);
      await eventually('more blocks', () => second.store.head > head + 2);
      expect(second.store.repairs).toEqual([]);
    } finally {
      await second.stop();
    }
  });

  it('runs by the wall clock as well', async () => {
    const run = await provisionedRun('wall', { clock: 'wall', lengthMs: 400 });
    const node = await run.start();
    try {
      await eventually('two slots', () => node.view().state.slot >= 2);
    } finally {
      await node.stop();
    }
  });

  it('never stands still nor starves its own API when it makes blocks as fast as it can', async () => {
    const run = await provisionedRun('fast');
    run.configure({ timing: { slotPaceMs: 0 } });
    const node = await run.start();
    try {
      const { height } = (await (await fetch(`${node.apiUrl}/status`)).json()) as { height: number };
      await eventually('more blocks', () => node.store.head > height + 10);
    } finally {
      await node.stop();
    }
  });

  it('leaves its endpoint while it runs, and takes it away', async () => {
    const run = await provisionedRun('endpoint');
    const node = await run.start();
    const folder = join(run.folder, 'endpoints');
    expect(await readEndpoint(folder, node.publicKey)).toEqual({
      pid: process.pid,
      publicKey: node.publicKey,
      peerAddress: node.peerAddress,
      apiUrl: node.apiUrl,
    });
    // A second one with the same folder cannot start, and does not take the first one's endpoint with it.
    await expect(run.start()).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    expect(await readEndpoint(folder, node.publicKey)).not.toBeNull();
    await node.stop();
    await node.stop();
    expect(await readEndpoint(folder, node.publicKey)).toBeNull();
  });

  it('refuses a store of another chain', async () => {
    const run = await provisionedRun('first');
    const node = await run.start();
    await node.stop();
    const other = await provisionedRun('second');
    other.configure({ dataFolder: join(peerFolder(run.folder, 'p01'), 'data') });
    await expect(other.start()).rejects.toMatchObject({ code: 'STORE_OTHER_CHAIN' });
  });

  it('ends with the error that stopped it, and has closed everything by then', async () => {
    const run = await provisionedRun('broken');
    const node = await run.start();
    const write = vi
      .spyOn(ChainStore.prototype, 'write')
      .mockRejectedValue(new StoreError('STORE_FULL', 'the disk is full'));
    try {
      await expect(node.ended).rejects.toMatchObject({ code: 'STORE_FULL' });
    } finally {
      write.mockRestore();
    }
    await expect(fetch(`${node.apiUrl}/health`)).rejects.toThrow();
    expect(existsSync(join(run.folder, 'endpoints', `${node.publicKey}.json`))).toBe(false);
    // Stopping it again does not turn the failure into a success.
    await node.stop();
    await expect(node.ended).rejects.toMatchObject({ code: 'STORE_FULL' });
    await (await run.start()).stop();
  });

  it.each(['follow', 'publish'] as const)(
    'does not start when its disk fails during "%s", says why, and leaves neither API nor endpoint',
    async (moment) => {
      const run = await provisionedRun('early end');
      const full = new StoreError('STORE_FULL', 'the disk is full');
      let ports: ShellPorts | undefined;
      const instruments: Instruments = {
        ...NO_INSTRUMENTS,
        ports: (honest) => {
          ports = honest;
          return honest;
        },
      };
      const closed = vi.spyOn(ChainStore.prototype, 'close');
      const { publish } = OwnEndpoint.prototype;
      let apiUrl = '';
      const spies = [
        closed,
        vi.spyOn(PeerMetrics.prototype, 'follow').mockImplementation(() => {
          if (moment === 'follow') ports?.fatal(full);
        }),
        vi.spyOn(OwnEndpoint.prototype, 'publish').mockImplementation(async function (this: OwnEndpoint, ...args) {
          apiUrl = args[1];
          if (moment === 'publish') ports?.fatal(full);
          // Only when the closing has passed by the endpoint, which is the last that it comes to but for the log.
          await eventually('the closing', () => closed.mock.settledResults.length > 0);
          await new Promise(setImmediate);
          await publish.apply(this, args);
        }),
      ];
      try {
        await expect(startNode(await readNodeConfig(run.configFile), instruments)).rejects.toBe(full);
      } finally {
        for (const spy of spies) spy.mockRestore();
      }
      const { publicKey } = run.network.members[0] as { publicKey: string };
      expect(await readEndpoint(join(run.folder, 'endpoints'), publicKey)).toBeNull();
      if (apiUrl !== '') await expect(fetch(`${apiUrl}/health`)).rejects.toThrow();
      await (await run.start()).stop();
    },
  );

  it('does not start when its first write fails, and leaves nothing open', async () => {
    const run = await provisionedRun('stillborn');
    const write = vi
      .spyOn(ChainStore.prototype, 'write')
      .mockRejectedValue(new StoreError('STORE_WRITE_FAILED', 'the disk is gone'));
    await expect(run.start()).rejects.toMatchObject({ code: 'STORE_WRITE_FAILED' });
    write.mockRestore();
    await (await run.start()).stop();
  });
});

describe('a closing', () => {
  it('runs its steps once, in reverse order, past one that fails', async () => {
    const order: number[] = [];
    const closing = new Closing();
    closing.add(() => order.push(1));
    closing.add(() => Promise.reject(new Error('stuck')));
    closing.add(() => order.push(3));
    await expect(closing.run()).rejects.toThrow('stuck');
    await expect(closing.run()).rejects.toThrow('stuck');
    expect(order).toEqual([3, 1]);
  });

  it('closes at once what is opened after it has begun, and is over when that is closed', async () => {
    const order: string[] = [];
    const closing = new Closing();
    const late = Promise.withResolvers<void>();
    closing.add(() => order.push('first'));
    closing.add(() => {
      closing.add(async () => {
        order.push('late');
        await late.promise;
        order.push('late is closed');
      });
    });
    const begun = closing.run();
    await begun;
    expect(order).toEqual(['late', 'first']);
    const whole = closing.run();
    late.resolve();
    await whole;
    expect(order).toEqual(['late', 'first', 'late is closed']);
    closing.add(() => Promise.reject(new Error('stuck')));
    await expect(closing.run()).rejects.toThrow('stuck');
  });
});

/** What a log writes to. */
function streamOf(log: Logger): NodeJS.EventEmitter {
  return (log as unknown as Record<symbol, NodeJS.EventEmitter>)[pino.symbols.streamSym] as NodeJS.EventEmitter;
}

describe('what a node tells', () => {
  it('holds no secret: neither its log at the most talkative level nor any answer of its API', async () => {
    const run = await provisionedRun('secrets');
    run.configure({ log: { level: 'trace', file: 'node.log' } });
    const node = await run.start();
    let told = '';
    try {
      await eventually('blocks', () => node.store.head >= 4);
      const routes = ['health', 'status', 'peers', 'genesis', 'blocks', 'accounts', 'market', 'elections', 'blocks/2'];
      for (const route of routes) told += await (await fetch(`${node.apiUrl}/${route}`)).text();
    } finally {
      await node.stop();
    }
    const log = readFileSync(join(dirname(run.configFile), 'node.log'), 'utf8');
    expect(log).toContain('"msg":"stopping"');
    told += log;
    const [member] = run.network.members;
    for (const secret of [member?.secretKey, member?.beaconShare, member?.meterSecretKey]) {
      const bytes = Buffer.from(secret as Uint8Array);
      for (const form of [bytes.toString('hex'), bytes.toString('base64'), [...bytes].join(',')])
        expect(told.includes(form)).toBe(false);
    }
    // The public half is there, so that the search would have found the other.
    expect(told).toContain(member?.publicKey);
  });

  it('blanks a secret that is logged by mistake', async () => {
    const run = await provisionedRun('slip');
    const file = join(run.folder, 'slip.log');
    const { log, close } = await openLog({ name: 'p', log: { level: 'info', file } });
    log.info(
      { secretKey: 'f00d', keys: { beaconShare: 'f00d' }, meter: { secretKey: 'f00d' }, config: { secrets: 'f00d' } },
      'oops',
    );
    await close();
    expect(readFileSync(file, 'utf8')).toContain('oops');
    expect(readFileSync(file, 'utf8')).not.toContain('f00d');
  });

  it('starts only with a log that can be opened, and goes on when it can no longer be written', async () => {
    const run = await provisionedRun('no log');
    writeFileSync(join(run.folder, 'blocker'), '');
    run.configure({ log: { file: join(run.folder, 'blocker', 'node.log') } });
    await expect(run.start()).rejects.toMatchObject({ code: 'CONFIG_UNWRITABLE' });
    run.configure({ log: { file: '/dev/full' } });
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      const node = await run.start();
      await eventually('blocks', () => node.store.head >= 2);
      await node.stop();
      expect(
        stderr.mock.calls.map(([text]) => String(text)).filter((text) => /cannot be written/.test(text)),
      ).toHaveLength(1);
    } finally {
      stderr.mockRestore();
    }
  });

  it('keeps no more than so much of a log that cannot be written', async () => {
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      const { log, close } = await openLog({ name: 'p', log: { level: 'info', file: '/dev/full' } });
      let dropped = 0;
      streamOf(log).on('drop', () => {
        dropped += 1;
      });
      const line = 'x'.repeat(1_000);
      const [fits, asMuchAgain] = [MAX_WAITING_BYTES / 1_000, MAX_WAITING_BYTES / 1_000];
      for (let k = 0; k < fits + asMuchAgain; k += 1) log.info(line);
      expect(dropped).toBeGreaterThanOrEqual(asMuchAgain);
      await close();
    } finally {
      stderr.mockRestore();
    }
  });
});
