import { chainTimeOf } from '../chain/slots.ts';
import { ensure, type Subject } from './subject.ts';

/** Chain time follows from the parent and the embedded certificate alone. */
export function checkChainTime({ parent, block }: Subject): void {
  const expectedMs = chainTimeOf(parent, block.parentCertificate);
  const { chainTimeMs } = block.header;
  ensure(chainTimeMs === expectedMs, 'chain-time', 'BLOCK_WRONG_CHAIN_TIME', () => {
    return `the block has chain time ${chainTimeMs}, its certificate gives ${expectedMs}`;
  });
}
