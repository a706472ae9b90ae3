import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { blockHash, type Certificate, decodeBlock, encodeBlock } from '@wattmesh/consensus';
import { Level } from 'level';
import { describe, expect, test } from 'vitest';
import { inspectCommand } from '../../src/cli/commands/inspect.ts';
import { exitCodeOf } from '../../src/cli/exit.ts';
import { chainDifference } from '../../src/inspect/chain-difference.ts';
import { electionReport } from '../../src/inspect/election-report.ts';
import { exportCsv } from '../../src/inspect/export-csv.ts';
import type { InspectedChain } from '../../src/inspect/inspected-chain.ts';
import { openChain } from '../../src/inspect/locate.ts';
import { verifyChain } from '../../src/inspect/verify-chain.ts';
import { peerFolder } from '../../src/provision/run-folder.ts';
import { heightKey } from '../../src/store/chain-layout.ts';
import { readSealed, sealed } from '../../src/store/level-folder.ts';
import { runCommand } from '../fixtures/run-command.ts';
import { startSmallNetwork } from '../fixtures/small-network.ts';
import { stoppedNetwork } from './stopped-network.ts';

const run = stoppedNetwork();
const { inspecting } = run;

/** A copy of a peer's data folder in which `change` has had its way with one stored value. */
async function damagedCopy(
  name: string,
  kind: 'block' | 'certificate' | 'state',
  height: number,
  change: (bytes: Uint8Array) => Uint8Array,
): Promise<InspectedChain> {
  const folder = join(run.scratch, name);
  await cp(join(peerFolder(run.network.folder, 'p01'), 'data'), folder, { recursive: true });
  const db = new Level<string, Uint8Array>(join(folder, 'chain'), { keyEncoding: 'utf8', valueEncoding: 'view' });
  await db.open();
  await db.put(heightKey(kind, height), sealed(change(readSealed(db, heightKey(kind, height)) as Uint8Array)));
  await db.close();
  return openChain({ run: '', data: folder, genesis: join(run.network.folder, 'genesis.json') });
}

