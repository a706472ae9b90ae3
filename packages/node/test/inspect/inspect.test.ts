import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PoegState } from '@wattmesh/consensus';
import { describe, expect, test } from 'vitest';
import { accountHistory } from '../../src/inspect/account-history.ts';
import { openApiChain } from '../../src/inspect/api-source.ts';
import { blockReport, blockRows } from '../../src/inspect/block-report.ts';
import { electionReport } from '../../src/inspect/election-report.ts';
import { CSV_COLUMNS, exportCsv } from '../../src/inspect/export-csv.ts';
import { heightFlow } from '../../src/inspect/height-flow.ts';
import { InspectedChain } from '../../src/inspect/inspected-chain.ts';
import { verifyChain } from '../../src/inspect/verify-chain.ts';
import { stoppedNetwork } from './stopped-network.ts';

/** What the peers said of themselves while they ran. */
let online: { verification: unknown; election: unknown; block: unknown; head: number; paged: string[] };

const run = stoppedNetwork(async (network) => {
  online = await inspecting(async (chain) => ({
    verification: await verifyChain(chain),
    election: await electionReport(chain, 10),
    block: await blockReport(chain, 8),
    head: chain.head,
    paged: await pagedHashes(network.nodes[0]?.apiUrl ?? ''),
  }));
});
const { inspecting } = run;

/** Hashes of all blocks, five at a request, from the last to the first and back. */
async function pagedHashes(apiUrl: string): Promise<string[]> {
  const chain = new InspectedChain(await openApiChain(apiUrl, undefined, 5));
  const heights = Array.from({ length: chain.head }, (_, k) => k + 1);
  const hashes: string[] = [];
  for (const height of [...heights].reverse().concat(heights)) hashes.push((await chain.at(height)).hash);
  await expect(chain.at(chain.head + 1)).rejects.toMatchObject({ code: 'INSPECT_NO_SUCH_BLOCK' });
  return hashes;
}

