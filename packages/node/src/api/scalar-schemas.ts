import { z } from 'zod';

/** What single values of the API's answers look like. */

export const hash = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .describe('SHA-256, lowercase hex');
export const publicKey = z
  .string()
  .regex(/^0[23][0-9a-f]{64}$/)
  .describe('compressed secp256k1 public key, lowercase hex');
export const hex = z
  .string()
  .regex(/^([0-9a-f]{2})*$/)
  .describe('bytes in lowercase hex');
export const count = z.int().min(0);
export const rank = z.int().min(0).describe('place of a member in the list of public keys');
export const milliseconds = z.number().min(0).describe('milliseconds since 1970-01-01 UTC');
/** Beyond 2^53 JSON numbers lose digits. */
export const amount = z
  .string()
  .regex(/^(0|[1-9]\d*)$/)
  .describe('integer of at least 0, in decimal digits');
export const signedAmount = z
  .string()
  .regex(/^(0|-?[1-9]\d*)$/)
  .describe('integer, in decimal digits');
