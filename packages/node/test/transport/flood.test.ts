import { afterEach, describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/transport/transport-limits.ts';
import { bytesOf, textOf } from './inbox.ts';
import { type Lab, type LabPeer, libp2pLabWith } from './lab.ts';

const BURST = 400;
const lane = { ...DEFAULT_LIMITS.lanes.votes, burstMessages: BURST };
const lanes = { ...DEFAULT_LIMITS.lanes, votes: lane, transactions: lane };

let lab: Lab | null = null;
afterEach(async () => {
  await lab?.close();
  lab = null;
});

async function threePeers(): Promise<readonly [flooder: LabPeer, victim: LabPeer, other: LabPeer]> {
  // The clock of the rates stands still: what is let through does not depend on how fast this machine is.
  lab = libp2pLabWith({ nowMs: () => 1_000_000 })({ members: 3, limits: { lanes } });
  await lab.start();
  const [flooder, victim, other] = lab.peers;
  if (flooder === undefined || victim === undefined || other === undefined) throw new Error('a lab of three');
  return [flooder, victim, other];
}

/** The others go on talking as if nothing had happened. */
async function expectUnaffected(victim: LabPeer, other: LabPeer): Promise<void> {
  other.port.send(victim.id, 'votes', bytesOf('a vote from the other'));
  victim.port.broadcast('bundles', bytesOf('a bundle of the victim'));
  await Promise.all([victim.inbox.received('a vote from the other'), other.inbox.received('a bundle of the victim')]);
  const changes = victim.inbox.connections.filter(({ member }) => member === other.id);
  expect(changes).toEqual([{ member: other.id, up: true }]);
}

describe('a member that floods another one over real sockets', () => {
  const FLOOD = BURST + 5 * DEFAULT_LIMITS.patiencePoints;

  it.each(['direct', 'gossip'] as const)('is throttled and then dropped (%s), and nobody else notices', async (via) => {
    const [flooder, victim, other] = await threePeers();
    const dropped = victim.inbox.down(flooder.id);
    for (let k = 0; k < FLOOD; k += 1) {
      const bytes = bytesOf(`flood ${k}`);
      if (via === 'direct') flooder.port.send(victim.id, 'votes', bytes);
      else flooder.port.broadcast('transactions', bytes);
      // What is in the middle of the flood gets through.
      if (k === FLOOD / 2) other.port.send(victim.id, 'request', bytesOf('in the middle'));
    }
    await dropped;
    await victim.inbox.received('in the middle');
    const delivered = victim.inbox.messages.filter(({ bytes }) => textOf(bytes).startsWith('flood')).length;
    expect(delivered).toBe(BURST);
    expect(victim.inbox.dropped(flooder.id, 'TRANSPORT_RATE_LIMITED')).toBeGreaterThan(DEFAULT_LIMITS.patiencePoints);
    expect(victim.log).toContainEqual(expect.objectContaining({ code: 'TRANSPORT_PENALISED', member: flooder.id }));
    await expectUnaffected(victim, other);
  });
});
