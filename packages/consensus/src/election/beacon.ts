import type { ChainRules } from '../chain/state.ts';
import type { Certificate, Hash, Hex } from '../chain/types.ts';
import { encode, fromHex, isHex, toHex, u53 } from '../codec/index.ts';
import { sha256, taggedHash } from '../crypto/index.ts';
import { ElectionError } from './errors.ts';

/**
 * What the beacon shares for `term` sign: the chain, the term and the settlement block that fixed the term's weights
 * (protocol section 3.6). Other weights make another block, another message, and shares for this one useless.
 */
export function beaconMessage(chainId: Hash, term: number, settlementHash: Hash): Hash {
  return taggedHash('beacon', fromHex(chainId), encode(u53, term), fromHex(settlementHash));
}

/** The seed that a combined signature (96 bytes) stands for. */
export function seedOfSignature(signature: Hex): Hash {
  return sha256(fromHex(signature));
}

/** Whether a combined signature seeds `term` after the settlement; false for every malformed input. */
export function verifySeedSignature(
  rules: Pick<ChainRules, 'genesis' | 'chainId' | 'threshold'>,
  term: number,
  settlementHash: Hash,
  signature: Hex,
): boolean {
  if (!isHex(signature, 96)) return false;
  const message = fromHex(beaconMessage(rules.chainId, term, settlementHash));
  return rules.threshold.verifyCombined(fromHex(signature), message, fromHex(rules.genesis.beaconGroupKey));
}

export interface Seed {
  /** Combined BLS signature, 96 bytes: stands in the header of the term's first block. */
  readonly signature: Hex;
  readonly seed: Hash;
}

// Verifying and executing a term's first block ask for its seed several times, and combining takes milliseconds. The
// result depends on nothing but the certificate, which never changes.
const combined = new WeakMap<Certificate, Seed>();

/**
 * Combines the shares in the certificate of a term's last settlement, which has been verified. Any `q` valid shares
 * give the same signature and seed.
 * @throws ElectionError ELECTION_MISSING_SHARE when a vote carries none.
 * @throws CryptoError CRYPTO_SHARES when a share is no point of the group.
 */
export function combineSeed(rules: Pick<ChainRules, 'threshold'>, certificate: Certificate): Seed {
  const known = combined.get(certificate);
  if (known !== undefined) return known;
  const shares = certificate.votes.map(({ voter, extension }) => {
    const share = extension?.beaconShare ?? null;
    if (share === null) {
      throw new ElectionError(
        'ELECTION_MISSING_SHARE',
        `the certificate of height ${certificate.height} holds no beacon share of member ${voter}: it decided no term's last settlement`,
      );
    }
    return { rank: voter, share: fromHex(share) };
  });
  const signature = toHex(rules.threshold.combine(shares));
  const result = { signature, seed: seedOfSignature(signature) };
  combined.set(certificate, result);
  return result;
}