describe('what is wrong is found', () => {
  test.each([
    ['a header with another chain time', 'block', 5, 'BLOCK_WRONG_CHAIN_TIME'],
    ['a payload with a flipped bit', 'payload', 6, 'BLOCK_NOT_OF_ITS_HASH'],
    ['a certificate with a forged signature', 'certificate', 7, 'CERTIFICATE_BAD_VOTE'],
    ['a kept state of another height', 'state', 8, 'BLOCK_WRONG_STATE_ROOT'],
  ] as const)('%s', async (name, what, height, code) => {
    const kind = what === 'payload' ? 'block' : what;
    const chain = await damagedCopy(name, kind, height, (bytes) => {
      if (what === 'certificate' || what === 'state') {
        const changed = Uint8Array.from(bytes);
        // The last bytes: of the last signature, or of the last total.
        changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
        return changed;
      }
      const block = decodeBlock(bytes);
      if (what === 'payload')
        return encodeBlock({ ...block, payload: block.payload.map((byte, k) => (k === 40 ? byte ^ 1 : byte)) });
      return encodeBlock({ ...block, header: { ...block.header, chainTimeMs: block.header.chainTimeMs + 1 } });
    });
    try {
      const { problem, verifiedHeights } = await verifyChain(chain);
      expect(problem).toMatchObject({ height, code });
      expect(verifiedHeights).toBe(height - 1);
    } finally {
      await chain.close();
    }
  });

  test('the first height at which two peers differ, and in what', async () => {
    const other = await damagedCopy('differs', 'block', 5, (bytes) => {
      const block = decodeBlock(bytes);
      return encodeBlock({ ...block, header: { ...block.header, chainTimeMs: block.header.chainTimeMs + 7 } });
    });
    try {
      await inspecting(async (chain) => {
        const { first, commonHeight } = await chainDifference(chain, other);
        expect(commonHeight).toBe(4);
        expect(first?.height).toBe(5);
        expect(first?.fields.map(({ field }) => field)).toEqual(['hash', 'header.chainTimeMs']);
        const { block } = await chain.at(5);
        const theirs = (await other.at(5)).block.header;
        expect(first?.fields[0]).toEqual({ field: 'hash', a: blockHash(block.header), b: blockHash(theirs) });
      }, 'p02');
    } finally {
      await other.close();
    }
  });

  test('beacon shares of other members than they claim', async () => {
    const chain = await damagedCopy('shares', 'block', 5, (bytes) => {
      const block = decodeBlock(bytes);
      const certificate = block.parentCertificate as Certificate;
      const shares = certificate.votes.map(({ extension }) => extension).reverse();
      const votes = certificate.votes.map((vote, k) => ({ ...vote, extension: shares[k] ?? null }));
      return encodeBlock({ ...block, parentCertificate: { ...certificate, votes } });
    });
    try {
      const { beacon } = await electionReport(chain, 5);
      expect(beacon?.shares.map(({ isValid }) => isValid)).toEqual([false, false]);
      expect(beacon).toMatchObject({ combinesToSignature: false, isSignatureValid: true });
    } finally {
      await chain.close();
    }
  });

  test('the commands end with the codes of a failed run', async () => {
    const folder = join(run.scratch, 'differs');
    const genesis = ['--genesis', join(run.network.folder, 'genesis.json')];
    const diff = runCommand(inspectCommand(), 'diff', '--run', run.network.folder, '--with-data', folder, ...genesis);
    await expect(diff).rejects.toMatchObject({ code: 'INSPECT_CHAINS_DIFFER', height: 5 });
    const verify = runCommand(inspectCommand(), 'verify', '--data', folder, ...genesis);
    await expect(verify).rejects.toMatchObject({ code: 'INSPECT_CHAIN_INVALID', height: 5 });
    const unclear = runCommand(inspectCommand(), 'diff', '--run', run.network.folder);
    await expect(unclear).rejects.toMatchObject({ code: 'INSPECT_BAD_OPTION' });
    const codes = ['INSPECT_CHAINS_DIFFER', 'INSPECT_CHAIN_INVALID', 'INSPECT_BAD_OPTION'];
    expect(codes.map((code) => exitCodeOf({ code }))).toEqual([1, 1, 2]);
  });

  test('a chain without a market has nothing to export', async () => {
    const chain = { rules: { application: { name: 'posoc' } } } as unknown as InspectedChain;
    await expect(exportCsv(chain, run.scratch)).rejects.toMatchObject({ code: 'INSPECT_NO_MARKET' });
  });

  test('two honest peers differ in nothing but how far they are', async () => {
    await inspecting(async (a) => {
      await inspecting(async (b) => {
        const difference = await chainDifference(a, b);
        expect(difference.first).toBeNull();
        expect(difference.commonHeight).toBe(Math.min(a.head, b.head));
      }, 'p02');
    });
  });

  test('a folder without a chain, and the chain of another genesis', async () => {
    const genesis = join(run.network.folder, 'genesis.json');
    await expect(openChain({ run: '', data: run.scratch, genesis })).rejects.toMatchObject({
      code: 'INSPECT_NO_CHAIN',
    });
    await expect(openChain({ run: '', data: run.scratch })).rejects.toMatchObject({ code: 'INSPECT_BAD_OPTION' });
    const other = await startSmallNetwork({ homes: 2, seed: 'other', peers: 1 });
    try {
      const data = join(peerFolder(run.network.folder, 'p01'), 'data');
      const foreign = join(other.folder, 'genesis.json');
      await expect(openChain({ run: '', data, genesis: foreign })).rejects.toMatchObject({
        code: 'INSPECT_OTHER_CHAIN',
      });
      // Its peer runs in this process and holds the lock.
      const held = openChain({ run: '', data: join(peerFolder(other.folder, 'p01'), 'data'), genesis: foreign });
      await expect(held).rejects.toMatchObject({ code: 'INSPECT_STORE_IN_USE' });
      const through = await openChain({ run: other.folder, peer: 'p01' });
      await inspecting(async (chain) => {
        await expect(chainDifference(chain, through)).rejects.toMatchObject({ code: 'INSPECT_OTHER_CHAIN' });
      });
    } finally {
      await other.stop();
      await other.remove();
    }
  });
});
