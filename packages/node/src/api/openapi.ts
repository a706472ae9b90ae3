import { z } from 'zod';
import { SCHEMAS, type SchemaName } from './schemas.ts';

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly description: string;
  readonly integer?: { readonly minimum: number; readonly maximum?: number; readonly default?: number };
}

/** One question that a peer answers. */
export interface ApiRoute {
  readonly method: 'get' | 'post';
  /** With `{parameter}` where one stands in the path. */
  readonly path: string;
  readonly summary: string;
  readonly parameters?: readonly Parameter[];
  readonly body?: SchemaName;
  readonly status: 200 | 202;
  readonly answer: SchemaName | 'text' | 'bytes' | { readonly arrayOf: SchemaName };
  /** Statuses with which it may be refused. */
  readonly refusals?: readonly (400 | 404)[];
}

const height: Parameter = { name: 'which', in: 'path', description: 'height, or block hash in 64 hex digits' };

/** Every route of the API, in the order of docs/openapi.json. */
export const ROUTES: readonly ApiRoute[] = [
  { method: 'get', path: '/health', summary: 'Whether the peer reaches a quorum.', status: 200, answer: 'Health' },
  { method: 'get', path: '/status', summary: 'Where the peer stands.', status: 200, answer: 'Status' },
  { method: 'get', path: '/metrics', summary: 'Metrics in the Prometheus text format.', status: 200, answer: 'text' },
  {
    method: 'get',
    path: '/peers',
    summary: 'The other members, and what was exchanged with them.',
    status: 200,
    answer: 'Peers',
  },
  { method: 'get', path: '/genesis', summary: 'The chain in short.', status: 200, answer: 'Genesis' },
  { method: 'get', path: '/genesis.json', summary: 'The whole genesis file.', status: 200, answer: 'GenesisDocument' },
  {
    method: 'get',
    path: '/blocks',
    summary: 'A range of blocks; the last ones when no height is given.',
    parameters: [
      { name: 'from', in: 'query', description: 'first height', integer: { minimum: 1 } },
      { name: 'limit', in: 'query', description: 'how many', integer: { minimum: 1, maximum: 100, default: 20 } },
    ],
    status: 200,
    answer: 'Blocks',
    refusals: [400],
  },
  {
    method: 'get',
    path: '/blocks/{which}',
    summary: 'One block with its transactions, what it settled, and the evidence in it.',
    parameters: [height],
    status: 200,
    answer: 'Block',
    refusals: [400, 404],
  },
  {
    method: 'get',
    path: '/transactions/{id}',
    summary: 'A committed transaction.',
    parameters: [{ name: 'id', in: 'path', description: 'its id, 64 hex digits' }],
    status: 200,
    answer: 'Transaction',
    refusals: [404],
  },
  {
    method: 'post',
    path: '/transactions',
    summary: 'Hands in a signed batch. Accepted means taken into the pool, not committed.',
    body: 'Submission',
    status: 202,
    answer: 'Submitted',
    refusals: [400],
  },
  {
    method: 'get',
    path: '/accounts',
    summary: 'All accounts: members by rank, the EDC, others.',
    status: 200,
    answer: { arrayOf: 'Account' },
  },
  {
    method: 'get',
    path: '/accounts/{key}',
    summary: 'One account.',
    parameters: [{ name: 'key', in: 'path', description: 'its public key' }],
    status: 200,
    answer: 'Account',
    refusals: [404],
  },
  {
    method: 'get',
    path: '/market',
    summary: 'Sums over all settled slots.',
    status: 200,
    answer: 'Market',
    refusals: [404],
  },
  {
    method: 'get',
    path: '/discipline',
    summary: 'Who is jailed, and which offences have had their consequence.',
    status: 200,
    answer: 'Discipline',
  },
  {
    method: 'get',
    path: '/model',
    summary: 'The current global model of a chain that learns, as safetensors; its hash stands in x-model-hash.',
    status: 200,
    answer: 'bytes',
    refusals: [404],
  },
  {
    method: 'get',
    path: '/performance',
    summary: 'How late the event loop of this peer is, and what its learning takes.',
    status: 200,
    answer: 'Performance',
  },
  {
    method: 'get',
    path: '/elections',
    summary: 'How the proposers of the next block were drawn.',
    status: 200,
    answer: 'Election',
  },
  {
    method: 'get',
    path: '/elections/{height}',
    summary: 'How the composer of a committed block had been drawn, while the state before it is kept.',
    parameters: [{ ...height, name: 'height' }],
    status: 200,
    answer: 'ElectionAt',
    refusals: [400, 404],
  },
  {
    method: 'get',
    path: '/raw/blocks',
    summary: 'Bytes of blocks and certificates, to be verified by the reader.',
    parameters: [
      { name: 'from', in: 'query', description: 'first height', integer: { minimum: 1, default: 1 } },
      {
        name: 'limit',
        in: 'query',
        description: 'at most how many',
        integer: { minimum: 1, maximum: 50, default: 50 },
      },
    ],
    status: 200,
    answer: 'RawBlocks',
    refusals: [400],
  },
  {
    method: 'get',
    path: '/raw/states/{height}',
    summary: 'Bytes of the state after a height.',
    parameters: [{ name: 'height', in: 'path', description: 'height', integer: { minimum: 0 } }],
    status: 200,
    answer: 'RawState',
    refusals: [400],
  },
];

