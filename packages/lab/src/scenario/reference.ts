import { z } from 'zod';
import { CHECKS } from '../checks/judge.ts';
import { CONSEQUENCES, MISBEHAVIOURS } from '../faults/misbehaviours.ts';
import { faultSchema, loadSchema, scenarioSchema } from './schema.ts';

/** A field that so many variants have is explained once. */
const SHARED_FROM = 3;

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
  lines.push('', '## Faults', '', 'Entries of `timeline`.', '', ...variantList('do', variants(faultSchema)));
  lines.push('## Loads', '', 'Entries of `load`.', '', ...variantList('kind', variants(loadSchema)));
  lines.push('## Misbehaviours', '', 'Names for `choices` of `do: misbehave`.', '');
  lines.push('| name | what the peer does | what the rules do about it |', '| --- | --- | --- |');
  for (const [name, { what, consequence }] of Object.entries(MISBEHAVIOURS))
    lines.push(`| \`${name}\` | ${what} | ${consequence} |`);
  lines.push('', ...Object.entries(CONSEQUENCES).map(([name, meaning]) => `- ${name}: ${meaning}`), '');
  lines.push('## What is checked', '', '| check | promise |', '| --- | --- |');
  lines.push(...CHECKS.map(({ name, promise }) => `| ${name} | ${promise} |`));
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
  const meaning = field.const === undefined ? (field.description ?? '') : `\`${String(field.const)}\``;
  const own = `| \`${name}\` | ${defaultText(field)} | ${cell(meaning)} |`;
  const inner = Object.entries(field.properties ?? {}).flatMap(([key, value]) => rows(`${name}.${key}`, value));
  const alternatives = (field.oneOf ?? [])
    .flatMap(({ properties }) => Object.entries(properties ?? {}))
    .flatMap(([key, value]) => rows(`${name}.${key}`, value));
  return [own, ...inner, ...alternatives];
}

/** The variants of a union, one section each; what most of them share is explained once, before them. */
function variantList(tag: string, all: readonly JsonSchema[]): string[] {
  const count = new Map<string, number>();
  const fields = all.flatMap(({ properties = {} }) => Object.entries(properties)).filter(([key]) => key !== tag);
  for (const [key, field] of fields)
    count.set(bullet(key, field, true), (count.get(bullet(key, field, true)) ?? 0) + 1);
  const shared = [...count].filter(([, uses]) => uses >= SHARED_FROM).map(([line]) => line);
  return [...(shared.length === 0 ? [] : [...shared, '']), ...all.flatMap((one) => variant(tag, one, new Set(shared)))];
}

function variant(
  tag: string,
  { properties = {}, description = '', required = [] }: JsonSchema,
  shared: ReadonlySet<string>,
): string[] {
  const fields = Object.entries(properties).filter(([key]) => key !== tag);
  const isShared = ([key, field]: [string, JsonSchema]): boolean => shared.has(bullet(key, field, true));
  const names = fields.filter(isShared).map(([key]) => `\`${key}\``);
  const own = fields.filter((field) => !isShared(field));
  return [
    `### \`${tag}: ${String(properties[tag]?.const ?? '')}\``,
    '',
    description,
    '',
    ...(names.length === 0 ? [] : [`- ${names.join(', ')}`]),
    ...own.map(([key, field]) => bullet(key, field, required.includes(key))),
    '',
  ];
}

function bullet(key: string, field: JsonSchema, isRequired: boolean): string {
  const value = defaultText(field);
  const note = value !== '' ? ` (default ${value})` : isRequired && field.default === undefined ? '' : ' (optional)';
  return `- \`${key}\`${note}: ${field.description ?? ''}`;
}

function defaultText({ default: value }: JsonSchema): string {
  const isEmpty = value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
  if (value === undefined || isEmpty) return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
