import { nodeConfigSchema } from '@wattmesh/node';
import { z } from 'zod';
import { MISBEHAVIOUR_NAMES } from '../faults/misbehaviours.ts';
import { bandwidth, duration, percent, signedDuration } from './quantities.ts';

/**
 * The scenario file. This schema is the only source of its types, its errors, `docs/scenarios.md` and the JSON Schema for
 * editors: every field says here what it means.
 */
const peerName = z.string().regex(/^p\d{2}$/, 'a peer is named p01, p02, ...');

const PEERS_HINT = 'write all, miner, a share such as 30%, or a list such as [p01, p03]';
export const peersSchema = z
  .union(
    [z.literal('all'), z.literal('miner'), z.string().regex(/^\d+(\.\d+)?%$/, PEERS_HINT), z.array(peerName).min(1)],
    PEERS_HINT,
  )
  .describe(
    'which peers: a list of names; `all`; `miner`, the one that is to compose next when the moment comes; or a share such as 30%, rounded down, of the peers with the highest numbers',
  );

const anchorSchema = z
  .union(
    [duration, z.strictObject({ height: z.int().min(1) }), z.strictObject({ slot: z.int().min(1) })],
    'write a duration such as 5s, {height: 12} or {slot: 3}',
  )
  .describe(
    'when: a time after the network has come up, or as soon as some peer has committed a height or entered a slot',
  );

const lastingSchema = z
  .union(
    [duration, z.strictObject({ heights: z.int().min(1) }), z.strictObject({ slots: z.int().min(1) })],
    'write a duration such as 5s, {heights: 12} or {slots: 3}',
  )
  .describe('for how long; without it until an `end` names the fault, or until the run is over');

const common = {
  at: anchorSchema,
  id: z
    .string()
    .regex(/^[a-z][a-z0-9-]*$/, 'lower-case letters, digits and dashes')
    .optional()
    .describe('a name, so that an `end` can refer to it'),
};
const onPeers = { ...common, peers: peersSchema };
const lasting = { for: lastingSchema.optional() };
const stagger = duration.optional().describe('one peer after the other, this far apart; without it all at once');

const misbehaviourChoice = z.strictObject({
  name: z.enum(MISBEHAVIOUR_NAMES).describe('see the list of misbehaviours'),
  parameters: z
    .record(z.string(), z.union([z.string(), z.number()]))
    .default({})
    .describe('what the misbehaviour leaves open; the peer refuses what it does not know'),
});
export type MisbehaviourChoice = z.infer<typeof misbehaviourChoice>;

