import type { AnyMember, ControlReport, ControlSettingsInput, ProvisionedNetwork } from '@wattmesh/node';

/** Configuration that a fault adds. */
export type ExtraConfig = Readonly<Record<string, unknown>>;

export const NO_JOURNAL = 'there is no journal';

export type PeerState = 'up' | 'paused' | 'down';

/**
 * Where the peers of a run live. Two implementations, processes and containers, pass one compliance suite
 * (`test/runtime-compliance.ts`); faults know nothing but this.
 *
 * A peer is named p01, p02, ... What is said of a peer's state is looked up, not remembered.
 */
export interface Runtime {
  readonly kind: 'process' | 'docker';
  readonly network: ProvisionedNetwork<AnyMember>;
  readonly names: readonly string[];
  /**
   * Starts a peer that is down and waits until it serves its API. `settings` are in force from its first moment on;
   * `extra` is added to its configuration for this time.
   */
  start(name: string, settings: ControlSettingsInput, extra?: ExtraConfig): Promise<void>;
  /** `kill` gives no warning, `stop` asks. Resolves when the peer is gone; one that is down stays down. */
  end(name: string, how: 'kill' | 'stop'): Promise<void>;
  pause(name: string): Promise<void>;
  resume(name: string): Promise<void>;
  /**
   * Takes a peer that is up off the network, and back; absent where peers have no network of their own. While it is off its
   * API cannot be reached, its control endpoint can.
   */
  readonly cable?: {
    unplug(name: string): Promise<void>;
    plug(name: string): Promise<void>;
    isPlugged(name: string): Promise<boolean>;
  };
  /** Removes the data of a peer that is down. */
  wipe(name: string): Promise<void>;
  stateOf(name: string): Promise<PeerState>;
  /** Names the running process or container: another one after each start; null when it is down. */
  instanceOf(name: string): Promise<string | null>;
  /** Base of the peer's HTTP API; null when it is down. */
  apiUrl(name: string): string | null;
  /** @throws ClusterError PEER_UNREACHABLE when the peer is down or does not answer */
  control(name: string, settings: ControlSettingsInput): Promise<void>;
  report(name: string, fromHeight: number): Promise<ControlReport>;
  /**
   * Records of the peer's journal, as they are on its disk now; and what is damaged in it. Where there is none the damage is
   * NO_JOURNAL, or the error's code ENOENT.
   */
  journal(name: string): Promise<{ readonly records: readonly Uint8Array[]; readonly damage: string | null }>;
  /** The end of what the peer said on standard error and in its log. */
  lastWords(name: string): Promise<string>;
  /** What a peer has used so far; null where that cannot be measured. */
  usage(name: string): Promise<PeerUsage | null>;
  /** Ends everything. The peers' folders stay. */
  close(): Promise<void>;
}

export interface PeerUsage {
  readonly cpuMs: number;
  /** For how long its main thread could have run and got no processor; null where the system does not tell. */
  readonly waitMs: number | null;
  readonly memoryBytes: number;
}
