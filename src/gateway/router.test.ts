import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Api, PathMatch, Route, RouteMatch } from '../domain/catalog.ts';
import { buildApi, buildRoute } from '../../test/support/build-catalog.ts';
import { compileRouter, type RouteMatchResult } from './router.ts';

function buildMatched(id: string, match: Partial<RouteMatch> & { path: PathMatch }): Route {
  return buildRoute({ id, apiId: 'api', match: { methods: [], headers: [], ...match } });
}

function buildApiOf(routes: readonly Route[], hosts: readonly string[] = [], id = 'api'): Api {
  return buildApi({ id, hosts, routes });
}

const exact = (value: string): PathMatch => ({ kind: 'exact', value });
const prefix = (value: string): PathMatch => ({ kind: 'prefix', value });
const regex = (value: string): PathMatch => ({ kind: 'regex', value });

/** The id of the route that is found, else the kind of the miss. */
function name(result: RouteMatchResult): string {
  return result.kind === 'route' ? result.route.id : result.kind;
}

describe('which route decides (GW-01)', () => {
  const router = compileRouter([
    buildApiOf([
      buildMatched('regex-first', { path: regex('^/v1/(chat|files)/\\d+$') }),
      buildMatched('regex-second', { path: regex('^/v1/') }),
      buildMatched('root', { path: prefix('/'), methods: ['GET'] }),
      buildMatched('v1-chat', { path: prefix('/v1/chat') }),
      buildMatched('v1-chat-exact-post', { path: exact('/v1/chat'), methods: ['POST'] }),
      buildMatched('v1-chat-exact-v2', {
        path: exact('/v1/chat'),
        headers: [{ name: 'x-version', value: '2' }],
      }),
      buildMatched('slash', { path: prefix('/docs/') }),
    ]),
    buildApiOf([buildMatched('shop', { path: prefix('/v1/chat') })], ['Shop.example:443'], 'shop'),
    buildApiOf([buildMatched('any-sub', { path: prefix('/') })], ['*.example.org'], 'sub'),
    buildApiOf([buildMatched('deep-sub', { path: prefix('/') })], ['*.eu.example.org'], 'deep'),
  ]);

  it.each([
    ['GET', 'h', '/', 'root'],
    ['GET', 'h', '/anything/at/all', 'root'],
    ['POST', 'h', '/v1/chat', 'v1-chat-exact-post'],
    ['GET', 'h', '/v1/chat', 'v1-chat'],
    ['GET', 'h', '/v1/chat/', 'v1-chat'],
    ['GET', 'h', '/v1/chat/7', 'v1-chat'],
    ['GET', 'h', '/v1/chatter', 'root'],
    ['POST', 'h', '/v1/chatter', 'regex-second'],
    ['POST', 'h', '/v1/files/7', 'regex-first'],
    ['GET', 'h', '/docs', 'slash'],
    ['POST', 'h', '/docs/a', 'slash'],
    ['HEAD', 'h', '/x', 'root'],
    ['POST', 'h', '/x', 'method-not-allowed'],
    ['GET', 'shop.example', '/v1/chat', 'shop'],
    ['GET', 'SHOP.example.:8443', '/v1/chat/x', 'shop'],
    ['GET', 'shop.example', '/other', 'root'],
    ['POST', 'a.example.org', '/', 'any-sub'],
    ['POST', 'a.b.example.org', '/', 'any-sub'],
    ['POST', 'a.eu.example.org', '/', 'deep-sub'],
    ['POST', 'example.org', '/', 'method-not-allowed'],
    ['POST', '[::1]:4020', '/docs', 'slash'],
  ])('%s %s%s -> %s', (method, host, path, expected) => {
    expect(name(router.match(method, host, path, []))).toBe(expected);
  });

  it('prefers a route whose header condition holds, and skips it when it does not', () => {
    expect(name(router.match('POST', 'h', '/v1/chat', ['X-Version', '2']))).toBe(
      'v1-chat-exact-v2',
    );
    expect(name(router.match('POST', 'h', '/v1/chat', ['X-Version', '3']))).toBe(
      'v1-chat-exact-post',
    );
  });

  it('lists every method the path knows, HEAD beside GET, when the method is wrong', () => {
    const known = compileRouter([
      buildApiOf([
        buildMatched('a', { path: exact('/a'), methods: ['PUT', 'DELETE'] }),
        buildMatched('b', { path: prefix('/'), methods: ['GET'] }),
      ]),
    ]);
    expect(known.match('POST', 'h', '/a', [])).toEqual({
      kind: 'method-not-allowed',
      allow: ['DELETE', 'GET', 'HEAD', 'PUT'],
    });
  });

  it('has no route for TRACE: its answer may show what was added for the upstream (RFC 9110 9.3.8)', () => {
    const open = compileRouter([buildApiOf([buildMatched('any', { path: prefix('/op') })])]);
    expect(name(open.match('OPTIONS', 'h', '/op/x', []))).toBe('any');
    expect(open.match('TRACE', 'h', '/op/x', [])).toEqual({
      kind: 'method-not-allowed',
      allow: ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'],
    });
  });

  it('finds the API of a path whatever the method: a pre-flight belongs to it', () => {
    expect(router.findApi('shop.example', '/v1/chat')?.id).toBe('shop');
    expect(router.findApi('h', '/v1/chat')?.id).toBe('api');
    expect(router.findApi('h', '/../x')).toBeUndefined();
  });

  it('takes the first of two equal routes in file order', () => {
    const twice = compileRouter([
      buildApiOf([
        buildMatched('one', { path: exact('/a') }),
        buildMatched('two', { path: exact('/a') }),
      ]),
    ]);
    expect(name(twice.match('GET', 'h', '/a', []))).toBe('one');
  });
});