export const faultSchema = z.discriminatedUnion(
  'do',
  [
    z
      .strictObject({ do: z.literal('kill'), ...onPeers, ...lasting, stagger })
      .describe('End the processes without warning (SIGKILL). With `for` they are started again after it.'),
    z
      .strictObject({ do: z.literal('stop'), ...onPeers, ...lasting, stagger })
      .describe('Ask the processes to end (SIGTERM). With `for` they are started again after it.'),
    z
      .strictObject({ do: z.literal('start'), ...onPeers })
      .describe(
        'Start peers that were killed or stopped without `for`; one that was killed as the `miner` only with `peers: all`.',
      ),
    z
      .strictObject({ do: z.literal('restart'), ...onPeers, stagger })
      .describe('Stop the processes (SIGTERM) and start them again at once.'),
    z
      .strictObject({ do: z.literal('wipe'), ...onPeers, ...lasting, stagger })
      .describe(
        'Kill the processes and remove their data; the peers rejoin with an empty disk, at once or after `for`, and sign nothing until a quorum has told them how far the chain is.',
      ),
    z
      .strictObject({ do: z.literal('pause'), ...onPeers, ...lasting, stagger })
      .describe('Freeze the processes (SIGSTOP): they keep their connections and do nothing.'),
    z
      .strictObject({ do: z.literal('disconnect'), ...onPeers, ...lasting })
      .describe('Close all connections of the peers and let none be made; a container is taken off its network.'),
    z
      .strictObject({
        do: z.literal('partition'),
        ...common,
        ...lasting,
        groups: z
          .array(z.array(peerName).min(1))
          .min(2)
          .describe('peers that still reach each other; who is in no group reaches everybody'),
      })
      .describe('Lose every message between the groups.'),
    z
      .strictObject({
        do: z.literal('link'),
        ...common,
        ...lasting,
        from: peersSchema,
        to: peersSchema,
        bothWays: z.boolean().default(true).describe('also from `to` to `from`'),
        latency: duration.optional().describe('added to every message'),
        jitter: duration.optional().describe('up to this much more, uniformly'),
        loss: percent.optional().describe('share of messages that is lost'),
        bandwidth: bandwidth.optional().describe('what the link carries'),
      })
      .describe('Make links slow, lossy or narrow, in one direction or both.'),
    z
      .strictObject({
        do: z.literal('clock-skew'),
        ...onPeers,
        ...lasting,
        by: signedDuration.describe('how far ahead'),
      })
      .describe("Put the peers' clocks wrong."),
    z
      .strictObject({ do: z.literal('disk-full'), ...onPeers, ...lasting })
      .describe(
        'Let every write fail, at which a peer stops; when the fault ends there is room and it is started again.',
      ),
    z
      .strictObject({
        do: z.literal('misbehave'),
        ...onPeers,
        ...lasting,
        choices: z.array(misbehaviourChoice).min(1).max(4).describe('what they do, all of it at once'),
        together: z.boolean().default(false).describe('whether the peers of this entry are accomplices of each other'),
      })
      .describe(
        'Restart the peers as members that break the protocol, with their real keys; when the fault ends they are restarted as honest ones.',
      ),
    z
      .strictObject({ do: z.literal('end'), at: anchorSchema, which: z.string().describe('the `id` of a fault') })
      .describe('End a fault that has no `for`: resume, heal, reconnect, free the disk, start again.'),
  ],
  {
    error:
      'one of kill, stop, start, restart, wipe, pause, disconnect, partition, link, clock-skew, disk-full, misbehave, end',
  },
);
export type TimelineEntry = z.infer<typeof faultSchema>;

const window = {
  from: duration.prefault('0s').describe('when the load begins'),
  for: duration.optional().describe('how long it lasts; to the end of the run when left out'),
};
const batch = z.int().min(1).max(256).default(1).describe('transactions in one signed batch');
const via = peersSchema.prefault('all').describe('peers that the clients talk to, in turn');
const perSecond = z.number().gt(0).max(100_000);

export const loadSchema = z.discriminatedUnion(
  'kind',
  [
    z
      .strictObject({
        kind: z.literal('open'),
        rate: perSecond.describe('transactions a second'),
        ...window,
        batch,
        via,
      })
      .describe('Transactions come at a fixed rate, whatever the network does; latency counts from when each was due.'),
    z
      .strictObject({
        kind: z.literal('ramp'),
        fromRate: z.number().min(0).max(100_000).describe('transactions a second at first'),
        toRate: perSecond.describe('and at the end'),
        ...window,
        batch,
        via,
      })
      .describe('An open loop whose rate changes evenly.'),
    z
      .strictObject({
        kind: z.literal('closed'),
        clients: z.int().min(1).max(500).describe('each waits for its transaction before it sends the next'),
        think: duration.prefault('0s').describe('pause of a client between two transactions'),
        ...window,
        batch,
        via,
      })
      .describe('As many transactions as the clients can get committed one after the other.'),
  ],
  { error: 'one of open, ramp, closed' },
);
export type Load = z.infer<typeof loadSchema>;

