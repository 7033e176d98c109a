import { PROBLEM_SCHEMA } from '../../../contract/problem-schema.ts';
import type { Catalog, Parameter, Route } from '../../../domain/catalog.ts';
import { formatMoney } from '../../../domain/money.ts';
import {
  describePrice,
  memberName,
  type PublishedRoute,
  publishedRoutes,
} from './published-routes.ts';
import { type OwnOperation, OWN_OPERATIONS } from './own-operations.ts';

export interface OpenapiOptions {
  readonly publicUrl: string;
  readonly version: string;
  /** Only this API; undefined = all, and our own surface. */
  readonly apiId: string | undefined;
}

type Json = Readonly<Record<string, unknown>>;
type PathItems = Record<string, Record<string, Json>>;

/**
 * The OpenAPI 3.1 document of what is published here (DOC-04): every route with its price
 * (`x-tollkeeper-price`), its 402, and, for machines that pay, `x-payment-info` as
 * draft-httpauth-payment-discovery shapes it.
 */
export function buildOpenapi(catalog: Catalog, options: OpenapiOptions): Json {
  const { apiId, publicUrl, version } = options;
  const routes = publishedRoutes(catalog).filter(
    ({ api }) => apiId === undefined || api.id === apiId,
  );
  const paths: PathItems = {};
  for (const published of routes) addRoute(paths, published, catalog);
  if (apiId === undefined) for (const operation of OWN_OPERATIONS) addOwn(paths, operation);
  return {
    openapi: '3.1.0',
    info: {
      title: apiId ?? 'APIs behind this gateway',
      version: catalog.version,
      description:
        'Every call needs a key unless it is marked free. An answer 402 says what is missing, what it costs and where to pay; repeating the call does not help.',
      'x-gateway-version': version,
    },
    servers: [{ url: publicUrl }],
    'x-service-info': {
      docs: { apiReference: `${publicUrl}/reference`, llms: `${publicUrl}/llms.txt` },
    },
    tags: [...new Set(routes.map(({ api }) => api.id))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'Your API key.' },
        keyHeader: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
      },
      schemas: { Problem: withoutDialect(PROBLEM_SCHEMA) },
      responses: buildResponses(),
      headers: buildHeaders(),
    },
  };
}

/** OpenAPI 3.1 names its own dialect of JSON Schema. */
function withoutDialect(schema: object): Json {
  const { $schema: _, ...rest } = schema as Record<string, unknown>;
  return rest;
}

function addRoute(paths: PathItems, published: PublishedRoute, catalog: Catalog): void {
  const item = (paths[published.path] ??= {});
  for (const method of published.methods) {
    // The first route that matches is the one that answers.
    item[method.toLowerCase()] ??= describeRoute(published, method, catalog);
  }
}

function describeRoute(published: PublishedRoute, method: string, catalog: Catalog): Json {
  const { api, route, pathParameters, prices } = published;
  const isFree = route.endpointClass === 'free';
  const body = describeBody(route, method);
  return {
    operationId: `${route.id.replaceAll(/[^A-Za-z0-9]+/g, '_')}_${method.toLowerCase()}`,
    tags: [api.id],
    summary: `${method} ${published.path}`,
    description: describeNeeds(route, prices),
    ...(isFree ? { security: [] } : { security: [{ key: [] }, { keyHeader: [] }] }),
    parameters: [
      ...pathParameters.map((name) => describeParameter({ name, in: 'path', required: true })),
      ...route.parameters
        .filter((parameter) => parameter.in !== 'body')
        .map(({ name, in: place, required, type }) =>
          describeParameter({ name, in: place, required, type }),
        ),
    ],
    ...(body === undefined ? {} : { requestBody: body }),
    responses: describeResponses(route, isFree),
    'x-endpoint-class': route.endpointClass,
    'x-tollkeeper-price': describeRoutePrice(route, catalog, prices),
    ...(isFree ? {} : { 'x-payment-info': describePayment(route, catalog) }),
  };
}

function describeNeeds(route: Route, prices: readonly string[]): string {
  const needs = route.requires.map(({ kind, id, when }) => {
    const condition = when
      .map((each) =>
        each.kind === 'body-bytes'
          ? `a body above ${each.above} bytes`
          : `${each.kind} ${each.name}${each.equals === undefined ? '' : ` = ${each.equals}`}`,
      )
      .join(' and ');
    return `${kind} ${id}${condition === '' ? '' : ` (with ${condition})`}`;
  });
  const needed = needs.length === 0 ? '' : ` Needs: ${needs.join('; ')}.`;
  return `Price: ${prices.join(', ')}.${needed}`;
}

function describeParameter(parameter: {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly type?: Parameter['type'];
}): Json {
  const { name, required, type = 'string' } = parameter;
  return { name, in: parameter.in, required, schema: { type } };
}