const RAW_TYPES = { text: 'text/plain', bytes: 'application/octet-stream' } as const;
const REFUSALS = { 400: 'not a valid question', 404: 'there is none' } as const;

/** The OpenAPI 3.1 description of the API. */
export function openApiDocument(): object {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(SCHEMAS)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { uri: (id) => `#/components/schemas/${id}` });
  const components = Object.fromEntries(
    Object.entries(schemas).map(([id, { $schema: _, $id: __, ...schema }]) => [id, schema]),
  );
  const paths: Record<string, Record<string, object>> = {};
  for (const route of ROUTES) paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route) };
  return {
    openapi: '3.1.0',
    info: {
      title: 'HTTP API of a Wattmesh peer',
      version: '1',
      description:
        'Everything that it shows is durable on this peer. It has no authentication: it is meant for loopback. Amounts that may exceed 2^53 are decimal strings; units stand in the names, Micro being 10^-6 of the currency or token.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: { schemas: components },
  };
}

function operationOf({
  method,
  path,
  summary,
  parameters = [],
  body,
  status,
  answer,
  refusals = [],
}: ApiRoute): object {
  const reference = (name: SchemaName): object => ({ $ref: `#/components/schemas/${name}` });
  const json = (schema: object): object => ({ content: { 'application/json': { schema } } });
  const content =
    answer === 'text' || answer === 'bytes'
      ? { content: { [RAW_TYPES[answer]]: { schema: { type: 'string' } } } }
      : json(typeof answer === 'string' ? reference(answer) : { type: 'array', items: reference(answer.arrayOf) });
  return {
    operationId: `${method}${path.replace(/[^a-z]+(\w)/gi, (_, letter: string) => letter.toUpperCase()).replace(/\W/g, '')}`,
    summary,
    ...(parameters.length === 0
      ? {}
      : {
          parameters: parameters.map(({ integer, in: place, ...parameter }) => ({
            ...parameter,
            in: place,
            required: place === 'path',
            schema: integer === undefined ? { type: 'string' } : { type: 'integer', ...integer },
          })),
        }),
    ...(body === undefined ? {} : { requestBody: { required: true, ...json(reference(body)) } }),
    responses: {
      [status]: { description: status === 202 ? 'taken' : 'the answer', ...content },
      ...Object.fromEntries(
        refusals.map((refusal) => [refusal, { description: REFUSALS[refusal], ...json(reference('Error')) }]),
      ),
      default: { description: 'any other refusal or failure', ...json(reference('Error')) },
    },
  };
}
