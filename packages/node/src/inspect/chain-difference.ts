import { type Block, batchHash, type Certificate } from '@wattmesh/consensus';
import { InspectError } from './errors.ts';
import type { InspectedChain, StoredHeight } from './inspected-chain.ts';

export interface FieldDifference {
  /** `header.composer`, `transactions`, `payload`, `parentCertificate.voters`, ... */
  readonly field: string;
  readonly a: string;
  readonly b: string;
}

export interface ChainDifference {
  readonly a: { readonly label: string; readonly head: number };
  readonly b: { readonly label: string; readonly head: number };
  /** Last height up to which both hold the same blocks. */
  readonly commonHeight: number;
  /** The first height with different blocks, and what differs; null when one chain is the beginning of the other. */
  readonly first: { readonly height: number; readonly fields: readonly FieldDifference[] } | null;
  /** Common heights whose kept certificates hold other votes: no fault, a quorum is a quorum. */
  readonly otherCertificates: readonly number[];
}

/**
 * The first height at which two peers hold different blocks.
 * @throws InspectError INSPECT_OTHER_CHAIN when they have different genesis.
 */
export async function chainDifference(a: InspectedChain, b: InspectedChain): Promise<ChainDifference> {
  if (a.rules.chainId !== b.rules.chainId)
    throw new InspectError(
      'INSPECT_OTHER_CHAIN',
      `${a.source.label} is of chain ${a.rules.chainId.slice(0, 12)}, ${b.source.label} of ${b.rules.chainId.slice(0, 12)}`,
    );
  const otherCertificates: number[] = [];
  const sides = {
    a: { label: a.source.label, head: a.head },
    b: { label: b.source.label, head: b.head },
  };
  const shared = Math.min(a.head, b.head);
  for (let height = 1; height <= shared; height += 1) {
    const [ours, theirs] = [await a.at(height), await b.at(height)];
    const fields = differencesOf(ours, theirs);
    if (fields.length > 0) return { ...sides, commonHeight: height - 1, first: { height, fields }, otherCertificates };
    if (votersOf(ours.certificate) !== votersOf(theirs.certificate)) otherCertificates.push(height);
  }
  return { ...sides, commonHeight: shared, first: null, otherCertificates };
}

function differencesOf(a: StoredHeight, b: StoredHeight): FieldDifference[] {
  const fields: FieldDifference[] = [];
  const compare = (field: string, left: string, right: string): void => {
    if (left !== right) fields.push({ field, a: left, b: right });
  };
  compare('hash', a.hash, b.hash);
  for (const name of Object.keys(a.block.header) as (keyof Block['header'])[])
    compare(`header.${name}`, String(a.block.header[name]), String(b.block.header[name]));
  compare('parentCertificate.voters', votersOf(a.block.parentCertificate), votersOf(b.block.parentCertificate));
  compare('transactions', batchesOf(a.block), batchesOf(b.block));
  compare('payload', payloadOf(a.block), payloadOf(b.block));
  return fields;
}

function votersOf(certificate: Certificate | null): string {
  if (certificate === null) return 'none';
  return `round ${certificate.round}: ${certificate.votes.map(({ voter, timestampMs }) => `${voter}@${timestampMs}`).join(' ')}`;
}

function batchesOf({ batches }: Block): string {
  return batches.map((batch) => batchHash(batch).slice(0, 16)).join(' ') || 'none';
}

function payloadOf({ payload, header }: Block): string {
  return payload.length === 0 ? 'none' : `${payload.length} bytes, ${header.payloadHash.slice(0, 16)}`;
}
