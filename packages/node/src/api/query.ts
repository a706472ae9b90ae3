import { badRequest } from './errors.ts';

/** An integer of a query or a path within bounds. @throws ApiError API_BAD_REQUEST that names them */
export function queryInteger(
  name: string,
  text: string | undefined,
  fallback: number,
  min: number,
  max: number,
): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max)
    throw badRequest(`${name} must be an integer from ${min} to ${max}, got "${text}"`);
  return value;
}
