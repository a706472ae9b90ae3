import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import http2 from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { accountFor, type LoadReport } from './accounting.ts';
import { monotonicMs } from './clock.ts';
import { BenchError } from './errors.ts';
import { runSchedule } from './schedule.ts';

const MEMBERS = 3;
const START_LIMIT_MS = 30_000;
const ANSWER_LIMIT_MS = 5_000;

export interface EtcdLoad {
  readonly batchesPerSecond: number;
  readonly operations: number;
  readonly payloadBytes: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

/** Version of the etcd on this machine; null when there is none. */
export function etcdVersion(binary: string): string | null {
  const { status, stdout } = spawnSync(binary, ['--version'], { encoding: 'utf8' });
  return status === 0 ? (/etcd Version: (\S+)/.exec(stdout)?.[1] ?? 'unknown') : null;
}

/** Three etcd members on loopback with their data in `folder`, and a client that speaks gRPC to all of them. */
export class EtcdCluster {
  readonly #folder: string;
  readonly #children: readonly ChildProcess[];
  readonly #sessions: readonly http2.ClientHttp2Session[];

  private constructor(
    folder: string,
    children: readonly ChildProcess[],
    sessions: readonly http2.ClientHttp2Session[],
  ) {
    this.#folder = folder;
    this.#children = children;
    this.#sessions = sessions;
  }

  /** @throws BenchError BENCH_WORKER_FAILED */
  static async start(binary: string, folder: string): Promise<EtcdCluster> {
    await mkdir(folder, { recursive: true });
    const ports = await freePorts(2 * MEMBERS);
    const urlOf = (k: number): string => `http://127.0.0.1:${ports[k]}`;
    const cluster = Array.from({ length: MEMBERS }, (_, k) => `m${k}=${urlOf(MEMBERS + k)}`).join(',');
    const children = Array.from({ length: MEMBERS }, (_, k) =>
      spawn(
        binary,
        [
          ['--name', `m${k}`],
          ['--data-dir', join(folder, `m${k}`)],
          ['--listen-client-urls', urlOf(k)],
          ['--advertise-client-urls', urlOf(k)],
          ['--listen-peer-urls', urlOf(MEMBERS + k)],
          ['--initial-advertise-peer-urls', urlOf(MEMBERS + k)],
          ['--initial-cluster', cluster],
          ['--log-level', 'error'],
          // A benchmark writes more than the default of 2 GB may hold.
          ['--quota-backend-bytes', '8589934592'],
        ].flat(),
        { stdio: 'ignore' },
      ),
    );
    // A program that cannot be started ends with a code, which is looked at below.
    for (const child of children) child.on('error', () => undefined);
    const sessions = children.map((_, k) => {
      const session = http2.connect(urlOf(k));
      // What a lost session means shows in the answers.
      session.on('error', () => undefined);
      return session;
    });
    const etcd = new EtcdCluster(folder, children, sessions);
    const untilMs = Date.now() + START_LIMIT_MS;
    for (;;) {
      const answers = await Promise.all(
        Array.from({ length: MEMBERS }, (_, k) => etcd.#put(k, Buffer.from('start'), Buffer.from('start'))),
      );
      if (answers.every(Boolean)) return etcd;
      if (Date.now() > untilMs || children.some(({ exitCode }) => exitCode !== null)) {
        await etcd.stop();
        throw new BenchError(
          'BENCH_WORKER_FAILED',
          `etcd (${binary}) did not come up within ${START_LIMIT_MS / 1_000} s`,
        );
      }
      for (const [k, session] of sessions.entries())
        if (session.destroyed) (sessions as http2.ClientHttp2Session[])[k] = reconnect(urlOf(k));
      await delay(250);
    }
  }

  /**
   * Offers a load in the way in which the peers are offered theirs: one put of a fresh key per batch, members in turn,
   * at its intended time. A put counts when it is answered: etcd has it on the disks of a majority then.
   */
  async run(load: EtcdLoad): Promise<LoadReport> {
    const { batchesPerSecond, operations, payloadBytes, warmUpSeconds, seconds } = load;
    const count = Math.ceil(batchesPerSecond * (warmUpSeconds + seconds));
    const value = Buffer.alloc(payloadBytes, 'x');
    const prefix = `${monotonicMs()}/`;
    const sentMs = new Float64Array(count).fill(Number.NaN);
    const answers = new Uint8Array(count);
    const answeredMs = new Map<number, readonly number[]>();
    const puts: Promise<void>[] = [];
    const schedule = { startMs: monotonicMs() + 50, perSecond: batchesPerSecond, count };
    await runSchedule(schedule, monotonicMs, (place, atMs) => {
      sentMs[place] = atMs;
      const put = this.#put(place % MEMBERS, Buffer.from(`${prefix}${place}`), value).then((isStored) => {
        answers[place] = isStored ? 1 : 2;
        if (isStored) answeredMs.set(place + 1, [monotonicMs()]);
      });
      puts.push(put);
    });
    await Promise.race([Promise.all(puts), delay(ANSWER_LIMIT_MS)]);
    return accountFor(
      {
        batchesPerSecond,
        operations,
        startMs: schedule.startMs,
        sentMs,
        answers,
        heights: Uint32Array.from({ length: count }, (_, place) => (answeredMs.has(place + 1) ? place + 1 : 0)),
        peers: new Uint16Array(count),
      },
      answeredMs,
      { fromMs: warmUpSeconds * 1_000, toMs: (warmUpSeconds + seconds) * 1_000 },
    );
  }

  async stop(): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    for (const child of this.#children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      }),
    );
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Whether etcd has acknowledged the put. */
  #put(member: number, key: Uint8Array, value: Uint8Array): Promise<boolean> {
    const session = this.#sessions[member];
    if (session === undefined || session.destroyed || session.closed) return Promise.resolve(false);
    return new Promise((resolve) => {
      const request = session.request({
        ':method': 'POST',
        ':path': '/etcdserverpb.KV/Put',
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      let isStored = false;
      request.on('trailers', (trailers) => {
        isStored = trailers['grpc-status'] === '0';
      });
      request.on('error', () => resolve(false));
      request.on('close', () => resolve(isStored));
      request.resume();
      request.end(grpcFrame(putRequest(key, value)));
    });
  }
}

function reconnect(url: string): http2.ClientHttp2Session {
  const session = http2.connect(url);
  session.on('error', () => undefined);
  return session;
}

/** Protocol buffers: field 1 is the key, field 2 the value. */
function putRequest(key: Uint8Array, value: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from([0x0a]),
    varint(key.length),
    key,
    Buffer.from([0x12]),
    varint(value.length),
    value,
  ]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

/** gRPC puts a flag (not compressed) and the length before a message. */
function grpcFrame(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