describe('a chain read from disk', () => {
  test('lists what the peers committed, in order and linked', async () => {
    const rows = await inspecting((chain) => blockRows(chain, 1, 1_000));
    expect(rows.length).toBeGreaterThanOrEqual(12);
    expect(rows.map(({ height }) => height)).toEqual(rows.map((_, k) => k + 1));
    rows.slice(1).forEach((row, k) => {
      expect(row.parentHash).toBe(rows[k]?.hash);
    });
    expect(rows.slice(0, 4).map(({ kind }) => kind)).toEqual(['closing', 'settlement', 'closing', 'settlement']);
  });

  test('explains a settlement: bills add up with the EDC, and the accounts change by them', async () => {
    await inspecting(async (chain) => {
      const { settlement, changes, composer } = await blockReport(chain, 6);
      const billed = settlement?.billed;
      expect(billed?.slot).toBe(2);
      expect(billed?.composer).toBe(composer);
      const bills = billed?.members.map(({ billMicro }) => BigInt(billMicro)) ?? [];
      expect(bills.reduce((sum, bill) => sum + bill, BigInt(billed?.edcMicro ?? 1))).toBe(0n);
      const deviation = settlement?.deviations.find(({ rank }) => rank === 1);
      expect(BigInt(deviation?.announcedNetWh ?? 0) - BigInt(deviation?.meteredNetWh ?? 0)).toBe(150n);
      for (const member of billed?.members ?? []) {
        const charged = settlement?.deviations.find(({ rank }) => rank === member.rank)?.memberMicro ?? '0';
        const change = changes.find(({ account }) => account === member.rank);
        expect(change?.clearingMicro).toBe(String(-BigInt(member.billMicro) - BigInt(charged)));
      }
      expect(changes.find(({ role }) => role === 'edc')?.name).toBe('EDC');
    });
  });

  test('follows an account from genesis to the state of its peer', async () => {
    const { rows, name, account } = await inspecting((chain) => accountHistory(chain, 'p02'));
    expect([name, account.rank]).toEqual(['p02', 1]);
    expect(rows[0]).toMatchObject({ height: 0, kind: 'genesis', clearingMicro: '0', eposMicro: '0' });
    const blocks = await inspecting(async (chain) =>
      Promise.all(rows.slice(1).map(({ height }) => blockReport(chain, height))),
    );
    rows.slice(1).forEach((row, k) => {
      const change = blocks[k]?.changes.find((one) => one.account === 1);
      expect(BigInt(row.clearingMicro) - BigInt(rows[k]?.clearingMicro ?? 0)).toBe(BigInt(change?.clearingMicro ?? 1));
      expect(BigInt(row.eposMicro) - BigInt(rows[k]?.eposMicro ?? 0)).toBe(BigInt(change?.eposMicro ?? 1));
    });
    expect(account.clearingMicro).toBe(rows.at(-1)?.clearingMicro);
  });

  test('an account has several names, and a wrong one is refused', async () => {
    await inspecting(async (chain) => {
      const key = chain.rules.genesis.members[1]?.publicKey ?? '';
      for (const which of ['1', 'p02', key, key.slice(0, 12)])
        expect((await accountHistory(chain, which)).account.rank).toBe(1);
      expect((await accountHistory(chain, 'EDC')).account.role).toBe('edc');
      for (const which of ['p99', '02', '9999'])
        await expect(accountHistory(chain, which)).rejects.toMatchObject({ code: 'INSPECT_NO_SUCH_ACCOUNT' });
    });
  });

  test('tells why a miner was drawn, by a draw that is computed anew', async () => {
    await inspecting(async (chain) => {
      for (let height = 1; height <= chain.head; height += 1) {
        const report = await electionReport(chain, height);
        expect(report).toMatchObject({ isEntitled: true, drawsAgree: true });
        if (report.term === 0) {
          expect(report.beacon).toBeNull();
          expect(report.seed).toBe(chain.rules.chainId);
          continue;
        }
        const { beacon } = report;
        expect(beacon).toMatchObject({ combinesToSignature: true, isSignatureValid: true, seed: report.seed });
        expect(beacon?.shares.map(({ isValid }) => isValid)).toEqual([true, true]);
        expect(
          createHash('sha256')
            .update(beacon?.signature ?? '', 'hex')
            .digest('hex'),
        ).toBe(report.seed);
        // By hand, in the words of the protocol: the first 16 bytes of the hash modulo the sum of the weights.
        const [draw] = report.draws;
        if (draw?.among !== 'candidates by weight') continue;
        const digest = createHash('sha256')
          .update('draw')
          .update(report.seed, 'hex')
          .update(Buffer.alloc(4))
          .digest('hex');
        const total = report.candidates.reduce((sum, { weight }) => sum + BigInt(weight), 0n);
        if (report.term > 1) expect(draw.value).toBe(String(BigInt(`0x${digest.slice(0, 32)}`) % total));
        expect(BigInt(draw.value)).toBeGreaterThanOrEqual(BigInt(draw.from));
        expect(BigInt(draw.value)).toBeLessThan(BigInt(draw.to));
      }
    });
  });

  test('shows who precommitted when, and the copy that the next block embeds', async () => {
    await inspecting(async (chain) => {
      const flow = await heightFlow(chain, 4);
      expect(flow.rounds.at(-1)?.outcome).toContain('decided');
      expect(flow.certificate.map(({ rank }) => rank)).toEqual([0, 1]);
      expect(flow.certificate.every(({ hasBeaconShare }) => hasBeaconShare)).toBe(true);
      const next = await chain.at(5);
      expect(flow.embedded?.map(({ timestampMs }) => timestampMs)).toEqual(
        next.block.parentCertificate?.votes.map(({ timestampMs }) => timestampMs),
      );
      expect((await heightFlow(chain, 3)).certificate.some(({ hasBeaconShare }) => hasBeaconShare)).toBe(false);
      expect((await heightFlow(chain, chain.head)).embedded).toBeNull();
      const voted = flow.certificate.find(({ rank }) => rank === 0);
      const precommits = flow.journal?.filter(({ type, blockHash }) => type === 'precommit' && blockHash === flow.hash);
      expect(precommits?.map(({ timestampMs }) => timestampMs)).toEqual([voted?.timestampMs]);
      expect(flow.journal?.find(({ type }) => type === 'lock')?.prevotesOf).toEqual([0, 1]);
    });
  });

  test('verifies from genesis, and gives the state that the peer ended with', async () => {
    const report = await inspecting((chain) => verifyChain(chain));
    const [node] = run.network.nodes;
    expect(report.problem).toBeNull();
    expect(report.verifiedHeights).toBe(report.head);
    expect(report.votes).toBe(2 * report.head);
    expect(report.keptStates).toBe(report.head);
    expect(report.beaconShares).toBeGreaterThan(0);
    expect(node?.view().state.height).toBe(report.head);
  });

  test('is read the same way through the API of the running peer', async () => {
    expect(online.verification).toMatchObject({ problem: null, verifiedHeights: online.head });
    await inspecting(async (chain) => {
      expect(await electionReport(chain, 10)).toEqual(online.election);
      expect(await blockReport(chain, 8)).toEqual(online.block);
      const hashes = (await blockRows(chain, 1, online.paged.length / 2)).map(({ hash }) => hash);
      expect(online.paged).toEqual([...hashes].reverse().concat(hashes));
    });
  });

  test('a hash names its block', async () => {
    await inspecting(async (chain) => {
      const { hash } = await chain.at(5);
      expect(await chain.heightOf(hash)).toBe(5);
      expect(await chain.heightOf(hash.slice(0, 8))).toBe(5);
      await expect(chain.heightOf('ffffffffffff')).rejects.toMatchObject({ code: 'INSPECT_NO_SUCH_BLOCK' });
      await expect(chain.heightOf('block five')).rejects.toMatchObject({ code: 'INSPECT_BAD_OPTION' });
      await expect(chain.at(chain.head + 1)).rejects.toMatchObject({ code: 'INSPECT_NO_SUCH_BLOCK' });
    });
  });
});

