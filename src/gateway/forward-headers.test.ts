import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { HeaderClassifier, HOP_BY_HOP_NAMES, SPELLINGS_MAX } from './forward-headers-classifier.ts';
import {
  type ForwardedCall,
  type ForwardedHeaders,
  RequestHeaderPlan,
  type RequestHeaderRules,
} from './forward-headers-request.ts';
import { ResponseHeaderPlan, type ResponseHeaderRules } from './forward-headers-response.ts';

const KEY = 'tk_test_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const CALL: ForwardedCall = {
  method: 'GET',
  requestId: 'req_1',
  remoteAddress: '192.0.2.7',
  secure: true,
  trusted: false,
  identity: { tenantId: 'ten_1', keyId: 'key_1', planId: 'free' },
  keepContentLength: true,
};

function forward(
  headers: readonly string[],
  rules: Partial<RequestHeaderRules> = {},
  call: Partial<ForwardedCall> = {},
): string[] {
  return flat(planOf(rules).build({ headers }, { ...CALL, ...call }));
}

function planOf(rules: Partial<RequestHeaderRules> = {}): RequestHeaderPlan {
  return new RequestHeaderPlan({
    edits: { set: [], remove: [] },
    credentials: [],
    identityEncoding: false,
    ...rules,
  });
}

function flat({ shared, own }: ForwardedHeaders): string[] {
  return [...shared, ...own];
}

function valuesOf(headers: readonly string[], name: string): string[] {
  return headers.filter(
    (_, index) => index % 2 === 1 && headers[index - 1]?.toLowerCase() === name,
  );
}

/** What every call carries beside the caller's own headers. */
const ADDED = [
  ...['Via', '1.1 tollkeeper'],
  ...['X-Forwarded-For', '192.0.2.7', 'X-Forwarded-Proto', 'https', 'X-Forwarded-Host', 'gate'],
  ...['X-Request-Id', 'req_1', 'X-Consumer-Id', 'ten_1', 'X-Key-Id', 'key_1', 'X-Plan', 'free'],
];

