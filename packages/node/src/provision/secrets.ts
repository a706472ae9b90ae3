import { z } from 'zod';

const secret = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lowercase hex digits');

/** A member's own keys. The file is readable by its owner only and never logged. */
export const secretsSchema = z.strictObject({
  secretKey: secret.describe('secp256k1 secret of the member'),
  beaconShare: secret.describe('share of the beacon key that the operator dealt at genesis'),
});

/** The meter's key: in an experiment a file beside the peer, in the field a device. */
export const meterSchema = z.strictObject({ secretKey: secret });
