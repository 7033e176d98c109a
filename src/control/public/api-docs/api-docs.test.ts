import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  buildApi,
  buildCatalog,
  buildModel,
  buildPlan,
  buildPrice,
  buildRoute,
} from '../../../../test/support/build-catalog.ts';
import { startPublicPages } from '../../../../test/support/start-public-pages.ts';
import { buildLlmsText } from './llms-text.ts';
import { buildOpenapi } from './openapi.ts';
import { describePrice, templateOf } from './published-routes.ts';

const route = (path: string, members = {}) =>
  buildRoute({
    id: `demo.${path}`,
    match: { methods: ['GET'], path: { kind: 'exact', value: path }, headers: [] },
    price: buildPrice({ perRequest: 1_000_000_000n }),
    ...members,
  });

const CATALOG = buildCatalog([buildPlan('pro', { priceNano: 49_000_000_000n })], {
  apis: [
    buildApi({
      id: 'weather',
      routes: [
        route('/weather', {
          parameters: [
            { in: 'query', name: 'city', type: 'string', required: true },
            { in: 'body', name: '/days', type: 'integer', required: true },
            { in: 'body', name: '/unit', type: 'string', required: false },
          ],
          match: { methods: ['POST'], path: { kind: 'exact', value: '/weather' }, headers: [] },
          requires: [
            { kind: 'feature', id: 'js', when: [{ kind: 'query', name: 'js', equals: 'true' }] },
          ],
        }),
        route('/files', {
          match: { methods: [], path: { kind: 'prefix', value: '/files' }, headers: [] },
        }),
        route('/health', { endpointClass: 'free' }),
        route('/course', {
          match: {
            methods: ['GET'],
            path: { kind: 'regex', value: '^/courses/(?<id>[^/]+)$' },
            headers: [],
          },
        }),
      ],
    }),
    buildApi({
      id: 'llm',
      routes: [
        buildRoute({
          id: 'llm.chat',
          kind: 'chat',
          match: {
            methods: ['POST'],
            path: { kind: 'exact', value: '/v1/chat/completions' },
            headers: [],
          },
        }),
      ],
    }),
  ],
  models: new Map([['echo', buildModel('echo', { perInputToken: 2_000_000n })]]),
});
const OPTIONS = { publicUrl: 'https://gateway.test', version: '0.1.0', apiId: undefined };

interface Described {
  readonly $ref?: string;
  readonly content?: object;
}
interface Operation {
  readonly security: readonly unknown[];
  readonly responses: Readonly<Record<string, Described>>;
  readonly 'x-payment-info'?: { readonly offers: readonly { readonly amount: string | null }[] };
}
type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

/** The media types an operation is said to answer a status in. */
function typesOf(path: string, method: string, status: number): readonly string[] {
  const document = buildOpenapi(CATALOG, OPTIONS) as unknown as {
    readonly components: { readonly responses: Readonly<Record<string, Described>> };
  };
  const responses = pathsOf(document)[path]?.[method]?.responses ?? {};
  const listed = responses[status] ?? responses['default'] ?? {};
  const shared = document.components.responses[listed.$ref?.split('/').at(-1) ?? ''];
  return Object.keys((shared ?? listed).content ?? {});
}

const JSON_TYPE = { 'content-type': 'application/json' };

function pathsOf(document: object): Paths {
  return (document as { readonly paths: Paths }).paths;
}

