/**
 * `node packages/consensus/test/mutations/table.ts [PART OF A NAME]` applies the mutations one after the other and prints
 * what caught each. Without an argument it also writes docs/mutations.md. The status is 1 when one was not caught.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Catcher, Mutation } from './mutation.ts';
import { MUTATIONS } from './mutations.ts';
import { MutationWorkspace } from './workspace.ts';

export interface Row {
  readonly mutation: Mutation;
  /** What the catcher said; null when it noticed nothing. */
  readonly reason: string | null;
  readonly seconds: number;
}

/**
 * Breaks a copy of the sources in every way of the list. A catcher that fails without any mutation catches nothing, so each
 * is first run on the sources as they are.
 * @throws Error when a catcher fails on the unbroken sources, or a mutation's place is gone.
 */
export async function runTable(mutations: readonly Mutation[], say: (row: Row) => void = () => {}): Promise<Row[]> {
  const workspace = new MutationWorkspace();
  try {
    const sound = new Set<string>();
    const rows: Row[] = [];
    for (const mutation of mutations) {
      const { catcher } = mutation;
      const key = describeCatcher(catcher);
      if (!sound.has(key)) {
        const unbroken = await workspace.run(catcher);
        if (!unbroken.passed)
          throw new Error(`${describeCatcher(catcher)} fails without a mutation: ${unbroken.reason}`);
        sound.add(key);
      }
      const { passed, reason, seconds } = await workspace.runMutated(mutation);
      const row = { mutation, reason: passed ? null : reason, seconds };
      rows.push(row);
      say(row);
    }
    return rows;
  } finally {
    workspace.remove();
  }
}

export function describeCatcher(catcher: Catcher): string {
  if (catcher.type === 'test') return `${catcher.file}: ${catcher.name}`;
  return `${catcher.kind} seeds 1 to ${catcher.upTo} of the world`;
}

/** The table as a page of the documentation. */
export function pageOf(rows: readonly Row[]): string {
  const lines = rows.map(({ mutation: { name, breaks, file, catcher }, reason, seconds }) => {
    const by = reason === null ? '**nobody**' : catcher.type === 'seeds' ? reason : describeCatcher(catcher);
    return `| ${[name, breaks, `\`${file}\``, by, seconds.toFixed(1)].map(cell).join(' | ')} |`;
  });
  const caught = rows.filter(({ reason }) => reason !== null).length;
  return `# Mutations

Each row is one small breakage of a source file, applied to a copy of the packages, and the one test or seed that must
notice it. What a world says begins with its seed, and then with the number of the broken invariant where it is one.
Written by \`node packages/consensus/test/mutations/table.ts\`, which \`npm run test:full\` repeats;
the list is \`packages/consensus/test/mutations/mutations.ts\`.

${caught} of ${rows.length} were caught.

| mutation | what the broken program does | file | caught by | seconds |
| --- | --- | --- | --- | --- |
${lines.join('\n')}
`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

if (import.meta.main) {
  const [filter = ''] = process.argv.slice(2);
  const chosen = MUTATIONS.filter(({ name }) => name.includes(filter));
  const rows = await runTable(chosen, ({ mutation, reason, seconds }) => {
    console.log(
      `${reason === null ? 'MISSED' : 'caught'} ${mutation.name} (${seconds.toFixed(1)} s): ${reason ?? '-'}`,
    );
  });
  if (filter === '') writeFileSync(join(import.meta.dirname, '../../../../docs/mutations.md'), pageOf(rows));
  process.exitCode = rows.length > 0 && rows.every(({ reason }) => reason !== null) ? 0 : 1;
}
