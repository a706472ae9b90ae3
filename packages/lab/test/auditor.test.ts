import { afterAll, beforeAll, expect, it } from 'vitest';
import { type HostileNetwork, startHostileNetwork } from '../../node/test/fixtures/hostile-network.ts';
import { ChainAuditor } from '../src/watch/chain-auditor.ts';

let network: HostileNetwork;

beforeAll(async () => {
  network = await startHostileNetwork({ 0: [{ name: 'refuse' }] });
  // A busy machine may let an honest member's turn pass as well: what is waited for is the refusal that was asked for.
  await network.until(({ view }) => view().state.discipline.outcomes.some(({ member }) => member === 0));
}, 120_000);

afterAll(async () => {
  await network.stop();
  await network.remove();
});

it('audits a chain with evidence of earlier heights, and reports whom it cost stake', () => {
  const honest = network.nodes.at(-1)!;
  const auditor = new ChainAuditor(honest.rules.genesis, ['p01', 'p02', 'p03', 'p04']);
  const audited = Array.from({ length: honest.store.head }, (_, k) => {
    const stored = honest.store.block(k + 1)!;
    return auditor.audit(stored.block, stored.certificate);
  });
  expect(auditor).toMatchObject({ height: honest.store.head, canGoOn: true });
  expect(audited.flatMap(({ block }) => block.evidence).some(({ type }) => type === 'timeout')).toBe(true);
  expect(audited.flatMap((one) => one.findings)).toEqual([]);
  const penalties = audited.flatMap(({ events }) => events.filter(({ type }) => type === 'penalty'));
  expect(penalties.map((event) => event.type === 'penalty' && event.member)).toContain('p01');
  expect(penalties).toContainEqual(expect.objectContaining({ member: 'p01', evidence: ['timeout'] }));
  // A turn that was refused: somebody else's block, in a later round.
  const blocks = audited.flatMap(({ events }) => events.filter((event) => event.type === 'block'));
  expect(blocks.filter(({ turn, composer }) => turn === composer).every(({ round }) => round % 4 === 0)).toBe(true);
  expect(blocks.some(({ turn, composer, round }) => turn === 'p01' && composer !== 'p01' && round > 0)).toBe(true);
});
