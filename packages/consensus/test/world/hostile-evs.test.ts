import { describe, expect, it } from 'vitest';
import type { Vote } from '../../src/chain/types.ts';
import { electionListOf } from '../../src/election/index.ts';
import { genesisState } from '../../src/execution/index.ts';
import type { PeerLike } from '../../src/misbehaviour/index.ts';
import { intercept, mapSends } from '../../src/misbehaviour/interception.ts';
import type { Outgoing, PeerEvent, PeerOutput } from '../../src/peer/ports.ts';
import { type PosocState, placeOfSlot } from '../../src/posoc/index.ts';
import { decodeMessage as decodeEv, signAction } from '../../src/posoc/messages.ts';
import { decodeMessage, encodeMessage, type Message } from '../../src/wire/messages.ts';
import { POSOC_LIFE } from './posoc-life.ts';
import { worldOf } from './run.ts';
import { World } from './world.ts';
import { FAIR, type WorldFault, type WorldOptions } from './world-options.ts';

const ROUND_SLOT = 28;

function optionsOf(seed: number, more: Partial<WorldOptions> = {}): WorldOptions {
  const pace = { slotPaceMs: 20, slotMs: 1_000, stormMs: 500, transactions: 0, weather: FAIR };
  return { ...worldOf(seed), seed: `hostile/${seed}`, life: POSOC_LIFE, members: 4, clock: 'ready', ...pace, ...more };
}

/** Who composes first in the world of these options. */
function firstComposer(options: WorldOptions): number {
  const { rules } = new World(options).chain;
  return electionListOf(rules, genesisState(rules), null)[0]?.rank as number;
}

const direct = ({ afterWrites }: Outgoing, to: string, bytes: Uint8Array): Outgoing => ({
  type: 'send',
  to,
  channel: 'request',
  bytes,
  ...(afterWrites === undefined ? {} : { afterWrites }),
});

describe('an EV that tells the composer that it is away, and the others that it is there', () => {
  it('is slashed itself, and the composer pays for nothing', () => {
    const options = optionsOf(1);
    const composer = firstComposer(options);
    const liar = [0, 1, 2, 3].find((rank) => rank !== composer) as number;
    const fault: WorldFault = {
      rank: liar,
      wrap: (peer, { rules: { genesis, chainId }, signer }) => {
        const twoFaced = (send: Outgoing, message: Message): Outgoing[] => {
          if (message.type !== 'contribution') return [send];
          const said = decodeEv(message.bytes);
          if (said.type !== 'action' || said.rank !== liar || said.ev === null) return [send];
          const action = { chainId, slot: said.slot, rank: liar, ev: null };
          const away = encodeMessage({
            type: 'contribution',
            bytes: signAction(action, (digest) => signer.sign(digest)),
          });
          return genesis.members.flatMap(({ publicKey }, rank) => {
            if (rank === liar || (send.type === 'send' && send.to !== publicKey)) return [];
            return [direct(send, publicKey, rank === composer ? away : send.bytes)];
          });
        };
        return mapSends(peer, twoFaced);
      },
    };
    const world = new World(optionsOf(1, { faults: [fault] }));
    world.storm();
    world.calm(60_000, () => (world.nodes[composer]?.peer?.view.state.slot ?? 0) >= 10);
    const { discipline } = world.nodes[composer]?.peer?.view.state ?? {};
    expect(discipline?.jailedThrough.map((through) => through > 0)).toEqual([0, 1, 2, 3].map((rank) => rank === liar));
    for (const { key } of discipline?.punished ?? [])
      expect(key).toMatch(new RegExp(`^contributions/action/\\d+/${liar}$`));
  });
});

/**
 * The composer of a learning round shows its block to two members only, which alone get its own update; as soon as both
 * have precommitted, it falls silent and they crash. `returns`: later it is back, and still gives nobody any bytes.
 */
function abandoned(seed: number, returns: boolean): { world: World; honest: readonly number[]; isOver(): boolean } {
  const options = optionsOf(seed, { clock: 'wall' });
  const liar = firstComposer(options);
  const honest = [0, 1, 2, 3].filter((rank) => rank !== liar);
  const shown = honest.slice(0, 2);
  const precommitted = new Set<number>();
  let state: 'acts' | 'silent' | 'back' = 'acts';
  const isLearning = (peer: PeerLike): boolean => {
    const { phase, slot } = peer.view.state;
    return phase === 'closed' && placeOfSlot(world.chain.rules.genesis, slot).round !== null;
  };
  const fault: WorldFault = {
    rank: liar,
    withholds: ({ bytes }) => {
      const message = decodeMessage(bytes);
      if (state === 'silent' || (state === 'back' && message.type === 'blob')) return true;
      if (message.type !== 'contribution') return false;
      const said = decodeEv(message.bytes);
      return said.type === 'update' && said.rank === liar;
    },
    wrap: (peer, { rules: { genesis } }) => {
      const counts = ({ type, voter, height, blockHash }: Vote): boolean =>
        type === 'precommit' && voter !== liar && blockHash !== null && height === peer.view.state.height + 1;
      const inbound = (event: PeerEvent): PeerEvent => {
        const message = state === 'acts' && event.type === 'message' ? decodeMessage(event.bytes) : null;
        if (message?.type === 'votes' && isLearning(peer))
          for (const vote of message.votes) if (counts(vote)) precommitted.add(vote.voter);
        if (state === 'acts' && precommitted.size >= shown.length) {
          state = 'silent';
          for (const rank of shown) world.crash(rank);
        }
        return event;
      };
      const outbound = (output: PeerOutput): PeerOutput => {
        if (state === 'silent') return { ...output, sends: [] };
        if (state === 'back' || !isLearning(peer)) return output;
        const keys = shown.map((rank) => genesis.members[rank]?.publicKey as string);
        const sends = output.sends.flatMap((send) => {
          if (send.type === 'send') return keys.includes(send.to) ? [send] : [];
          return keys.map((key) => direct(send, key, send.bytes));
        });
        return { ...output, sends };
      };
      return intercept(peer, { inbound, outbound });
    },
  };
  const world: World = new World({ ...options, faults: [fault] });
  world.storm();
  world.advanceUntil(40_000, () => state === 'silent');
  if (returns) state = 'back';
  const isOver = (): boolean => honest.every((rank) => (world.nodes[rank]?.peer?.view.state.slot ?? 0) >= ROUND_SLOT);
  return { world, honest, isOver };
}

describe('a block whose bytes only two members were given, who crash when they are locked on it', () => {
  it.each([
    [1, false],
    [2, false],
    [1, true],
    [2, true],
  ])(
    'is decided with them, and its model is there for the next rounds, under seed %i (composer back: %s)',
    (seed, returns) => {
      const { world, honest, isOver } = abandoned(seed, returns);
      world.calm(60_000, isOver);
      for (const rank of honest) {
        const peer = world.nodes[rank]?.peer as PeerLike;
        const { modelHash } = peer.view.state.app as PosocState;
        expect(peer.blobs.get(modelHash)).not.toBeNull();
      }
    },
  );
});
