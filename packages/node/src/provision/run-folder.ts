import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { genesisToJson } from '@wattmesh/consensus';
import { z } from 'zod';
import { type NodeConfigInput, readJson } from '../config/node-config.ts';
import { writeFirstJournal } from '../store/journal-file.ts';
import { RunError } from './errors.ts';
import type { ProvisionedEv } from './ev-network.ts';
import type { ProvisionedMember, ProvisionedNetwork } from './network.ts';

/** What a run can be laid out for. */
export type AnyMember = ProvisionedMember | ProvisionedEv;

/** What `run.json` says of a run; the rest of the state is in the peers' own folders. */
export const runSchema = z.strictObject({
  format: z.literal(1),
  chainId: z.string(),
  chainName: z.string(),
  seed: z.string(),
  createdMs: z.int(),
  peers: z.array(z.strictObject({ name: z.string(), publicKey: z.string() })),
});
export type Run = z.infer<typeof runSchema>;

/** Written by a running peer, so that others find it without agreed ports. */
export const endpointSchema = z.strictObject({
  pid: z.int(),
  publicKey: z.string(),
  peerAddress: z.string(),
  apiUrl: z.string(),
});
export type Endpoint = z.infer<typeof endpointSchema>;

export interface RunFolderOptions {
  readonly seed: string;
  readonly createdMs: number;
  readonly timing?: NodeConfigInput['timing'];
  readonly logLevel?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** More of one peer's configuration; it wins over what is written anyway. */
  configure?(name: string): Partial<NodeConfigInput>;
}

export function peerFolder(run: string, name: string): string {
  return join(run, 'peers', name);
}

/**
 * Lays out a run: `genesis.json`, `run.json` and, for each peer, its configuration, secrets, meter key and household.
 * Nothing outside of `folder` is touched; `run.json` is written last, so that a half-made run is never mistaken for one.
 * @throws RunError RUN_EXISTS when the folder holds a run already
 */
export async function writeRunFolder(
  folder: string,
  network: ProvisionedNetwork<AnyMember>,
  options: RunFolderOptions,
): Promise<Run> {
  if (isRun(folder))
    throw new RunError(
      'RUN_EXISTS',
      `${folder} holds a run already; choose another folder with --run, or remove this one`,
    );
  await mkdir(join(folder, 'peers'), { recursive: true });
  await writeFile(join(folder, 'genesis.json'), `${JSON.stringify(genesisToJson(network.genesis), null, 2)}\n`);
  for (const member of network.members) {
    const own = peerFolder(folder, member.name);
    await writeFirstJournal(join(own, 'data'), Buffer.from(network.chainId, 'hex'));
    await writeMember(own, 'config.json', member, {
      name: member.name,
      genesis: '../../genesis.json',
      secrets: 'secrets.json',
      meter: 'meter.json',
      dataFolder: 'data',
      addressFolder: '../../endpoints',
      log: { level: options.logLevel ?? 'info', file: 'node.log' },
      ...(options.timing === undefined ? {} : { timing: options.timing }),
      ...options.configure?.(member.name),
    });
  }
  await writeJson(
    join(folder, 'accounts.json'),
    { edc: hex(network.edcSecretKey), extra: network.extraSecretKeys.map(hex) },
    0o600,
  );
  const run: Run = {
    format: 1,
    chainId: network.chainId,
    chainName: network.genesis.chainName,
    seed: options.seed,
    createdMs: options.createdMs,
    peers: network.members.map(({ name, publicKey }) => ({ name, publicKey })),
  };
  // Every key follows from the seed.
  await writeJson(join(folder, 'run.json'), run, 0o600);
  return run;
}

/** One peer's own files: its configuration under `configName`, its keys (readable by their owner only), its household or EV. */
export async function writeMember(
  folder: string,
  configName: string,
  member: AnyMember,
  config: Omit<NodeConfigInput, 'household' | 'ev'>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const life = 'ev' in member ? { ev: 'ev.json' } : { household: 'household.json' };
  if ('ev' in member) await writeJson(join(folder, 'ev.json'), member.ev);
  else await writeJson(join(folder, 'household.json'), member.household);
  const keys = { secretKey: hex(member.secretKey), beaconShare: hex(member.beaconShare) };
  await writeJson(join(folder, 'secrets.json'), keys, 0o600);
  await writeJson(join(folder, 'meter.json'), { secretKey: hex(member.meterSecretKey) }, 0o600);
  await writeJson(join(folder, configName), { ...config, ...life });
}

export function isRun(folder: string): boolean {
  return existsSync(join(folder, 'run.json'));
}

/** @throws RunError RUN_NOT_FOUND; ConfigError when `run.json` is not one */
export async function readRun(folder: string): Promise<Run> {
  if (!isRun(folder))
    throw new RunError('RUN_NOT_FOUND', `there is no run in ${folder}; start one with: wattmesh up --run ${folder}`);
  return readJson(join(folder, 'run.json'), 'run description', runSchema);
}

/** @throws RunError RUN_UNKNOWN_PEER that names those there are */
export function peerOf(run: Run, name: string): Run['peers'][number] {
  const peer = run.peers.find((one) => one.name === name);
  if (peer === undefined)
    throw new RunError(
      'RUN_UNKNOWN_PEER',
      `there is no peer ${name}; there are ${run.peers.map((one) => one.name).join(', ')}`,
    );
  return peer;
}

export async function writeEndpoint(folder: string, endpoint: Endpoint): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeJson(join(folder, `${endpoint.publicKey}.json`), endpoint);
}

/** The endpoint that a peer has left in the folder; null when there is none (or it is being written by something else). */
export async function readEndpoint(folder: string, publicKey: string): Promise<Endpoint | null> {
  const text = await readFile(join(folder, `${publicKey}.json`), 'utf8').catch(() => null);
  if (text === null) return null;
  const parsed = endpointSchema.safeParse(safeJson(text));
  return parsed.success ? parsed.data : null;
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Whole or not at all: readers never see half a file. */
async function writeJson(path: string, value: unknown, mode = 0o644): Promise<void> {
  const next = `${path}.new`;
  // What a crash left behind may be readable by others, and its mode would stay.
  await rm(next, { force: true });
  await writeFile(next, `${JSON.stringify(value, null, 2)}\n`, { mode });
  await rename(next, path);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
