import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

function sources(folder: string, pattern: RegExp): { readonly path: string; readonly text: string }[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => pattern.test(path))
    .map((path) => ({ path: join(folder, path), text: readFileSync(join(ROOT, folder, path), 'utf8') }));
}

/** Members of every `type SomethingCode = 'A' | 'B'`. */
function codesOf(text: string): string[] {
  const unions = text.matchAll(/type \w*Code\s*=((?:\s*(?:\/\*[\s\S]*?\*\/|\/\/.*|\||'[A-Z_]+'))+)\s*;/g);
  return [...unions].flatMap(([, members = '']) =>
    [...members.matchAll(/'([A-Z]+(?:_[A-Z]+)+)'/g)].map(([, code]) => code as string),
  );
}

const declared = sources('src', /\.ts$/).flatMap(({ path, text }) => codesOf(text).map((code) => ({ code, path })));
const tests = [...sources('test', /\.test\.ts$|compliance\.ts$/), ...sources('../../test', /\.test\.ts$/)].filter(
  ({ path }) => !path.includes('error-codes'),
);

describe('every error code', () => {
  it('is found: those that are known to be there are among them', () => {
    const codes = declared.map(({ code }) => code);
    for (const known of [
      'STORE_FULL',
      'CONFIG_NOT_JSON',
      'API_FAILED',
      'RUN_EXISTS',
      'PEER_REFUSED',
      'TRANSPORT_OVERSIZE',
    ])
      expect(codes).toContain(known);
    expect(new Set(codes).size).toBe(codes.length);
  });

  it.each(declared.map(({ code, path }) => [code, path] as const))('%s (%s) has a test that names it', (code) => {
    const naming = tests.filter(({ text }) => new RegExp(`\\b${code}\\b`).test(text));
    expect(naming.map(({ path }) => path)).not.toEqual([]);
  });

  it('that is thrown is declared', () => {
    const codes = new Set(declared.map(({ code }) => code));
    const thrown = sources('src', /\.ts$/).flatMap(({ text }) =>
      [...text.matchAll(/new \w+Error\(\s*'([A-Z]+(?:_[A-Z]+)+)'/g)].map(([, code]) => code as string),
    );
    expect(thrown.length).toBeGreaterThan(20);
    expect(thrown.filter((code) => !codes.has(code))).toEqual([]);
  });
});
