import type { EvidenceItem } from '@wattmesh/consensus';
import type { ModelGain, TracedMessage } from '@wattmesh/node';

/** What a run writes down, one JSON object a line. `atMs` counts from when the network had come up. Bigints are strings. */
export type LabEvent = { readonly atMs: number } & (
  | { readonly type: 'started'; readonly chainId: string; readonly peers: readonly string[]; readonly quorum: number }
  | {
      readonly type: 'fault';
      readonly what: 'begun' | 'proven' | 'ended' | 'failed';
      readonly label: string;
      readonly kind: string;
      readonly peers: readonly string[];
      readonly proof: string | null;
      readonly failure: string | null;
    }
  /** A block that the laboratory has executed itself. */
  | {
      readonly type: 'block';
      readonly height: number;
      readonly hash: string;
      readonly kind: string;
      readonly slot: number;
      readonly term: number;
      /** Whose turn it was in the first round, who composed the block, and in which round it was decided. */
      readonly turn: string;
      readonly composer: string;
      readonly round: number;
      readonly transactions: number;
      readonly bytes: number;
      readonly chainTimeMs: number;
    }
  /** A block became durable on a peer. */
  | {
      readonly type: 'commit';
      readonly height: number;
      readonly peer: string;
      readonly composedAtMs: number | null;
      readonly viaSync: boolean;
    }
  | {
      readonly type: 'settlement';
      readonly height: number;
      readonly slot: number;
      readonly tradedWh: string;
      readonly producedWh: string;
      readonly consumedWh: string;
      readonly lossSavedHalfNanoWh: string;
      readonly rewardMicro: string;
      readonly members: readonly {
        readonly name: string;
        /** As announced; what an EV sells and buys. */
        readonly producedWh: string;
        readonly consumedWh: string;
        readonly billMicro: string;
        readonly withoutTradingMicro: string;
        readonly feeMicro: string;
        readonly shareMicro: string;
        readonly scoreWh: string;
        /** Billed for what the meter said of the slot before; 0 for who did as announced. */
        readonly deviationMicro: string;
      }[];
    }
  /** The draw of a term: what each candidate weighed, and who came first. */
  | {
      readonly type: 'draw';
      readonly height: number;
      readonly term: number;
      readonly isForced: boolean;
      readonly drawn: string | null;
      readonly weights: readonly { readonly miner: string; readonly weight: string }[];
    }
  /** A learning round of EVs: whose updates the block lists, and the model that they made. */
  | {
      readonly type: 'round';
      readonly height: number;
      readonly slot: number;
      readonly round: number;
      readonly rule: string;
      readonly isAggregated: boolean;
      readonly modelHash: string;
      readonly updates: readonly string[];
    }
  /** A model of a round, measured on days that nobody trains on. */
  | { readonly type: 'model'; readonly round: number; readonly hash: string; readonly gains: readonly ModelGain[] }
  /** The end of the EVs' day: scores, profits, and what is held of those who do not pay. */
  | {
      readonly type: 'day';
      readonly height: number;
      readonly day: number;
      /** Who earns the fees; null when nobody was drawn. */
      readonly miner: string | null;
      readonly rewardMicro: string;
      readonly members: readonly {
        readonly name: string;
        readonly scoreMicroKwh: string;
        readonly profitMicro: string;
        readonly feeMicro: string;
        readonly payoffMicro: string;
        readonly escrowMicro: string;
      }[];
    }
  | {
      readonly type: 'penalty';
      readonly height: number;
      readonly member: string;
      /** What the block took of its stake, what is left, and what it had in genesis; 10^-6 EPOS. */
      readonly lostMicro: string;
      readonly stakeMicro: string;
      readonly openingMicro: string;
      /** What proved it, by the types of evidence; absent in results that were written before this was told. */
      readonly evidence?: readonly EvidenceItem['type'][];
    }
  | {
      readonly type: 'sample';
      readonly peer: string;
      readonly state: string;
      readonly height: number | null;
      readonly connected: number | null;
      readonly poolTransactions: number | null;
      readonly cpuMs: number | null;
      readonly waitMs: number | null;
      readonly memoryBytes: number | null;
    }
  | {
      readonly type: 'load';
      readonly due: number;
      readonly sent: number;
      readonly missed: number;
      readonly refused: number;
      readonly committed: number;
      readonly outstanding: number;
    }
  | {
      readonly type: 'transactions';
      readonly height: number;
      readonly count: number;
      readonly latencyMs: number;
      readonly via: string;
    }
  | {
      readonly type: 'trace';
      readonly peer: string;
      readonly messages: readonly (TracedMessage & { readonly otherName: string | null })[];
    }
  | { readonly type: 'violation'; readonly check: string; readonly message: string; readonly height: number | null }
  | { readonly type: 'note'; readonly message: string }
);

type WithoutTime<E> = E extends { readonly atMs: number } ? Omit<E, 'atMs'> : never;
export type LabEventBody = WithoutTime<LabEvent>;
export type EventOf<T extends LabEvent['type']> = Extract<LabEvent, { readonly type: T }>;
