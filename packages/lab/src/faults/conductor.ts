import { after, hasCome, type Moment, type Progress } from '../scenario/moment.ts';
import { isInstant, type PlannedFault, type TimelinePlan } from '../scenario/plan-timeline.ts';
import type { MisbehaviourChoice } from '../scenario/schema.ts';
import { FAULT_DRIVERS } from './drivers.ts';
import type { ActiveFault, FaultContext } from './fault.ts';

/** How a planned fault went. Times in milliseconds after the network came up. */
export interface FaultRecord {
  readonly label: string;
  readonly kind: string;
  readonly peers: readonly string[];
  readonly links: readonly string[];
  /** What the peers do to break the protocol; empty for faults from outside. */
  readonly misbehaviours: readonly MisbehaviourChoice[];
  beganMs: number | null;
  /** When it was first seen to take effect. */
  provenMs: number | null;
  endedMs: number | null;
  /** What showed that it took effect; null when nothing did. */
  proof: string | null;
  /** Why it could not begin or end. */
  failure: string | null;
}

interface Running {
  readonly fault: PlannedFault;
  readonly record: FaultRecord;
  dueMs: number | null;
  active: ActiveFault | null;
  endsAt: Moment | null;
  /** Beginning or ending: not to be touched. */
  isBusy: boolean;
}

export interface ConductorPorts {
  readonly context: FaultContext;
  progress(): Progress;
  /** The member that is to compose next, as some peer sees it. */
  miner(): Promise<string | null>;
  changed(record: FaultRecord, what: 'begun' | 'proven' | 'ended' | 'failed'): void;
}

/** Begins and ends the planned faults when their moments come, and collects the proof that each took effect. */
export class Conductor {
  readonly #ports: ConductorPorts;
  readonly #faults: Running[];
  readonly #busy = new Set<Promise<void>>();

  constructor(plan: TimelinePlan, ports: ConductorPorts) {
    this.#ports = ports;
    this.#faults = plan.faults.map((fault) => ({
      fault,
      record: {
        label: fault.label,
        kind: fault.kind,
        peers: fault.peers ?? [],
        links: fault.links,
        misbehaviours: fault.spec.do === 'misbehave' ? fault.spec.choices : [],
        beganMs: null,
        provenMs: null,
        endedMs: null,
        proof: null,
        failure: null,
      },
      dueMs: null,
      active: null,
      endsAt: null,
      isBusy: false,
    }));
  }

  get records(): readonly FaultRecord[] {
    return this.#faults.map(({ record }) => record);
  }

  /** Whether everything has begun and everything that ends has ended. */
  get isDone(): boolean {
    return this.#faults.every(
      ({ record, endsAt, isBusy }) =>
        !isBusy && (record.failure !== null || record.endedMs !== null || (record.beganMs !== null && endsAt === null)),
    );
  }

  /** Looks at the moments once; call it often. What it starts goes on by itself. */
  tick(): void {
    const progress = this.#ports.progress();
    for (const running of this.#faults) {
      if (running.isBusy || running.record.failure !== null || running.record.endedMs !== null) continue;
      if (running.record.beganMs === null) {
        if (running.dueMs === null && hasCome(running.fault.startsAt, progress))
          running.dueMs = progress.elapsedMs + running.fault.delayMs;
        if (running.dueMs !== null && progress.elapsedMs >= running.dueMs)
          this.#go(running, () => this.#begin(running));
      } else if (running.endsAt !== null && hasCome(running.endsAt, progress))
        this.#go(running, () => this.#end(running));
      else if (running.record.proof === null) this.#go(running, () => this.#prove(running));
    }
  }

  /** Waits for what is going on, and undoes what is still on, so that the network can come to rest. */
  async finish(): Promise<void> {
    await Promise.all(this.#busy);
    for (const running of this.#faults)
      if (running.active?.end !== undefined && running.record.endedMs === null)
        await this.#end(running).catch((error: Error) => this.#fail(running, error));
  }

  #go(running: Running, act: () => Promise<void>): void {
    running.isBusy = true;
    const done = act()
      .catch((error: Error) => this.#fail(running, error))
      .finally(() => {
        running.isBusy = false;
        this.#busy.delete(done);
      });
    this.#busy.add(done);
  }

  #fail({ record }: Running, { message }: Error): void {
    record.failure = message;
    this.#ports.changed(record, 'failed');
  }

  async #begin(running: Running): Promise<void> {
    const { fault } = running;
    let { peers } = fault;
    if (peers === null) {
      const miner = await this.#ports.miner();
      if (miner === null) throw new Error('nobody says who is to compose next');
      peers = [miner];
    }
    const { record } = running;
    Object.assign(record, { peers });
    record.beganMs = this.#ports.progress().elapsedMs;
    running.active = await FAULT_DRIVERS[fault.kind](this.#ports.context, fault, peers);
    const now = this.#ports.progress();
    running.endsAt = fault.lasts === null ? fault.endsAt : after(fault.lasts, { ...now, elapsedMs: record.beganMs });
    this.#ports.changed(record, 'begun');
    await this.#prove(running);
    if (isInstant(fault)) {
      record.endedMs = this.#ports.progress().elapsedMs;
      this.#ports.changed(record, 'ended');
    }
  }

  async #prove(running: Running): Promise<void> {
    const { record, active } = running;
    if (record.proof !== null || active === null) return;
    record.proof = await active.prove().catch(() => null);
    if (record.proof === null) return;
    record.provenMs = this.#ports.progress().elapsedMs;
    this.#ports.changed(record, 'proven');
  }

  async #end(running: Running): Promise<void> {
    await this.#prove(running);
    await running.active?.end?.();
    running.record.endedMs = this.#ports.progress().elapsedMs;
    this.#ports.changed(running.record, 'ended');
  }
}