describe('to the upstream', () => {
  it('keeps end-to-end headers as they came and adds who calls (GW-04)', () => {
    const headers = [
      'Host',
      'gate',
      'Accept',
      'a',
      'X-Own',
      '1',
      'x-own',
      '2',
      'Content-Length',
      '3',
    ];
    expect(forward(headers)).toEqual([
      ...['Accept', 'a', 'X-Own', '1', 'x-own', '2', 'Content-Length', '3'],
      ...ADDED,
    ]);
  });

  it.each([...HOP_BY_HOP_NAMES, 'expect'])('ends %s here (RFC 9110 7.6.1)', (name) => {
    expect(forward(['Host', 'gate', name.toUpperCase(), 'x'])).toEqual(ADDED);
  });

  it('ends what Connection lists, but never the length or a header of ours', () => {
    const headers = ['Host', 'gate', 'X-Hop', '1', 'Content-Length', '3', 'Keep', 'k'];
    const listed = [
      'Connection',
      'close, X-Hop, content-length',
      'connection',
      'x-plan,x-consumer-id',
    ];
    expect(forward([...headers, ...listed])).toEqual([
      'Content-Length',
      '3',
      'Keep',
      'k',
      ...ADDED,
    ]);
  });

  it.each([
    ['Authorization', `Bearer ${KEY}`],
    ['authorization', `bearer  ${KEY}`],
    ['X-API-Key', KEY],
    ['api-key', KEY],
    ['x-goog-api-key', KEY],
    ['Authorization', `Basic ${Buffer.from(`${KEY}:`).toString('base64')}`],
    ['Authorization', 'L402 AgEEbHNhdA:1234'],
    ['Authorization', 'LSAT AgEEbHNhdA:1234'],
    ['Authorization', 'Payment eyJ4IjoxfQ'],
    ['X-Payment', 'eyJ4IjoxfQ'],
    ['PAYMENT-SIGNATURE', 'eyJ4IjoxfQ'],
    ['Accept-Payment', 'l402'],
    ['Grpc-Metadata-Macaroon', '0201'],
    ['X-Consumer-Id', 'ten_spoofed'],
    ['x-consumer-groups', 'admin'],
    ['X-Plan', 'enterprise'],
    ['X-Key-Id', 'key_spoofed'],
    ['X-Request-Id', 'req_spoofed'],
    ['X-Tollkeeper-Anything', '1'],
    ['X-Real-IP', '10.0.0.1'],
    ['Forwarded', 'for=10.0.0.1'],
    ['X-Forwarded-For', '10.0.0.1'],
    ['X-Forwarded-Prefix', '/admin'],
    ['X_Consumer_Id', 'ten_spoofed'],
    ['x.consumer.id', 'ten_spoofed'],
    ['X_Forwarded_For', '10.0.0.1'],
    ['Transfer_Encoding', 'chunked'],
    ['Content_Length', '7'],
    ['X_API_Key', KEY],
  ])('strips %s: %s (GW-04)', (name, value) => {
    expect(forward(['Host', 'gate', name, value])).toEqual(ADDED);
  });

  it.each([
    ['Authorization', 'Bearer of-the-upstream-itself'],
    ['Authorization', 'Basic dXNlcjpwYXNz'],
    ['X-Api-Key', 'sk-upstream'],
  ])('leaves %s: %s, which is not a credential of ours', (name, value) => {
    expect(forward(['Host', 'gate', name, value]).slice(0, 2)).toEqual([name, value]);
  });

  it('injects the upstream credential in place of whatever the caller or the route sent (GW-08)', () => {
    const built = forward(['Host', 'gate', 'authorization', 'Bearer mine', 'X-Key', 'mine'], {
      credentials: [{ name: 'Authorization', value: 'Bearer upstream-secret' }],
      edits: {
        set: [
          { name: 'authorization', value: 'Bearer route' },
          { name: 'x-key', value: 'route' },
        ],
        remove: [],
      },
    });
    expect(valuesOf(built, 'authorization')).toEqual(['Bearer upstream-secret']);
    expect(valuesOf(built, 'x-key')).toEqual(['route']);
  });

  it('lets no other spelling of a name stand beside what is set, nor pass where it is removed', () => {
    const built = forward(['Host', 'gate', 'X_Key', 'a', 'x-other', 'b', 'My_Own', 'c'], {
      credentials: [{ name: 'X-Key', value: 'secret' }],
      edits: { set: [], remove: ['x_other'] },
    });
    expect(built.slice(0, 2)).toEqual(['My_Own', 'c']);
    const [common, own] = [ADDED.slice(0, 8), ADDED.slice(8)];
    expect(built.slice(2)).toEqual([...common, 'X-Key', 'secret', ...own]);
  });

  it('takes no other spelling for what a trusted proxy says', () => {
    const built = forward(['Host', 'gate', 'X_Forwarded_For', '10.0.0.1'], {}, { trusted: true });
    expect(built).toEqual(ADDED);
  });

  it('lets a route remove headers, ours too, but not make framing', () => {
    const built = forward(['Host', 'gate', 'Cookie', 'a=b', 'Content-Length', '3'], {
      edits: {
        set: [
          { name: 'Transfer-Encoding', value: 'chunked' },
          { name: 'content-length', value: '99' },
          { name: 'Host', value: 'other' },
        ],
        remove: ['cookie', 'X-Plan'],
      },
    });
    expect(built).toEqual(['Content-Length', '3', ...ADDED.slice(0, -2)]);
  });

  it('comes behind those that a request came through, unless the route says otherwise (RFC 9110 7.6.3)', () => {
    const headers = ['Host', 'gate', 'via', '1.0 cache', 'A', 'b'];
    expect(valuesOf(forward(headers), 'via')).toEqual(['1.0 cache', '1.1 tollkeeper']);
    const edits = { set: [], remove: ['Via'] };
    expect(forward(headers, { edits })).toEqual(['A', 'b', ...ADDED.slice(2)]);
  });

  it.each([
    ['OPTIONS', '3', '2'],
    ['OPTIONS', '1', '0'],
    ['OPTIONS', '9'.repeat(30), '2147483647'],
    ['OPTIONS', 'x', 'x'],
    ['GET', '3', '3'],
  ])('%s with Max-Forwards %s goes on with %s (RFC 9110 7.6.2)', (method, before, after) => {
    const built = forward(['Host', 'gate', 'max-forwards', before], {}, { method });
    expect(valuesOf(built, 'max-forwards')).toEqual([after]);
  });

  it('asks for an unencoded answer where usage must be read (DESIGN 5)', () => {
    const built = forward(['Host', 'gate', 'Accept-Encoding', 'gzip, br'], {
      identityEncoding: true,
    });
    expect(valuesOf(built, 'accept-encoding')).toEqual(['identity']);
  });

  it('drops the caller`s length when the body is another one', () => {
    const built = forward(
      ['Host', 'gate', 'Content-Length', '3'],
      {},
      { keepContentLength: false },
    );
    expect(built).toEqual(ADDED);
  });

  it('believes forwarded headers of a trusted proxy only, and adds to them', () => {
    const headers = [
      ...['Host', 'gate', 'X-Forwarded-For', '203.0.113.9', 'x-forwarded-for', '10.1.1.1'],
      ...['X-Forwarded-Proto', 'http', 'X-Forwarded-Host', 'shop.example', 'Forwarded', 'for=x'],
    ];
    const built = forward(headers, {}, { trusted: true });
    expect(built.slice(2, 8)).toEqual([
      ...['X-Forwarded-For', '203.0.113.9, 10.1.1.1, 192.0.2.7'],
      ...['X-Forwarded-Proto', 'http', 'X-Forwarded-Host', 'shop.example'],
    ]);
    expect(valuesOf(built, 'forwarded')).toEqual([]);
  });

  it('says nothing about a caller nobody identified', () => {
    const built = forward(['Host', 'gate'], {}, { identity: undefined });
    expect(built).toEqual(ADDED.slice(0, 10));
  });

  it('never forwards a name twice that we set, whatever case and order it came in', () => {
    const ours = ['x-consumer-id', 'x-key-id', 'x-plan', 'x-request-id', 'x-forwarded-for'];
    const spelling = fc
      .tuple(
        fc.constantFrom(...ours, 'authorization'),
        fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }),
      )
      .map(([name, upper]) =>
        Array.from(name, (c, i) => (upper[i] === true ? c.toUpperCase() : c)).join(''),
      );
    fc.assert(
      fc.property(fc.array(spelling, { maxLength: 8 }), (names) => {
        const built = forward(
          names.flatMap((name) => [name, `Bearer ${KEY}`]),
          { credentials: [{ name: 'authorization', value: 'Bearer upstream' }] },
        );
        for (const name of [...ours, 'authorization'])
          expect(valuesOf(built, name)).toHaveLength(1);
        expect(built.join()).not.toContain(KEY);
      }),
    );
  });
});