export const checksSchema = z.strictObject({
  liveness: z
    .strictObject({ maxGap: duration.describe('longest time without a block while a quorum can talk') })
    .prefault({ maxGap: '30s' })
    .describe('blocks go on being made whenever a quorum is up and connected'),
  recovery: z
    .strictObject({ within: duration.describe('after the end of the fault') })
    .prefault({ within: '60s' })
    .describe('a peer that was away catches up with the others'),
  latency: z
    .strictObject({
      percentile: z.number().gt(0).max(100).default(95),
      below: duration,
    })
    .optional()
    .describe('of transactions, from when each was due until it was durable where it was sent'),
  blockLatency: z
    .strictObject({ percentile: z.number().gt(0).max(100).default(95), below: duration })
    .optional()
    .describe('of blocks, from composition until durable on the last peer that was up'),
  punishment: z
    .strictObject({
      within: z.int().min(1).default(60).describe('heights after the misbehaviour began'),
      timely: z
        .boolean()
        .default(true)
        .describe(
          'whether messages arrive within the timeouts; where the machine is too small for that, honest members may seem to let their turn pass and pay for it',
        ),
    })
    .prefault({})
    .describe('what can be proven of a planned misbehaviour has its consequence, and honest members pay nothing'),
  throughput: z
    .strictObject({ atLeast: z.number().gt(0).describe('committed transactions a second, over the time of the load') })
    .optional(),
  progress: z
    .strictObject({ slots: z.int().min(1).describe('slots that are settled at the end') })
    .optional()
    .describe('the market goes on'),
  modelGain: z
    .strictObject({
      atLeast: percent.describe('of what the oracle gains over doing nothing, in the return that EVs are trained on'),
    })
    .optional()
    .describe('the global model is worth something to every group of EVs, whoever sent what'),
  electionFairness: z
    .strictObject({
      significance: z
        .number()
        .gt(0)
        .lt(1)
        .default(0.001)
        .describe('a smaller p-value of the chi-square test is a violation'),
      minimumDraws: z.int().min(1).default(20).describe('with fewer draws that had a choice the verdict is unknown'),
    })
    .optional()
    .describe('miners are drawn as often as their weights say'),
});
export type ChecksConfig = z.infer<typeof checksSchema>;

const { timing } = nodeConfigSchema.shape;
const money = z.int().min(0).max(1_000_000_000);

const attackSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('sign-flip'),
    factor: z.number().gt(0).max(1_000).default(3).describe('so many times the opposite of the honest update'),
  }),
  z.strictObject({ kind: z.literal('noise'), sd: z.number().gt(0).describe('normal noise on every weight') }),
]);

const evsSchema = z.strictObject({
  preset: z.enum(['paper', 'sound']).default('sound').describe('rules of the market and wear of the batteries'),
  roundsPerDay: z.int().min(1).max(100).default(4).describe('learning rounds at the end of each day'),
  rule: z
    .strictObject({
      name: z.enum(['mean', 'median', 'trim', 'krum', 'multikrum', 'clip']),
      f: z.int().min(0).max(20).default(0).describe('attackers that it assumes'),
    })
    .optional()
    .describe('how updates become the next model; multi-Krum against as many attackers as it can when left out'),
  poisoned: z
    .strictObject({ peers: peersSchema, attack: attackSchema.prefault({ kind: 'sign-flip' }) })
    .optional()
    .describe('EVs that send poisoned updates'),
  freeRiders: peersSchema.optional().describe('EVs that train nothing and send the model back as they got it'),
  notPaying: z
    .strictObject({
      peers: peersSchema,
      untilDay: z.int().min(1).default(1_000).describe('first day on which they pay after all'),
    })
    .optional()
    .describe('EVs that keep their share of the mining reward'),
  evaluationDays: z.int().min(1).max(1_000).default(50).describe('days on which the model is measured for each group'),
});
export type EvsConfig = z.infer<typeof evsSchema>;

/** What the scenario says of its EVs, with defaults; null when it has none. */
export function evsOf({ protocol, evs }: Pick<Scenario, 'protocol' | 'evs'>): EvsConfig | null {
  return protocol === 'posoc' ? (evs ?? evsSchema.parse({})) : null;
}