describe('the OpenAPI document (DOC-04)', () => {
  it('is valid OpenAPI 3.1, as a whole and for one API', async () => {
    for (const apiId of [undefined, 'weather', 'llm']) {
      const document = buildOpenapi(CATALOG, { ...OPTIONS, apiId });
      // oxlint-disable-next-line no-await-in-loop -- three small documents
      expect(await new Validator().validate(structuredClone(document))).toMatchObject({
        valid: true,
      });
    }
  });

  it('says of every priced operation how its 402 looks and what it costs; a free one has neither', () => {
    const paths = pathsOf(buildOpenapi(CATALOG, OPTIONS));
    const payment = (amount: string | null) => ({
      'x-payment-info': { offers: [expect.objectContaining({ amount })] },
    });
    const refused = { '402': { $ref: '#/components/responses/PaymentRequired' } };
    expect(paths['/weather']).toMatchObject({ post: { responses: refused, ...payment('0.0010') } });
    expect(paths['/v1/chat/completions']).toMatchObject({ post: payment(null) });
    const free = paths['/health']?.['get'];
    expect(free).toMatchObject({ security: [], responses: { '200': {} } });
    expect(JSON.stringify(free)).not.toMatch(/PaymentRequired|x-payment-info/);
  });

  it('has our own addresses in the document of everything, and only then', () => {
    expect(Object.keys(pathsOf(buildOpenapi(CATALOG, OPTIONS)))).toContain('/v1/quote');
    const one = buildOpenapi(CATALOG, { ...OPTIONS, apiId: 'weather' });
    expect(Object.keys(pathsOf(one))).toEqual([
      '/weather',
      '/files/{path}',
      '/health',
      '/courses/{id}',
    ]);
  });
});

it.each([
  [{ kind: 'exact', value: '/a' }, '/a', []],
  [{ kind: 'prefix', value: '/a/' }, '/a/{path}', ['path']],
  [{ kind: 'prefix', value: '/' }, '/{path}', ['path']],
  [
    { kind: 'regex', value: '^\\/x\\/(?<first>\\d+)\\/(?<second>.*)$' },
    '/x/{first}/{second}',
    ['first', 'second'],
  ],
] as const)('%j is the template %s', (match, path, pathParameters) => {
  expect(templateOf(match)).toEqual({ path, pathParameters });
});

it('prices are told per call, per million tokens and per gigabyte, to the last digit', () => {
  const price = buildPrice({
    perRequest: 1n,
    perInputToken: 2_000_000n,
    perOutputToken: 150n,
    perByteOut: 90n,
  });
  expect(describePrice(price)).toEqual([
    '0.000000000001 USD a call',
    '2.00 USD per 1M input tokens',
    '0.00015 USD per 1M output tokens',
    '0.0900 USD per GB received',
  ]);
});

