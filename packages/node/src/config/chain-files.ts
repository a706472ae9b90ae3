import {
  chainIdOf,
  createDigestSigner,
  createMemberSigner,
  type DigestSigner,
  type Genesis,
  GenesisError,
  genesisFromJson,
  type MemberSigner,
  type SignatureScheme,
  type ThresholdScheme,
} from '@wattmesh/consensus';
import { z } from 'zod';
import { meterSchema, secretsSchema } from '../provision/secrets.ts';
import { ConfigError, readJson } from './node-config.ts';

/** @throws ConfigError that names the file and the field */
export async function readGenesis(path: string): Promise<Genesis> {
  const json = await readJson(path, 'genesis', z.unknown());
  try {
    return genesisFromJson(json);
  } catch (error) {
    if (!(error instanceof GenesisError)) throw error;
    throw new ConfigError('CONFIG_INVALID', `the genesis ${path} is not valid: ${error.message}`, { cause: error });
  }
}

export interface MemberKeys {
  readonly rank: number;
  /** For libp2p, whose handshake proves the member's key. */
  readonly secretKey: Uint8Array;
  readonly signer: MemberSigner;
  readonly meter: DigestSigner | null;
}

/**
 * Reads a member's keys and holds each against the genesis: with another key than the one that stands there, the peer
 * would run and yet none of its votes, beacon shares or readings would count.
 * @throws ConfigError that names the file, never its content
 */
export async function readMemberKeys(
  files: { readonly genesis: string; readonly secrets: string; readonly meter?: string | undefined },
  genesis: Genesis,
  signatures: SignatureScheme,
  threshold: ThresholdScheme,
): Promise<MemberKeys> {
  const secrets = await readJson(files.secrets, 'secrets file', secretsSchema);
  const secretKey = Buffer.from(secrets.secretKey, 'hex');
  const signer = await keyOf(files.secrets, () =>
    createMemberSigner(signatures, threshold, secretKey, Buffer.from(secrets.beaconShare, 'hex')),
  );
  const rank = genesis.members.findIndex(({ publicKey }) => publicKey === signer.publicKey);
  const member = genesis.members[rank];
  if (member === undefined)
    throw new ConfigError(
      'CONFIG_INVALID',
      `the key in ${files.secrets} (${signer.publicKey.slice(0, 12)}) is no member of ${files.genesis}`,
    );
  const probe = chainIdOf(genesis);
  const share = await keyOf(files.secrets, () => Buffer.from(signer.signBeaconShare(probe), 'hex'));
  if (!threshold.verifyShare(share, Buffer.from(probe, 'hex'), Buffer.from(member.beaconKey, 'hex')))
    throw new ConfigError(
      'CONFIG_INVALID',
      `the beaconShare in ${files.secrets} is not the one that ${files.genesis} lists for member ${rank}`,
    );
  if (files.meter === undefined) return { rank, secretKey, signer, meter: null };
  const { secretKey: meterKey } = await readJson(files.meter, 'meter key', meterSchema);
  const meter = await keyOf(files.meter, () => createDigestSigner(signatures, Buffer.from(meterKey, 'hex')));
  if (meter.publicKey !== member.meterKey)
    throw new ConfigError(
      'CONFIG_INVALID',
      `the key in ${files.meter} is not the meter key that ${files.genesis} lists for member ${rank}`,
    );
  return { rank, secretKey, signer, meter };
}

async function keyOf<T>(file: string, make: () => T): Promise<T> {
  try {
    return make();
  } catch (error) {
    // Not the cause: it might quote what it was given.
    const code = (error as { code?: string }).code ?? 'not a key';
    throw new ConfigError('CONFIG_INVALID', `a key in ${file} cannot be used (${code})`);
  }
}
