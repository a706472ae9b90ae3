import { readFile } from 'node:fs/promises';
import { type Document, isMap, isNode, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import { LabError } from '../errors.ts';
import { hintFor } from './misspelt.ts';
import { planTimeline, type TimelinePlan } from './plan-timeline.ts';
import { type Scenario, scenarioSchema } from './schema.ts';

/** Something wrong at a place in the file; the path is that of the value, or of the key when `isKey`. */
export interface ScenarioIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly isKey?: boolean;
}

export interface ReadScenario {
  readonly scenario: Scenario;
  readonly plan: TimelinePlan;
  /** The text as it was read, for the result folder. */
  readonly text: string;
}

/**
 * Reads a scenario and refuses it, before anything starts, when it cannot be run: not YAML, a misspelt key, a wrong value,
 * a fault on a peer that does not exist, an impossible timeline.
 * @throws LabError SCENARIO_UNREADABLE; SCENARIO_INVALID with `file:line:column` for each thing that is wrong
 */
export async function readScenario(file: string): Promise<ReadScenario> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new LabError(
      'SCENARIO_UNREADABLE',
      `cannot read the scenario ${file}: ${cause.code === 'ENOENT' ? 'no such file' : cause.message}`,
      { cause },
    );
  });
  return parseScenario(text, file);
}

export function parseScenario(text: string, file: string): ReadScenario {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0)
    throw invalid(document.errors.map((error) => `${at(error.pos[0])}: ${error.message}`));
  const refuse = (issues: readonly ScenarioIssue[]): never => {
    throw invalid(
      issues
        .map((issue) => ({ ...issue, offset: offsetOf(document, issue) }))
        .sort((a, b) => a.offset - b.offset)
        .map(({ path, message, offset }) => {
          const where = path.length === 0 ? '' : `${pathText(path)}: `;
          return `${at(offset)}: ${where}${message}`;
        }),
    );
  };
  const parsed = scenarioSchema.safeParse(document.toJS() ?? {});
  if (!parsed.success) return refuse(parsed.error.issues.flatMap(issuesOf));
  const plan = planTimeline(parsed.data);
  if (plan.issues.length > 0) return refuse(plan.issues);
  return { scenario: parsed.data, plan, text };
}

function invalid(lines: readonly string[]): LabError {
  return new LabError('SCENARIO_INVALID', `the scenario cannot be run:\n  ${[...new Set(lines)].join('\n  ')}`);
}

function issuesOf(issue: z.core.$ZodIssue): ScenarioIssue[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      return { path, message: `there is no such key${hintFor(path)}`, isKey: true };
    });
  // The branch that came furthest says most; a union's own message says what may stand there.
  if (issue.code === 'invalid_union') {
    const nested = issue.errors.flat().filter(({ code }) => code === 'unrecognized_keys');
    if (nested.length === 1 && nested[0] !== undefined)
      return issuesOf({ ...nested[0], path: [...issue.path, ...nested[0].path] } as z.core.$ZodIssue);
  }
  const isMissing = issue.code === 'invalid_type' && / received undefined$/.test(issue.message);
  return [{ path: issue.path, message: isMissing ? 'is missing' : issue.message }];
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part, k) => (typeof part === 'number' ? `[${part}]` : `${k === 0 ? '' : '.'}${String(part)}`))
    .join('');
}

/** Where a path leads, or the nearest thing around it that stands in the file. */
function offsetOf(document: Document.Parsed, { path, isKey = false }: ScenarioIssue): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [depth, part] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(part));
      if (!isPair(pair)) return offset;
      const wantsKey = isKey && depth === path.length - 1;
      offset = startOf(wantsKey ? pair.key : (pair.value ?? pair.key)) ?? startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      offset = startOf(node) ?? offset;
    } else return offset;
  }
  return offset;
}

function startOf(node: unknown): number | null {
  return isNode(node) ? ((node as Node).range?.[0] ?? null) : null;
}