describe('to the upstream, from a connection whose calls have the same fields', () => {
  const HEADERS = [
    'Host',
    'gate',
    'X-A',
    'b',
    'Content-Length',
    '5',
    'X-Forwarded-For',
    '10.0.0.1',
  ];
  const whole = { ...CALL, keepContentLength: false };
  const sorted = (headers: readonly string[]): string[] =>
    headers
      .flatMap((name, index) => (index % 2 === 0 ? `${name}: ${headers[index + 1]}` : []))
      .toSorted();

  it('each call is sent what it would have been sent alone, most of it in one list', () => {
    const plan = planOf({
      edits: { set: [{ name: 'X-Set', value: 'c' }], remove: ['x-plan', 'via'] },
      credentials: [{ name: 'Authorization', value: 'Bearer upstream' }],
      identityEncoding: true,
    });
    const sameFields = { forwarded: undefined };
    const lists = ['req_1', 'req_2'].map((requestId) => {
      const call = { ...whole, requestId };
      const built = plan.build({ headers: HEADERS, sameFields }, call);
      expect(sorted(flat(built))).toEqual(sorted(flat(plan.build({ headers: HEADERS }, call))));
      expect(built.own).toEqual([
        'X-Request-Id',
        requestId,
        ...['X-Consumer-Id', 'ten_1', 'X-Key-Id', 'key_1'],
      ]);
      return built.shared;
    });
    expect(lists[0]).toBe(lists[1]);
  });

  it('another caller on it is told as who it is', () => {
    const sameFields = { forwarded: undefined };
    const build = (tenantId: string): string[] =>
      flat(
        planOf().build(
          { headers: HEADERS, sameFields },
          { ...whole, identity: { tenantId, keyId: 'key_2', planId: 'pro' } },
        ),
      );
    expect(valuesOf(build('ten_2'), 'x-consumer-id')).toEqual(['ten_2']);
    expect(valuesOf(build('ten_3'), 'x-consumer-id')).toEqual(['ten_3']);
  });

  it('another plan makes its own list, as does trust that came or went', () => {
    const sameFields = { forwarded: undefined };
    const [one, other] = [
      planOf(),
      planOf({ edits: { set: [{ name: 'X-Set', value: 'c' }], remove: [] } }),
    ];
    const valuesAt = (plan: RequestHeaderPlan, name: string, trusted = false): string[] =>
      valuesOf(flat(plan.build({ headers: HEADERS, sameFields }, { ...whole, trusted })), name);
    expect([valuesAt(one, 'x-set'), valuesAt(other, 'x-set'), valuesAt(one, 'x-set')]).toEqual([
      [],
      ['c'],
      [],
    ]);
    expect(valuesAt(one, 'x-forwarded-for')).toEqual(['192.0.2.7']);
    expect(valuesAt(one, 'x-forwarded-for', true)).toEqual(['10.0.0.1, 192.0.2.7']);
    expect(valuesAt(one, 'x-forwarded-for')).toEqual(['192.0.2.7']);
  });

  it('Max-Forwards is counted down for OPTIONS, and for no other method', () => {
    const sameFields = { forwarded: undefined };
    const sent = ['GET', 'OPTIONS', 'GET'].map((method) => {
      const headers = [...HEADERS, 'Max-Forwards', '3'];
      const built = planOf().build({ headers, sameFields }, { ...whole, method });
      return valuesOf(flat(built), 'max-forwards');
    });
    expect(sent).toEqual([['3'], ['2'], ['3']]);
  });

  it('a length that is passed on is that of each call', () => {
    const sameFields = { forwarded: undefined };
    for (const length of ['5', '6']) {
      const headers = HEADERS.with(5, length);
      const built = planOf().build({ headers, sameFields }, { ...whole, keepContentLength: true });
      expect(valuesOf(flat(built), 'content-length')).toEqual([length]);
    }
  });
});