describe('spellings of a path cannot dodge its price (GW-01, C402-16)', () => {
  const router = compileRouter([
    buildApiOf([
      buildMatched('priced', { path: exact('/v1/chat') }),
      buildMatched('with-space', { path: exact('/a%20b') }),
      buildMatched('free', { path: prefix('/') }),
    ]),
  ]);

  it.each([
    ['/v1/ch%61t', 'priced'],
    ['/%76%31/chat', 'priced'],
    ['//v1/chat', 'priced'],
    ['/v1///chat', 'priced'],
    ['/v1/chat%', 'bad-path'],
    ['/v1/%ff', 'bad-path'],
    ['/v1/%c0%af', 'bad-path'],
    ['/free/../v1/chat', 'bad-path'],
    ['/free/%2e%2e/v1/chat', 'bad-path'],
    ['/free/.%2E/v1/chat', 'bad-path'],
    ['/v1/./chat', 'bad-path'],
    ['/v1/chat/..', 'bad-path'],
    ['/free/..;a=b/v1/chat', 'bad-path'],
    ['/free%2fv1', 'bad-path'],
    ['/free%5Cv1', 'bad-path'],
    ['/free\\v1', 'bad-path'],
    ['/free%00', 'bad-path'],
    ['/free%0d%0aX: y', 'bad-path'],
    ['/.well-known/x', 'free'],
    ['/a...b/..c', 'free'],
    ['/a%20b', 'with-space'],
    ['/caf%C3%A9', 'free'],
  ])('%s -> %s', (path, expected) => {
    expect(name(router.match('GET', 'h', path, []))).toBe(expected);
  });

  it('says in a bad path what is bad and what to do', () => {
    expect(router.match('GET', 'h', '/a/../b', [])).toEqual({
      kind: 'bad-path',
      reason: 'the path contains a dot segment (`/./` or `/../`): send the path it stands for',
    });
  });
});

describe('laws', () => {
  const segment = fc.constantFrom('a', 'b', 'aa');
  const path = fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join('/')}`);
  const route = fc.record({
    path: fc.oneof(
      path.map(exact),
      path.map(prefix),
      path.map((value) => regex(`^${value}`)),
    ),
    methods: fc.subarray(['GET', 'POST']),
    headers: fc.subarray([{ name: 'x', value: '1' }]),
  });

  it('agrees with a search through all routes in order of rank', () => {
    fc.assert(
      fc.property(
        fc.array(route, { maxLength: 12 }),
        fc.constantFrom('GET', 'POST', 'PUT'),
        path,
        fc.constantFrom([], ['X', '1'], ['X', '2']),
        (matches, method, target, headers) => {
          const routes = matches.map((match, index) => buildMatched(String(index), match));
          const router = compileRouter([buildApiOf(routes)]);
          expect(name(router.match(method, 'h', target, headers))).toBe(
            searchAll(routes, method, target, headers),
          );
        },
      ),
      { numRuns: 2_000 },
    );
  });

  function searchAll(
    routes: readonly Route[],
    method: string,
    target: string,
    headers: readonly string[],
  ): string {
    const onPath = routes.filter(
      ({ match }) =>
        coversPath(match.path, target) && match.headers.every(({ value }) => headers[1] === value),
    );
    const admitted = onPath.filter(
      ({ match }) => match.methods.length === 0 || match.methods.includes(method),
    );
    if (admitted.length === 0) return onPath.length === 0 ? 'not-found' : 'method-not-allowed';
    return (
      admitted.toSorted(
        (one, other) => rank(other) - rank(one) || Number(one.id) - Number(other.id),
      )[0]?.id ?? ''
    );
  }

  function coversPath(match: PathMatch, target: string): boolean {
    if (match.kind === 'exact') return match.value === target;
    if (match.kind === 'regex') return new RegExp(match.value).test(target);
    const base = match.value === '/' ? '' : match.value;
    return target === base || target.startsWith(`${base}/`);
  }

  function rank({ match }: Route): number {
    if (match.path.kind === 'regex') return 0;
    const length =
      match.path.kind === 'exact' ? 1_000 : match.path.value.replace(/\/$/, '').length + 1;
    return length * 10 + match.headers.length * 2 + (match.methods.length > 0 ? 1 : 0);
  }
});

describe('bounds', () => {
  it('looks no further into a long path than the longest prefix is', () => {
    const router = compileRouter([buildApiOf([buildMatched('a', { path: prefix('/a') })])]);
    const path = `/a${'/b'.repeat(8_000)}`;
    expect(name(router.match('GET', 'h', path, []))).toBe('a');
    expect(name(router.match('GET', 'h', path.slice(2), []))).toBe('not-found');
  });

  it('looks at a handful of host labels only', () => {
    const router = compileRouter([buildApiOf([buildMatched('a', { path: prefix('/') })], ['*.x'])]);
    expect(name(router.match('GET', `${'a.'.repeat(10)}x`, '/', []))).toBe('a');
    expect(name(router.match('GET', `${'a.'.repeat(4_000)}x`, '/', []))).toBe('not-found');
  });
});
