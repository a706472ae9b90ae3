import { z } from 'zod';
import { CHECKS } from '../checks/judge.ts';
import { faultSchema, loadSchema, scenarioSchema } from './schema.ts';

interface JsonSchema {
  readonly type?: string | string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
}

/** What an editor needs to complete and check scenario files. */
export function scenarioJsonSchema(): object {
  return { title: 'Wattmesh scenario', ...z.toJSONSchema(scenarioSchema, { io: 'input' }) };
}

/** Everything that may stand in a scenario, as Markdown: made from the schema, so that it cannot be out of date. */
export function scenarioReference(): string {
  const schema = jsonSchema(scenarioSchema);
  const lines = ['## Keys', '', '| key | default | meaning |', '| --- | --- | --- |'];
  for (const [name, field] of Object.entries(schema.properties ?? {})) lines.push(...rows(name, field));
  lines.push(
    '',
    '## Faults',
    '',
    'Entries of `timeline`. Every one has `at`; those that last have `for`, or an `id` that an `end` names.',
    '',
  );
  for (const fault of variants(faultSchema)) lines.push(...variant('do', fault));
  lines.push('## Loads', '', 'Entries of `load`.', '');
  for (const load of variants(loadSchema)) lines.push(...variant('kind', load));
  lines.push('## What is checked', '', '| check | promise |', '| --- | --- |');
  lines.push(...CHECKS.map(({ name, promise }) => `| ${name} | ${promise} |`), '');
  return `${lines.join('\n')}\n`;
}

function jsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'input', reused: 'inline' }) as JsonSchema;
}

function variants(schema: z.ZodType): readonly JsonSchema[] {
  const { oneOf, anyOf } = jsonSchema(schema);
  return oneOf ?? anyOf ?? [];
}

function rows(name: string, field: JsonSchema): string[] {
  const own = `| \`${name}\` | ${defaultText(field)} | ${cell(field.description ?? '')} |`;
  const inner = Object.entries(field.properties ?? {}).flatMap(([key, value]) => rows(`${name}.${key}`, value));
  const alternatives = (field.oneOf ?? [])
    .flatMap(({ properties }) => Object.entries(properties ?? {}))
    .flatMap(([key, value]) => rows(`${name}.${key}`, value));
  return [own, ...inner, ...alternatives];
}

function variant(tag: string, { properties = {}, description = '', required = [] }: JsonSchema): string[] {
  const name = String(properties[tag]?.const ?? '');
  const fields = Object.entries(properties).filter(([key]) => key !== tag);
  return [
    `### \`${tag}: ${name}\``,
    '',
    description,
    '',
    ...fields.map(
      ([key, field]) =>
        `- \`${key}\`${required.includes(key) && field.default === undefined ? '' : ` (${field.default === undefined ? 'optional' : `default ${defaultText(field)}`})`}: ${field.description ?? ''}`,
    ),
    '',
  ];
}

function defaultText({ default: value }: JsonSchema): string {
  if (value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0))
    return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