describe('to the client', () => {
  function answer(
    headers: readonly string[],
    rules: Partial<ResponseHeaderRules> = {},
    keepContentLength = true,
  ): string[] {
    const plan = new ResponseHeaderPlan({
      edits: { set: [], remove: [] },
      ownsCors: false,
      ...rules,
    });
    return plan.build(headers, ['X-Request-Id', 'req_1'], keepContentLength);
  }

  it.each([...HOP_BY_HOP_NAMES, 'alt-svc', 'Host', 'Expect'])('ends %s here', (name) => {
    expect(answer([name, 'x', name, 'y', 'A', 'b'])).toEqual(['A', 'b', 'X-Request-Id', 'req_1']);
  });

  it.each(['Host', 'Expect'])('has no %s of a route either', (name) => {
    const edits = { set: [{ name, value: 'x' }], remove: [] };
    expect(answer([], { edits })).toEqual(['X-Request-Id', 'req_1']);
  });

  it.each([
    'x-request-id',
    'RateLimit',
    'RateLimit-Policy',
    'X-RateLimit-Remaining',
    'x-tollkeeper-cost',
    'PAYMENT-REQUIRED',
    'PAYMENT-RESPONSE',
    'X-402-Version',
    'X-Upstream-Provider',
    'X-Upstream-Error',
  ])('does not let the upstream speak for us in %s', (name) => {
    expect(answer([name, 'upstream'])).toEqual(['X-Request-Id', 'req_1']);
  });

  it('keeps everything else in order, cookies and date included, and edits as the route says (GW-08)', () => {
    const headers = ['Date', 'd', 'Set-Cookie', 'a', 'set-cookie', 'b', 'Server', 's', 'X-A', '1'];
    const edits = { set: [{ name: 'x-a', value: '2' }], remove: ['Server'] };
    expect(answer([...headers, 'Connection', 'x-hop', 'X-Hop', '1'], { edits })).toEqual([
      ...['Date', 'd', 'Set-Cookie', 'a', 'set-cookie', 'b', 'x-a', '2', 'X-Request-Id', 'req_1'],
    ]);
  });

  it('keeps the length only when the body is the upstream`s', () => {
    expect(answer(['Content-Length', '3'])).toEqual([
      'Content-Length',
      '3',
      'X-Request-Id',
      'req_1',
    ]);
    expect(answer(['Content-Length', '3'], {}, false)).toEqual(['X-Request-Id', 'req_1']);
  });

  it('answers CORS itself where the API says so', () => {
    const headers = ['Access-Control-Allow-Origin', '*'];
    expect(answer(headers)).toEqual([...headers, 'X-Request-Id', 'req_1']);
    expect(answer(headers, { ownsCors: true })).toEqual(['X-Request-Id', 'req_1']);
  });
});

describe('bounds', () => {
  it('remembers SPELLINGS_MAX spellings and works out the rest each time', () => {
    let classified = 0;
    const classifier = new HeaderClassifier(() => {
      classified += 1;
      return 'keep';
    });
    for (let round = 0; round < 2; round += 1) {
      for (let index = 0; index < SPELLINGS_MAX + 10; index += 1)
        classifier.actionFor(`x-${index}`);
    }
    expect(classified).toBe(SPELLINGS_MAX + 20);
  });
});