test('the CSV files hold every block, member and trade, and add up to the totals of the chain', async () => {
  const folder = join(run.scratch, 'csv');
  const { rows, state } = await inspecting(async (chain) => {
    const report = await exportCsv(chain, folder);
    return { rows: report.rows, state: await chain.stateAfter(chain.head) };
  });
  const read = async (name: string): Promise<Record<string, string>[]> => {
    const [header = '', ...lines] = (await readFile(join(folder, name), 'utf8')).trimEnd().split('\n');
    const columns = header.split(',');
    return lines.map((line) => Object.fromEntries(line.split(',').map((value, k) => [columns[k], value])));
  };
  const [blocks, prosumers, trades] = [await read('blocks.csv'), await read('prosumers.csv'), await read('trades.csv')];
  expect({ 'blocks.csv': blocks.length, 'prosumers.csv': prosumers.length, 'trades.csv': trades.length }).toEqual(rows);
  expect(blocks.length).toBe(state.height);
  expect(blocks.at(-1)?.hash).toBe(state.blockHash);

  const { totals } = state.app as PoegState;
  const sum = (items: readonly Record<string, string>[], column: string): bigint =>
    items.reduce((total, item) => total + BigInt(item[column] || 0), 0n);
  const billed = prosumers.filter(({ bill_micro }) => bill_micro !== '');
  const settledSlots = new Set(billed.map(({ slot }) => slot));
  expect(settledSlots.size).toBe(totals.settledSlots);
  // A slot is mined by the composer of the settlement that bills it, which is the one after that which formed its market.
  for (const row of billed.filter(({ mined }) => mined === '1')) {
    const billing = blocks.find(({ slot, kind }) => slot === row.slot && kind === 'settlement');
    expect(billing?.composer_rank).toBe(row.rank);
  }
  expect(sum(billed, 'mined')).toBe(BigInt(totals.settledSlots));
  expect(
    sum(
      trades.filter(({ slot }) => settledSlots.has(slot ?? '')),
      'energy_Wh',
    ),
  ).toBe(totals.energyTradedWh);
  expect(totals.energyTradedWh).toBeGreaterThan(0n);
  totals.members.forEach((member, rank) => {
    const own = prosumers.filter((row) => row.rank === String(rank));
    expect(sum(own, 'bill_micro')).toBe(member.billMicro);
    expect(sum(own, 'bill_without_trading_micro')).toBe(member.withoutTradingMicro);
    expect(sum(own, 'fee_micro')).toBe(member.feeMicro);
    expect(sum(own, 'share_micro')).toBe(member.shareMicro);
    expect(sum(own, 'deviation_micro')).toBe(member.deviationMicro);
    expect(sum(own, 'proof_score_Wh')).toBe(member.proofScoreWh);
    expect(sum(own, 'sold_in_coalition_Wh')).toBe(
      sum(
        trades.filter(({ seller_rank }) => seller_rank === String(rank)),
        'energy_Wh',
      ),
    );
  });
});

test('docs/inspect.md explains every column', async () => {
  const text = await readFile(new URL('../../../../docs/inspect.md', import.meta.url), 'utf8');
  for (const [file, columns] of Object.entries(CSV_COLUMNS)) {
    const [, section = ''] = text.split(`| \`${file}\` |`);
    const documented = [...section.split('\n\n')[0]!.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, column = '']) => column),
    );
    expect([file, documented]).toEqual([file, columns]);
  }
});
