import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { chosen, MISBEHAVIOURS, MisbehaviourError } from '@wattmesh/consensus';
import { z } from 'zod';
import { controlSettingsSchema } from '../control/settings.ts';

/**
 * The configuration of one peer: the schema gives the types, the errors and the documentation (`wattmesh node --explain`).
 * Paths are relative to the configuration file.
 */
const milliseconds = (fallback: number, what: string, min = 1) =>
  z.int().min(min).max(86_400_000).default(fallback).describe(what);
const publicKey = z.string().regex(/^0[23][0-9a-f]{64}$/, 'must be a compressed public key: 66 lowercase hex digits');
const port = z.int().min(0).max(65_535);

export const timingSchema = z
  .strictObject({
    proposeMs: milliseconds(2_000, 'how long a round waits for a proposal before it votes nil'),
    prevoteMs: milliseconds(
      1_000,
      'how long a round waits for more prevotes once a quorum has voted for different things',
    ),
    precommitMs: milliseconds(1_000, 'the same for precommits'),
    stepMs: milliseconds(500, 'by how much each of these grows with the round'),
    collectMs: milliseconds(1_000, 'how long a voter waits for the bundle before it broadcasts its own vote'),
    resendMs: milliseconds(1_000, 'how often a peer resends what it sent until the height is decided'),
    txPatienceMs: milliseconds(1_500, 'how long an executable transaction may wait before the round timer starts', 0),
    minBlockIntervalMs: milliseconds(0, 'smallest distance between a block and the next transactions block', 0),
    slotPaceMs: milliseconds(0, 'slotClock "ready": shortest slot, so that people can follow', 0),
    readyTimeoutMs: milliseconds(5_000, 'slotClock "ready": how long a slot waits for members that owe something'),
    statusMs: milliseconds(1_000, 'how often one connected member is told the height of this peer'),
    syncTimeoutMs: milliseconds(4_000, 'how long a request for blocks may take'),
  })
  .prefault({});

const misbehaviourChoice = z
  .strictObject({
    name: z.enum(MISBEHAVIOURS.map(({ name }) => name)),
    parameters: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
  })
  .superRefine((choice, context) => {
    try {
      chosen(choice);
    } catch (error) {
      if (!(error instanceof MisbehaviourError)) throw error;
      context.addIssue({ code: 'custom', path: ['parameters'], message: error.message });
    }
  });

export const nodeConfigSchema = z.strictObject({
  name: z.string().min(1).max(64).describe('name in logs and tables'),
  genesis: z.string().describe('genesis file (JSON)'),
  secrets: z.string().describe('member key and beacon share (JSON, readable by its owner only)'),
  meter: z.string().optional().describe('key of the meter; without it no readings are signed'),
  household: z
    .string()
    .optional()
    .describe('production and consumption per slot (JSON); without it nothing is announced'),
  ev: z.string().optional().describe('profile of the EV behind this peer (JSON), on a PoSOC chain'),
  dataFolder: z.string().describe('folder of the chain store'),
  listen: z
    .strictObject({
      host: z.ipv4().default('127.0.0.1').describe('IPv4 address to listen on for peers'),
      port: port.default(0).describe('TCP port for peers; 0 takes a free one'),
    })
    .prefault({}),
  addresses: z
    .record(publicKey, z.string().startsWith('/'))
    .default({})
    .describe('where to dial whom: public key to multiaddr'),
  addressFolder: z
    .string()
    .optional()
    .describe('folder in which peers on one machine leave their addresses, so that ports can be chosen automatically'),
  api: z
    .strictObject({
      host: z
        .string()
        .default('127.0.0.1')
        .describe('address of the HTTP API; keep it on loopback, it has no authentication'),
      port: port.default(0).describe('port of the HTTP API; 0 takes a free one'),
    })
    .prefault({}),
  metrics: z
    .strictObject({
      host: z.string().describe('address to serve GET /metrics on, and nothing else'),
      port: port.describe('its port; 0 takes a free one'),
    })
    .optional()
    .describe(
      'a listener of its own for Prometheus, when that cannot reach the API; the API serves /metrics in any case',
    ),
  log: z
    .strictObject({
      level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
      file: z.string().optional().describe('log file; standard output when left out'),
    })
    .prefault({}),
  control: z
    .strictObject({
      socket: z.string().min(1).max(100).describe('path of the unix socket'),
      mode: z.int().min(0).max(0o777).default(0o600).describe('permissions of its file, as a decimal number'),
      settings: controlSettingsSchema.prefault({}).describe('what is done to the peer from its start on'),
    })
    .optional()
    .describe('endpoint through which experiments set link conditions, clock skew and a full disk; off when left out'),
  timing: timingSchema,
  misbehaviour: z
    .strictObject({
      choices: z.array(misbehaviourChoice).min(1).describe('what the member does; the first stands next to the peer'),
      accomplices: z.array(publicKey).default([]).describe('members who misbehave together with this one'),
    })
    .optional()
    .describe('for experiments: how this member breaks the protocol, with its real keys; honest when left out'),
  maxPoolTransactions: z.int().min(256).max(1_000_000).default(50_000).describe('transactions that the mempool keeps'),
});

