import {
  batchHash,
  blockHash,
  type ChainRules,
  decodeBlock,
  decodeCertificate,
  decodeState,
  isBlockOf,
  stateRoot,
  transactionId,
} from '@wattmesh/consensus';
import type { StoreCodec } from './chain-check.ts';

/** What the store asks of the chain when it checks itself. */
export function storeCodec(rules: ChainRules): StoreCodec {
  return {
    chainId: rules.chainId,
    describeBlock: (bytes) => {
      const block = decodeBlock(bytes);
      const { header } = block;
      const hash = blockHash(header);
      if (!isBlockOf(block, hash)) throw new Error('the body is not the one that the header commits to');
      return { hash, parentHash: header.parentHash, height: header.height, stateRoot: header.stateRoot };
    },
    transactionIds: (bytes) =>
      decodeBlock(bytes).batches.flatMap((batch) => {
        const hash = batchHash(batch);
        return batch.operations.map((_, index) => transactionId(hash, index));
      }),
    evidenceBlocks: rules.genesis.penalties.evidenceBlocks,
    describeCertificate: (bytes) => decodeCertificate(bytes),
    stateRoot: (bytes) => stateRoot(rules, decodeState(rules, bytes)),
  };
}
