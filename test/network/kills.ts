import { expect } from 'vitest';
import { type Ack, type TestNetwork, until } from './network.ts';

/** Deterministic choice of moments, so that a failing round can be named. The machine decides the rest. */
export function momentMs(round: number): number {
  return (round * 7_919) % 1_700;
}

/**
 * Kills every peer at once while clients send transfers, starts them again, and checks what must have survived.
 * Returns the acknowledgements of all rounds.
 */
export async function killAllAndResume(net: TestNetwork, round: number, acks: Ack[]): Promise<void> {
  const ranks = net.ranks;
  const before = Math.max(...(await Promise.all(ranks.map(async (rank) => (await net.status(rank)).height))));
  let isKilled = false;
  const clients = [0, 1, 2].map(async (client) => {
    const from = (round * 3 + client) % ranks.length;
    const ack = await net.transfer(from, (from + round) % ranks.length, 1n).catch((error) => {
      // Only the kill may come between a client and its answer.
      if (!isKilled) throw error;
      return null;
    });
    if (ack !== null) acks.push(ack);
  });
  const dueMs = Date.now() + momentMs(round);
  await until(`moment ${momentMs(round)} ms`, 10_000, async () => ({ isDone: Date.now() >= dueMs, found: '' }));
  isKilled = true;
  await net.kill(ranks);
  await Promise.all(clients);
  for (const rank of ranks) expect(await net.conflictingSignatures(rank), `member ${rank}, round ${round}`).toEqual([]);
  await net.start();
  await net.reaches(before + 3);
  for (const { id, height } of acks)
    for (const rank of [round % ranks.length, (round + 5) % ranks.length]) {
      await net.reaches(height, [rank]);
      expect((await net.get<{ height: number }>(rank, `/transactions/${id}`)).height, `${id} at member ${rank}`).toBe(
        height,
      );
    }
}