it('llms.txt tells an agent how to ask, pay and stop (DOC-06)', () => {
  const text = buildLlmsText(CATALOG, 'https://gateway.test');
  expect(text).toMatch(/^# /);
  expect(text).toContain('POST https://gateway.test/v1/quote');
  expect(text).toContain('POST /weather: 0.0010 USD a call');
  expect(text).toContain('echo: 2.00 USD per 1M input tokens');
  expect(text).toContain('plan pro): 49.00 USD/month');
});

describe('the pages', () => {
  let pages: Awaited<ReturnType<typeof startPublicPages>>;
  const sent: unknown[] = [];
  beforeAll(async () => {
    pages = await startPublicPages({
      catalog: () => CATALOG,
      rehearse: async (request) => {
        sent.push(request);
        return {
          facts: { limits: [], entitlements: [], catalogVersion: 'v' } as never,
          decision: { kind: 'admit' },
          holdNano: 1_000_000,
          costIsOpen: false,
          refusal: undefined,
        };
      },
      perform: async () => ({
        status: 200,
        headers: ['x-tollkeeper-cost', '0.0009 USD', 'X-Request-Id', 'req_1'],
        body: Buffer.from('<sunny>'),
        truncated: false,
      }),
    });
  });
  afterAll(() => pages.close());

  const form = (fields: Record<string, string>) => ({
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  });
  const TRY = '/reference/try?route=demo.%2Fweather';
  const FILLED = { key: 'tk_live_secret', method: 'POST', path: '/weather?city=Oslo', body: '{}' };

  it('the reference lists every route and links to its form', async () => {
    const page = await (await fetch(`${pages.origin}/reference`)).text();
    expect(page).toContain('POST /weather');
    expect(page).toContain('feature js, when query js is true');
    expect(page).toContain(TRY);
  });

  it('a call to copy, and the form, have what the gateway would answer 400 without', async () => {
    const page = await (await fetch(`${pages.origin}/reference`)).text();
    expect(page).toMatch(
      /curl -X POST &#39;http:\S+\/weather\?city=text&#39; \\\n {2}-H &#39;Auth/,
    );
    expect(page).toContain('-d &#39;{&quot;days&quot;: 1}&#39;');
    const filled = await (await fetch(pages.origin + TRY)).text();
    expect(filled).toContain('value="/weather?city=text"');
    expect(filled).toContain('{&quot;days&quot;: 1}</textarea>');
  });

  it('shows the price before, sends, shows the cost after, and never the key', async () => {
    const page = await (
      await fetch(pages.origin + TRY, form({ ...FILLED, action: 'send' }))
    ).text();
    expect(page).toContain('0.0010 USD');
    expect(page).toContain('0.0009 USD');
    expect(page).toContain('&lt;sunny&gt;');
    expect(page).not.toContain('tk_live_secret');
    expect(sent.at(-1)).toMatchObject({ target: '/weather?city=Oslo', method: 'POST' });
  });

  it('asking the price sends nothing', async () => {
    const page = await (
      await fetch(pages.origin + TRY, form({ ...FILLED, action: 'price' }))
    ).text();
    expect(page).toContain('0.0010 USD');
    expect(page).not.toContain('Cost after');
  });

  it.each([
    ['get', '/v1/usage', '/v1/usage', undefined],
    ['post', '/v1/quote', '/v1/quote', {}],
    ['post', '/v1/diagnose', '/v1/diagnose', { body: { code: 'KEY_MISSING' } }],
    ['post', '/v1/diagnose', '/v1/diagnose', { wrong: 1 }],
    ['get', '/pay/{id}', '/pay/pl_unknown', undefined],
    ['get', '/errors/{code}', '/errors/KEY_MISSING', undefined],
    ['get', '/r/{request_id}', '/r/req_unknown', undefined],
  ] as const)(
    '%s %s: what %s answers is among what is described',
    async (method, name, path, body) => {
      const answer = await fetch(pages.origin + path, {
        method: method.toUpperCase(),
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: JSON_TYPE }),
      });
      const type = answer.headers.get('content-type')?.split(';')[0];
      expect(typesOf(name, method, answer.status)).toContain(type);
    },
  );

  it('DISC-07: where the bytes of the answer are priced, no price is the most', async () => {
    const open = await startPublicPages({
      catalog: () => CATALOG,
      rehearse: async (request, mode) => ({
        ...(await pages.deps.rehearse(request, mode)),
        costIsOpen: true,
      }),
      perform: async () => ({ status: 200, headers: [], body: Buffer.from(''), truncated: false }),
    });
    const page = await (await fetch(open.origin + TRY, form({ ...FILLED, action: 'send' }))).text();
    expect(page).toContain('by the bytes of the answer, for its first megabyte');
    expect(page).not.toContain('at most');
    expect(page).toContain('<dd>on the explanation of the request</dd>');
    await open.close();
  });

  it.each([
    [{ method: 'DELETE' }, 'does not take DELETE'],
    [{ path: 'weather' }, 'must begin with'],
  ])('%j is told to be wrong', async (fields, problem) => {
    const page = await (await fetch(pages.origin + TRY, form({ ...FILLED, ...fields }))).text();
    expect(page).toContain(problem);
  });

  it('an unknown route or API is 404', async () => {
    expect((await fetch(`${pages.origin}/reference/try?route=none`)).status).toBe(404);
    expect((await fetch(`${pages.origin}/openapi.json?api=none`)).status).toBe(404);
    expect((await fetch(`${pages.origin}/openapi.json?api=weather`)).status).toBe(200);
  });
});
