import { isDeepStrictEqual } from 'node:util';
import type { ControlSettings, ControlSettingsInput } from '@wattmesh/node';
import type { Runtime } from '../runtime/runtime.ts';
import type { MisbehaviourChoice } from '../scenario/schema.ts';

type LinkSetting = ControlSettings['links'][number];
export type LinkCondition = Omit<LinkSetting, 'remote' | 'direction'>;

/** What one fault asks of one peer. */
export type ControlPart = Partial<Pick<ControlSettings, 'clockSkewMs' | 'diskFull' | 'trace'>> & {
  readonly links?: readonly LinkSetting[];
};

/** What a configuration says of a member that breaks the protocol. */
export interface Misbehaviour {
  readonly choices: readonly MisbehaviourChoice[];
  /** Public keys. */
  readonly accomplices: readonly string[];
}

/**
 * What all faults together ask of each peer. A peer that is started anew begins with what is asked of it then; one that is
 * paused hears of changes when it goes on.
 */
export class Controls {
  readonly #runtime: Runtime;
  readonly #misbehaviours = new Map<string, Misbehaviour>();
  readonly #parts = new Map<string, Map<string, ControlPart>>();
  /** Peers that were told to start and do not answer yet. */
  readonly #starting = new Set<string>();
  /** The newest order to each peer: the next one waits for it, so that none overtakes a newer one. */
  readonly #told = new Map<string, Promise<void>>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /**
   * Adds or replaces what `fault` asks of a peer; null takes it back. Resolves when the peer, if it runs, has heard; one that
   * is just starting hears of it at the end of its start.
   */
  async set(name: string, fault: string, part: ControlPart | null): Promise<void> {
    const parts = this.#parts.get(name) ?? new Map<string, ControlPart>();
    this.#parts.set(name, parts);
    if (part === null) parts.delete(fault);
    else parts.set(fault, part);
    if (!(await this.#isListening(name))) return;
    try {
      await this.refresh(name);
    } catch (error) {
      // Another fault may have ended the peer meanwhile: its next start brings the settings.
      if (await this.#isListening(name)) throw error;
    }
  }

  /** Says how a peer misbehaves from its next start on; null: not at all. */
  configure(name: string, misbehaviour: Misbehaviour | null): void {
    if (misbehaviour === null) this.#misbehaviours.delete(name);
    else this.#misbehaviours.set(name, misbehaviour);
  }

  /** Starts a peer that is down with all that is asked of it now. */
  async start(name: string): Promise<void> {
    const misbehaviour = this.#misbehaviours.get(name);
    const given = this.settingsOf(name);
    this.#starting.add(name);
    try {
      await this.#runtime.start(name, given, misbehaviour === undefined ? {} : { misbehaviour });
    } finally {
      this.#starting.delete(name);
    }
    // A start takes seconds. What another fault began or ended in that time was not sent, because nobody listened.
    if (!isDeepStrictEqual(given, this.settingsOf(name))) await this.refresh(name);
  }

  /** Tells a peer again: it may have missed a change while it was paused. */
  async refresh(name: string): Promise<void> {
    const before = this.#told.get(name) ?? Promise.resolve();
    const told = before.catch(() => undefined).then(() => this.#runtime.control(name, this.settingsOf(name)));
    this.#told.set(name, told);
    await told;
  }

  settingsOf(name: string): ControlSettingsInput {
    const parts = [...(this.#parts.get(name)?.values() ?? [])];
    return {
      links: linksOf(parts),
      clockSkewMs: parts.reduce((sum, { clockSkewMs }) => sum + (clockSkewMs ?? 0), 0),
      diskFull: parts.some(({ diskFull }) => diskFull === true),
      trace: parts.find(({ trace }) => trace != null)?.trace ?? null,
    };
  }

  /** What faults other than `fault` ask of a peer's link to a remote key. */
  othersOn(name: string, fault: string, remote: string): LinkCondition {
    const others = [...(this.#parts.get(name) ?? [])].filter(([label]) => label !== fault).map(([, part]) => part);
    const setting = linksOf(others).find((link) => link.direction === 'out' && link.remote === remote);
    const { remote: _, direction: __, ...condition } = setting ?? { remote, direction: 'out' };
    return condition;
  }

  async #isListening(name: string): Promise<boolean> {
    return (await this.#runtime.stateOf(name)) === 'up' && !this.#starting.has(name);
  }
}

function linksOf(parts: readonly ControlPart[]): LinkSetting[] {
  const links = new Map<string, LinkSetting>();
  for (const link of parts.flatMap((part) => part.links ?? [])) {
    const key = `${link.direction} ${link.remote}`;
    links.set(key, { ...links.get(key), ...link });
  }
  return [...links.values()];
}