function describeBody(route: Route, method: string): Json | undefined {
  if (method === 'GET' || method === 'HEAD' || route.kind === 'models') return undefined;
  const members = route.parameters.filter((parameter) => parameter.in === 'body');
  const topLevel = members.filter(({ name }) => name.lastIndexOf('/') === 0);
  const required = topLevel.filter((member) => member.required).map(memberName);
  const schema =
    route.kind === 'proxy'
      ? {
          type: 'object',
          properties: Object.fromEntries(
            topLevel.map((member) => [memberName(member), { type: member.type }]),
          ),
          ...(required.length === 0 ? {} : { required }),
        }
      : { type: 'object', required: ['model'], properties: { model: { type: 'string' } } };
  const isJson = route.kind !== 'proxy' || members.length > 0;
  return {
    required: isJson,
    content: isJson ? { 'application/json': { schema } } : { '*/*': {} },
  };
}

function describeRoutePrice(route: Route, catalog: Catalog, prices: readonly string[]): Json {
  if (route.kind === 'proxy' || route.endpointClass === 'free') {
    return { asset: catalog.asset, lines: prices };
  }
  const models = [...catalog.models.values()].map(({ id, price }) => [id, describePrice(price)]);
  return { asset: catalog.asset, models: Object.fromEntries(models) };
}

function describePayment(route: Route, catalog: Catalog): Json {
  const { perRequest, perByteIn, perByteOut } = route.price;
  const isFlat = route.kind === 'proxy' && perByteIn + perByteOut === 0n;
  const amount = isFlat
    ? formatMoney({ asset: catalog.asset, units: (perRequest + 999n) / 1000n }).split(' ')[0]
    : null;
  return {
    offers: [
      {
        intent: 'charge',
        method: 'credits',
        amount,
        currency: catalog.asset,
        description: isFlat ? 'a call' : 'by what the call uses: ask POST /v1/quote',
      },
    ],
  };
}

const REFUSALS: Readonly<Record<string, string>> = {
  '400': 'BadRequest',
  '401': 'Unauthorized',
  '402': 'PaymentRequired',
  '403': 'Forbidden',
  '429': 'TooManyRequests',
  '503': 'Unavailable',
};

/** What an operation answers whose statuses nobody can list. */
const OTHERWISE = { default: { $ref: '#/components/responses/Otherwise' } };
const OBJECT = { schema: { type: 'object' } };

function describeAnswer({ kind }: Route): Json {
  if (kind === 'proxy') return { '*/*': {} };
  const stream = kind === 'chat' ? { 'text/event-stream': {} } : {};
  return { 'application/json': OBJECT, ...stream };
}

function describeResponses(route: Route, isFree: boolean): Json {
  const refusals = Object.entries(REFUSALS).filter(
    ([status]) => !isFree || (status !== '401' && status !== '402'),
  );
  return {
    '200': {
      description: 'The answer of the service behind the gateway.',
      headers: isFree ? {} : { 'x-tollkeeper-cost': { $ref: '#/components/headers/Cost' } },
      content: describeAnswer(route),
    },
    ...Object.fromEntries(
      refusals.map(([status, name]) => [status, { $ref: `#/components/responses/${name}` }]),
    ),
    ...OTHERWISE,
  };
}

function buildResponses(): Json {
  const problem = {
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
  const limits = {
    RateLimit: { $ref: '#/components/headers/RateLimit' },
    'RateLimit-Policy': { $ref: '#/components/headers/RateLimitPolicy' },
  };
  return {
    BadRequest: { description: 'The request is not valid; nothing was charged.', ...problem },
    Unauthorized: { description: 'Who calls is not known.', ...problem },
    PaymentRequired: {
      description:
        'Money is what is missing: `code` says what, `details.upgrade_options` what would help, `resolution_url` where.',
      headers: { ...limits, Link: { schema: { type: 'string' } } },
      ...problem,
    },
    Forbidden: { description: 'Known, and not allowed whatever is paid.', ...problem },
    TooManyRequests: {
      description: 'Too fast: wait as long as Retry-After says.',
      headers: { ...limits, 'Retry-After': { schema: { type: 'integer' } } },
      ...problem,
    },
    Unavailable: { description: 'Trouble of the gateway or behind it; retry.', ...problem },
    Otherwise: {
      description: 'Another refusal of the gateway, or what the service behind it answered.',
      content: { ...problem.content, '*/*': {} },
    },
  };
}

function buildHeaders(): Json {
  return {
    Cost: {
      description: 'What the call cost.',
      schema: { type: 'string', examples: ['0.0010 USD'] },
    },
    RateLimit: { description: 'What is left of each limit.', schema: { type: 'string' } },
    RateLimitPolicy: { description: 'The limits that hold.', schema: { type: 'string' } },
  };
}

function addOwn(paths: PathItems, operation: OwnOperation): void {
  const { method, path, id, summary, secured, parameters = [], body, answers } = operation;
  const { types = ['application/json'] } = operation;
  const content = types.map((type) => [type, type === 'application/json' ? OBJECT : {}]);
  const item = (paths[path] ??= {});
  item[method] ??= {
    operationId: id,
    tags: ['gateway'],
    summary,
    security: secured ? [{ key: [] }, { keyHeader: [] }] : [],
    parameters: parameters.map(({ name, description }) => ({
      name,
      in: 'path',
      required: true,
      description,
      schema: { type: 'string' },
    })),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: {
      '200': { description: answers, content: Object.fromEntries(content) },
      ...(secured ? { '401': { $ref: '#/components/responses/Unauthorized' } } : {}),
      ...OTHERWISE,
    },
  };
}
