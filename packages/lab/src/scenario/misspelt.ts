import { z } from 'zod';
import { scenarioSchema } from './schema.ts';

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
}

/** Edits that make another word of one: more would be a guess. */
const MAX_EDITS = 2;

/** What may have been meant by a key that there is not; empty when nothing is like it. */
export function hintFor(path: readonly PropertyKey[]): string {
  const root = z.toJSONSchema(scenarioSchema, { io: 'input', reused: 'inline' }) as JsonSchema;
  const key = String(path.at(-1));
  const here = keysOf(descend([root], path.slice(0, -1)));
  const [nearest] = here
    .map((name) => ({ name, edits: editsBetween(key.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, edits }) => edits <= Math.min(MAX_EDITS, Math.floor(name.length / 2)))
    .sort((a, b) => a.edits - b.edits);
  if (nearest !== undefined) return `; did you mean ${nearest.name}?`;
  const homes = placesOf(root, key).filter((place) => place.length > 0);
  return homes.length === 1 ? `; it stands under ${homes[0]}` : '';
}

/** The variants that a place can have: a fault or a load is one of several. */
function descend(schemas: readonly JsonSchema[], path: readonly PropertyKey[]): readonly JsonSchema[] {
  return path.reduce<readonly JsonSchema[]>(
    (found, part) =>
      found
        .flatMap(variantsOf)
        .flatMap((schema) => (typeof part === 'number' ? schema.items : schema.properties?.[String(part)]) ?? []),
    schemas,
  );
}

function variantsOf(schema: JsonSchema): readonly JsonSchema[] {
  return [schema, ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap(variantsOf)];
}

function keysOf(schemas: readonly JsonSchema[]): string[] {
  return [...new Set(schemas.flatMap(variantsOf).flatMap(({ properties }) => Object.keys(properties ?? {})))];
}

/** Where a key of this name stands, not counting entries of lists. */
function placesOf(schema: JsonSchema, key: string, path = ''): string[] {
  return variantsOf(schema).flatMap(({ properties }) =>
    Object.entries(properties ?? {}).flatMap(([name, inner]) => [
      ...(name === key ? [path] : []),
      ...placesOf(inner, key, path === '' ? name : `${path}.${name}`),
    ]),
  );
}

/** Letters to add, remove, replace or swap with a neighbour (optimal string alignment). */
function editsBetween(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (_, j) => (i === 0 ? j : j === 0 ? i : 0)),
  );
  const at = (i: number, j: number): number => rows[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i += 1)
    for (let j = 1; j <= b.length; j += 1) {
      const changed = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(i - 2, j - 2) + 1 : changed;
      (rows[i] as number[])[j] = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, changed, swapped);
    }
  return at(a.length, b.length);
}
