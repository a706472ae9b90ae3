import { aggregateModels, modelHash } from '@wattmesh/frl';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Contribution } from '../../src/application/types.ts';
import { payloadHash } from '../../src/chain/block.ts';
import { blockHash } from '../../src/chain/index.ts';
import type { ComposedBlock } from '../../src/composition/index.ts';
import { executeBlock, stateRoot } from '../../src/execution/index.ts';
import { finiteWeights } from '../../src/posoc/index.ts';
import { type UpdateHead, updateDigest } from '../../src/posoc/messages.ts';
import { decodePayload, encodePayload, type SettlementPayload } from '../../src/posoc/payload.ts';
import { MemoryBlobs, PosocChain, tinyTensor } from '../fixtures/posoc-chain.ts';

const LAST_HOUR = 23;
const tensors = [0, 1, 2, 3].map((rank) => tinyTensor((k) => rank + k / 7));
const weightsOf = (tensor: Uint8Array) => finiteWeights(tensor, tensor.length / 8) as Float64Array;

let chain: PosocChain;
let updates: Contribution[];
beforeEach(() => {
  chain = new PosocChain();
  chain.skipTo(LAST_HOUR);
  updates = tensors.map((tensor, rank) => chain.update(rank, tensor));
});

/** The block with another payload, as a composer would make it that wants it to be believed: all hashes and the state fit. */
function forged(composed: ComposedBlock, change: (payload: SettlementPayload) => SettlementPayload): ComposedBlock {
  const payload = encodePayload(change(decodePayload(composed.block.payload)));
  const { blobs: _, ...trusting } = chain.rules;
  const draft = { ...composed.block, payload, header: { ...composed.block.header, payloadHash: payloadHash(payload) } };
  let root = draft.header.stateRoot;
  try {
    root = stateRoot(trusting, executeBlock(trusting, chain.state, draft, composed.blockHash));
  } catch {
    // Not executable: whatever root it promises, it is refused before that.
  }
  const block = { ...draft, header: { ...draft.header, stateRoot: root } };
  return { ...composed, block, blockHash: blockHash(block.header) };
}

function signedHead(sign: (digest: string) => string, head: UpdateHead): UpdateHead {
  return { ...head, signature: sign(updateDigest(head)) };
}

function settlementWith(contributions: readonly Contribution[]): ComposedBlock {
  chain.close();
  return chain.compose('settlement', { contributions });
}

describe('a learning round', () => {
  test('gives the rule applied to exactly the listed updates, the same on every voter', () => {
    const settlement = settlementWith(updates.slice(1));
    const { results, updates: heads } = decodePayload(settlement.block.payload);
    expect(heads.map(({ rank }) => rank)).toEqual([1, 2, 3]);
    const expected = aggregateModels(
      weightsOf(tinyTensor(() => 0)),
      tensors.slice(1).map((tensor, k) => ({ rank: k + 1, weights: weightsOf(tensor) })),
      { name: 'mean' },
    ).weights;
    expect(results.model).toEqual({
      round: 1,
      rule: { name: 'mean', f: 0 },
      isAggregated: true,
      hash: modelHash(expected),
    });
    chain.commit(settlement);
    expect(chain.app).toMatchObject({ modelHash: modelHash(expected), rounds: 1, aggregations: 1 });
    expect(weightsOf(chain.blobs.get(chain.app.modelHash) as Uint8Array)).toEqual(expected);

    // The next round starts from that model.
    chain.skipTo(24 + LAST_HOUR);
    const next = chain.settle([0, 1].map((rank) => chain.update(rank, tensors[rank] as Uint8Array)));
    expect(decodePayload(next.block.payload).results.model).toMatchObject({
      round: 2,
      hash: modelHash(
        aggregateModels(
          expected,
          [0, 1].map((rank) => ({ rank, weights: weightsOf(tensors[rank] as Uint8Array) })),
          { name: 'mean' },
        ).weights,
      ),
    });
  });

  test('leaves the model as it is with fewer than minUpdates, or when finite updates add up to infinity', () => {
    const before = chain.app.modelHash;
    chain.settle(updates.slice(0, 1));
    expect(chain.app).toMatchObject({ modelHash: before, rounds: 1, aggregations: 0 });
    chain.skipTo(24 + LAST_HOUR);
    chain.settle(
      [0, 1].map((rank) =>
        chain.update(
          rank,
          tinyTensor(() => Number.MAX_VALUE),
        ),
      ),
    );
    expect(chain.app).toMatchObject({ modelHash: before, rounds: 2, aggregations: 0 });
  });

  test('is refused with any other model, by everybody who has the bytes', () => {
    const settlement = settlementWith(updates);
    const wrong = forged(settlement, (payload) => ({
      ...payload,
      results: {
        ...payload.results,
        model: { ...(payload.results.model as NonNullable<typeof payload.results.model>), hash: 'ab'.repeat(32) },
      },
    }));
    expect(chain.verify(wrong)).toMatchObject({
      ok: false,
      rejection: { check: 'settlement', code: 'POSOC_WRONG_MODEL' },
    });
    expect(chain.verify(settlement).ok).toBe(true);
    // Decided by a certificate, it would be taken at its word; that is what the quorum is for.
    const { blobs: _, ...trusting } = chain.rules;
    expect(chain.verify(wrong, trusting).ok).toBe(true);
  });

  test('cannot be judged without the listed bytes, and names those that it needs', () => {
    const settlement = settlementWith(updates);
    const { application, genesis } = chain.rules;
    const needed = application.neededBlobs?.(genesis, LAST_HOUR, chain.state.app, settlement.block.payload);
    expect(needed).toEqual(updates.map(({ blob }) => blob?.hash));
    const elsewhere = { ...chain.rules, blobs: new MemoryBlobs() };
    expect(chain.verify(settlement, elsewhere)).toMatchObject({ rejection: { code: 'POSOC_BYTES_UNAVAILABLE' } });
    for (const { blob } of updates) elsewhere.blobs.add(blob?.bytes as Uint8Array);
    expect(chain.verify(settlement, elsewhere).ok).toBe(true);
    chain.commit(settlement);
    chain.skipTo(24 + LAST_HOUR);
    expect(application.neededBlobs?.(genesis, chain.state.slot, chain.state.app, null)).toEqual([chain.app.modelHash]);
    expect(application.neededBlobs?.(genesis, 25, chain.state.app, settlement.block.payload)).toEqual([]);
    expect(application.keptBlobs?.(settlement.block.payload)).toEqual([...(needed ?? []), chain.app.modelHash]);
  });

  test('of listed bytes that are no model is refused, although their author has signed them', () => {
    const { rules, network } = chain;
    const settlement = settlementWith(updates);
    const poison = tinyTensor((k) => (k === 3 ? Number.NaN : 0));
    const short = poison.subarray(8);
    for (const [tensor, code] of [
      [poison, 'POSOC_UPDATE_NON_FINITE'],
      [short, 'POSOC_UPDATE_WRONG_SIZE'],
    ] as const) {
      const tensorHash = chain.blobs.add(tensor);
      const block = forged(settlement, (payload) => ({
        ...payload,
        updates: payload.updates.map((head) =>
          head.rank === 2 ? signedHead(network.signers[2]?.sign as never, { ...head, tensorHash }) : head,
        ),
      }));
      expect(chain.verify(block, rules)).toMatchObject({ ok: false, rejection: { code } });
    }
  });
});
