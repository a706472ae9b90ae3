import { z } from 'zod';

const publicKey = z.string().regex(/^0[23][0-9a-f]{64}$/, 'must be a compressed public key: 66 lowercase hex digits');
const milliseconds = z.int().min(0).max(600_000);

export const linkSettingSchema = z.strictObject({
  /** The other end. */
  remote: publicKey,
  direction: z.enum(['in', 'out']),
  blocked: z.boolean().optional(),
  severed: z.boolean().optional(),
  lossRatio: z.number().min(0).max(1).optional(),
  delayMs: milliseconds.optional(),
  jitterMs: milliseconds.optional(),
  bytesPerSecond: z.int().min(1).optional(),
});

/**
 * What is done to a peer from outside, in full: each order replaces the one before, so that an order that arrives twice, or
 * again after a restart, changes nothing.
 */
export const controlSettingsSchema = z.strictObject({
  links: z.array(linkSettingSchema).max(10_000).default([]),
  clockSkewMs: z
    .int()
    .min(-86_400_000)
    .max(86_400_000)
    .default(0)
    .describe('added to what the peer takes for the time'),
  diskFull: z
    .boolean()
    .default(false)
    .describe('every write fails as on a full disk, and the peer stops as it does there'),
  trace: z
    .strictObject({ fromHeight: z.int().min(0), toHeight: z.int().min(0) })
    .nullable()
    .default(null)
    .describe('heights of which proposals and votes are recorded'),
});
export type ControlSettings = z.infer<typeof controlSettingsSchema>;
export type ControlSettingsInput = z.input<typeof controlSettingsSchema>;

/** Counts of one link and direction since the peer started. */
export interface LinkCount {
  readonly remote: string;
  readonly direction: 'in' | 'out';
  readonly delivered: number;
  readonly lost: number;
  /** Sum and largest of the times that messages waited because of the link's condition. */
  readonly waitedMs: number;
  readonly maxWaitedMs: number;
}

/** When a block was composed (null: elsewhere) and durable here, by the machine's clock: never skewed. */
export interface CommitTime {
  readonly height: number;
  readonly composedMs: number | null;
  readonly committedMs: number;
  readonly viaSync: boolean;
}

/** A proposal or vote that left or reached this peer, by the machine's clock. */
export interface TracedMessage {
  readonly atMs: number;
  readonly direction: 'in' | 'out';
  /** Public key of the other end; null for a broadcast. */
  readonly other: string | null;
  readonly what: 'proposal' | 'prevote' | 'precommit';
  readonly height: number;
  readonly round: number;
  /** Votes in one message; 1 for a proposal. */
  readonly count: number;
  readonly isNil: boolean;
}

export interface ControlReport {
  readonly settings: ControlSettings;
  /** The peer's own clock and the machine's, read together. */
  readonly peerClockMs: number;
  readonly machineClockMs: number;
  /** Writes that were refused for a full disk. */
  readonly refusedWrites: number;
  readonly connected: number;
  readonly links: readonly LinkCount[];
  readonly commits: readonly CommitTime[];
  readonly traced: readonly TracedMessage[];
}