export const scenarioSchema = z.strictObject({
  name: z.string().min(1).max(80).describe('title of the report, and with dashes the name of its folder'),
  description: z.string().default('').describe('what the experiment is to show'),
  protocol: z
    .enum(['poeg', 'posoc'])
    .default('poeg')
    .describe('the application: `poeg`, a market of prosumers; `posoc`, EVs that trade and learn together'),
  peers: z.int().min(1).max(64).default(4).describe('prosumers or EVs, each a peer of its own: p01, p02, ...'),
  seed: z.coerce.string().min(1).default('1').describe('decides keys, places, households and clients'),
  repetitions: z.int().min(1).max(100).default(1).describe('runs with seeds of their own, derived from `seed`'),
  until: z
    .union(
      [duration, z.strictObject({ height: z.int().min(1) }), z.strictObject({ slot: z.int().min(1) })],
      'write a duration such as 30s, {height: 60} or {slot: 24}',
    )
    .prefault('20s')
    .describe('how long the run lasts at least; it goes on until the timeline and the load are over'),
  limit: duration
    .prefault('10min')
    .describe('a run that is not done by then ends, and what it did not reach is unknown'),
  data: z
    .discriminatedUnion('source', [
      z.strictObject({
        source: z.literal('synthetic'),
        days: z.int().min(1).max(366).default(1),
        startDay: z.iso.date().optional().describe('first day of the series; it decides the season'),
        firstHour: z.int().min(0).max(23).default(0).describe('hour of the day that slot 1 trades'),
      }),
      z.strictObject({
        source: z.literal('households'),
        file: z
          .string()
          .describe(
            'JSON: a list of {household, position}, one a peer: a household as `wattmesh node` reads it, its place in km; relative to the scenario',
          ),
      }),
    ])
    .prefault({ source: 'synthetic' })
    .describe('what the prosumers make and use (`poeg`)'),
  evs: evsSchema.optional().describe('the EVs and how they learn (`posoc`)'),
  consensus: z
    .strictObject({
      quorum: z
        .int()
        .min(1)
        .max(64)
        .optional()
        .describe('votes that decide; more than two thirds (default: the fewest)'),
      slotClock: z
        .enum(['ready', 'wall'])
        .default('ready')
        .describe('`ready`: a slot ends as soon as all live members have announced; `wall`: by the clock'),
      slotLength: duration.prefault('10s').describe('real length of an hourly slot with `wall`'),
      slotPace: duration.prefault('250ms').describe('shortest slot with `ready`'),
      readyTimeout: duration
        .prefault('3s')
        .describe('how long a slot waits with `ready` for members that owe something'),
      timing: z
        .strictObject(
          Object.fromEntries(
            Object.entries(timing.unwrap().shape)
              .filter(([name]) => name !== 'slotPaceMs' && name !== 'readyTimeoutMs')
              .map(([name, field]) => [
                name,
                z
                  .int()
                  .min(0)
                  .max(86_400_000)
                  .optional()
                  .describe((field as z.ZodType).description ?? ''),
              ]),
          ) as Record<string, z.ZodOptional<z.ZodInt>>,
        )
        .prefault({})
        .describe('timeouts of the peers, in milliseconds; see `wattmesh node --explain`'),
      maxPoolTransactions: z.int().min(256).max(1_000_000).optional(),
    })
    .prefault({}),
  market: z
    .strictObject({
      lossCharge: z.enum(['half', 'full']).optional(),
      maxCoalitionSize: z.int().min(1).max(12).optional(),
      importMicroPerKwh: money.optional(),
      exportMicroPerKwh: money.optional(),
      localMicroPerKwh: money.optional(),
      rewardPpm: z.int().min(0).max(1_000_000).optional(),
    })
    .prefault({})
    .describe('`poeg`: prices in 10^-6 currency per kWh, the mining reward in parts per million of the saving'),
  load: z.array(loadSchema).max(16).default([]).describe('transfers among accounts of clients (`poeg`)'),
  timeline: z.array(faultSchema).max(1_000).default([]).describe('what is done to the network, and when'),
  checks: checksSchema
    .prefault({})
    .describe('bounds; what is always checked needs no entry here (see the list of checks)'),
});
export type Scenario = z.infer<typeof scenarioSchema>;
export type ScenarioInput = z.input<typeof scenarioSchema>;
