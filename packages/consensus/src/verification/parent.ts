import { BlockRejection } from '../application/rejection.ts';
import { verifyCertificate } from '../chain/certificate.ts';
import { CertificateError } from '../chain/errors.ts';
import { ensure, opensTerm, type Subject } from './subject.ts';

/** Chain, height, parent hash and the embedded certificate of the parent; the block at height 1 has none. */
export function checkParent(subject: Subject): void {
  const { rules, parent, block } = subject;
  const { header, parentCertificate: certificate } = block;
  ensure(header.chainId === rules.chainId, 'parent', 'BLOCK_WRONG_CHAIN', () => `the block is of ${header.chainId}`);
  ensure(header.height === parent.height + 1, 'parent', 'BLOCK_WRONG_HEIGHT', () => {
    return `the block has height ${header.height}, ${parent.height + 1} comes next`;
  });
  ensure(header.parentHash === parent.blockHash, 'parent', 'BLOCK_WRONG_PARENT', () => {
    return `the block follows ${header.parentHash}, the head is ${parent.blockHash}`;
  });
  if (parent.height === 0 || certificate === null) {
    ensure(parent.height === 0 && certificate === null, 'parent', 'BLOCK_BAD_CERTIFICATE', () => {
      return certificate === null
        ? 'the certificate of the parent is missing'
        : 'genesis is not decided by a certificate';
    });
    return;
  }
  const decides = certificate.height === parent.height && certificate.blockHash === parent.blockHash;
  ensure(decides, 'parent', 'BLOCK_BAD_CERTIFICATE', () => {
    return `the certificate decides ${certificate.blockHash} at height ${certificate.height}, not the parent`;
  });
  try {
    verifyCertificate(rules, certificate, opensTerm(subject) ? parent.term : null);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw new BlockRejection('parent', 'BLOCK_BAD_CERTIFICATE', error.message);
  }
}
