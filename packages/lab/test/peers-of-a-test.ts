import type { ControlReport, ControlSettings, ControlSettingsInput } from '@wattmesh/node';
import type { PeerState, Runtime } from '../src/runtime/runtime.ts';

type Count = ControlReport['links'][number];

/** A peer as the drivers of faults see it. */
export class TestPeer {
  state: PeerState = 'up';
  settings: ControlSettings = full({});
  words = '';
  counts: Count[] = [];
}

/** Peers p01, p02, ... without processes: they do what they are told at once, or when a test lets them. */
export class TestRuntime {
  readonly names: readonly string[];
  readonly network: Runtime['network'];
  readonly peers: Readonly<Record<string, TestPeer>>;
  /** Waited for by each start, after it has taken the settings. */
  starting: Promise<void> = Promise.resolve();

  constructor(count: number) {
    this.names = Array.from({ length: count }, (_, k) => `p0${k + 1}`);
    const members = this.names.map((name) => ({ name, publicKey: keyOfTest(name) }));
    this.network = { members } as unknown as Runtime['network'];
    this.peers = Object.fromEntries(this.names.map((name) => [name, new TestPeer()]));
  }

  peer(name: string): TestPeer {
    return this.peers[name] as TestPeer;
  }

  async start(name: string, settings: ControlSettingsInput): Promise<void> {
    const given = full(settings);
    await this.starting;
    Object.assign(this.peer(name), { state: 'up', settings: given });
  }

  async end(name: string): Promise<void> {
    this.peer(name).state = 'down';
  }

  async wipe(): Promise<void> {}

  async stateOf(name: string): Promise<PeerState> {
    return this.peer(name).state;
  }

  apiUrl(): null {
    return null;
  }

  async control(name: string, settings: ControlSettingsInput): Promise<void> {
    if (this.peer(name).state !== 'up') throw new Error(`${name} does not answer`);
    this.peer(name).settings = full(settings);
  }

  async report(name: string): Promise<ControlReport> {
    const { settings, counts } = this.peer(name);
    return { settings, links: counts.map((count) => ({ ...count })) } as unknown as ControlReport;
  }

  async journal(): Promise<{ records: readonly Uint8Array[]; damage: string | null }> {
    return { records: [], damage: null };
  }

  async lastWords(name: string): Promise<string> {
    return this.peer(name).words;
  }

  /** Messages that went over a link `p01>p02` or were lost on it, as the sender counts them. */
  count(link: string, delivered: number, lost: number, waitedMs = 0): void {
    const [from = '', to = ''] = link.split('>');
    const { counts } = this.peer(from);
    const remote = keyOfTest(to);
    const known = counts.find((one) => one.remote === remote);
    const before = known ?? { delivered: 0, lost: 0, waitedMs: 0 };
    const count: Count = {
      remote,
      direction: 'out',
      delivered: before.delivered + delivered,
      lost: before.lost + lost,
      waitedMs: before.waitedMs + waitedMs,
      maxWaitedMs: 0,
    };
    if (known === undefined) counts.push(count);
    else Object.assign(known, count);
  }

  get asRuntime(): Runtime {
    return this as unknown as Runtime;
  }
}

function full(settings: ControlSettingsInput): ControlSettings {
  return { links: [], clockSkewMs: 0, diskFull: false, trace: null, ...settings } as ControlSettings;
}

export function keyOfTest(name: string): string {
  return `02${name.slice(1).padStart(64, '0')}`;
}