export type NodeConfig = z.infer<typeof nodeConfigSchema>;
/** What may be written in the file: everything with a default may be left out. */
export type NodeConfigInput = z.input<typeof nodeConfigSchema>;

export type ConfigErrorCode = 'CONFIG_UNREADABLE' | 'CONFIG_UNWRITABLE' | 'CONFIG_NOT_JSON' | 'CONFIG_INVALID';

/** A configuration file that cannot be used; the message names the file, the field and what was expected there. */
export class ConfigError extends Error {
  readonly code: ConfigErrorCode;

  constructor(code: ConfigErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ConfigError';
    this.code = code;
  }
}

/** Reads and validates any JSON input of the node; `what` names it in errors. */
export async function readJson<T>(path: string, what: string, schema: z.ZodType<T>): Promise<T> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new ConfigError(
      'CONFIG_UNREADABLE',
      `cannot read the ${what} ${path}: ${cause.code === 'ENOENT' ? 'no such file' : cause.message}`,
      { cause },
    );
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ConfigError('CONFIG_NOT_JSON', `the ${what} ${path} is not JSON: ${whereOf(error as Error)}`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || '(top level)'}: ${issue.message}`);
  throw new ConfigError('CONFIG_INVALID', `the ${what} ${path} is not valid:\n  ${issues.join('\n  ')}`);
}

/** Where JSON breaks off. The parser's own message quotes the text, which may be a key. */
function whereOf({ message }: Error): string {
  const [position] = /at position \d+( \(line \d+ column \d+\))?/.exec(message) ?? [];
  return position === undefined ? 'it ends too early or is no JSON at all' : `broken ${position}`;
}

/** Reads a peer's configuration; relative paths in it become absolute. */
export async function readNodeConfig(path: string): Promise<NodeConfig> {
  const config = await readJson(path, 'configuration', nodeConfigSchema);
  const folder = dirname(resolve(path));
  const absolute = (file: string): string => resolve(folder, file);
  return {
    ...config,
    genesis: absolute(config.genesis),
    secrets: absolute(config.secrets),
    dataFolder: absolute(config.dataFolder),
    ...(config.meter === undefined ? {} : { meter: absolute(config.meter) }),
    ...(config.household === undefined ? {} : { household: absolute(config.household) }),
    ...(config.ev === undefined ? {} : { ev: absolute(config.ev) }),
    ...(config.addressFolder === undefined ? {} : { addressFolder: absolute(config.addressFolder) }),
    ...(config.control === undefined
      ? {}
      : { control: { ...config.control, socket: absolute(config.control.socket) } }),
    log: config.log.file === undefined ? config.log : { ...config.log, file: absolute(config.log.file) },
  };
}
