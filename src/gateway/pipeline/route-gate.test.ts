import { describe, expect, it } from 'vitest';

import { buildApi, buildCatalog, buildRoute } from '../../../test/support/build-catalog.ts';
import type { Api, Route } from '../../domain/catalog.ts';
import { compileRouteGates, INSPECTED_BYTES_MAX, type RouteGate } from './route-gate.ts';

function gateOf(route: Partial<Route>, api: Partial<Api> = {}): RouteGate | undefined {
  const built = buildRoute(route);
  const gates = compileRouteGates(buildApi({ ...api, routes: [built] }), buildCatalog([]));
  return gates.get(built);
}

const IN_BODY = { in: 'body', name: '/text', type: 'string', required: true } as const;
const FEATURE = { kind: 'feature', id: 'ai', when: [] } as const;

describe('compileRouteGates', () => {
  it('a plain route has none, so that its calls pass without a look', () => {
    expect(gateOf({})).toBeUndefined();
  });

  it.each<[string, Partial<Route>, Partial<Api>]>([
    ['a role', { role: 'editor' }, {}],
    ['a parameter', { parameters: [IN_BODY] }, {}],
    ['a requirement', { requires: [FEATURE] }, {}],
    ['an address policy', {}, { addressPolicy: { allow: [], deny: ['10.0.0.0/8'] } }],
    ['an environment', {}, { environment: 'live' }],
    ['observation', {}, { enforcement: 'observe' }],
    ['a free allowance', {}, { anonymous: { requests: 1, window: 'hour' } }],
  ])('%s makes one', (_what, route, api) => {
    expect(gateOf(route, api)).toBeDefined();
  });

  it('what is free needs no purchase and no key: a requirement or an allowance changes nothing (GW-18)', () => {
    const api = { anonymous: { requests: 1, window: 'hour' } } as const;
    expect(gateOf({ endpointClass: 'free', requires: [FEATURE] }, api)).toBeUndefined();
  });

  it('a model needs a plan: no allowance opens it to callers without a key', () => {
    const api = { anonymous: { requests: 1, window: 'hour' } } as const;
    expect(gateOf({ kind: 'chat' }, api)).toBeUndefined();
    expect(gateOf({}, api)?.anonymous).toBeDefined();
  });

  it('routes of one API share its allowance', () => {
    const routes = [buildRoute({ id: 'a' }), buildRoute({ id: 'b' })];
    const api = buildApi({ routes, anonymous: { requests: 1, window: 'hour' } });
    const gates = [...compileRouteGates(api, buildCatalog([])).values()];
    expect(gates).toHaveLength(2);
    expect(gates[0]?.anonymous).toBe(gates[1]?.anonymous);
  });

  it.each<[string, Partial<Route>, number | undefined]>([
    ['a parameter in the body', { parameters: [IN_BODY] }, INSPECTED_BYTES_MAX],
    ['the bound of the route itself', { parameters: [IN_BODY], bodyBytesMax: 5 }, 5],
    [
      'a condition on the body',
      { requires: [{ ...FEATURE, when: [{ kind: 'body', name: '/a', equals: '1' }] }] },
      INSPECTED_BYTES_MAX,
    ],
    ['a parameter in the query', { parameters: [{ ...IN_BODY, in: 'query' }] }, undefined],
    [
      'a condition on its size',
      { requires: [{ ...FEATURE, when: [{ kind: 'body-bytes', above: 1 }] }] },
      undefined,
    ],
  ])('reads the body for %s', (_what, route, bytes) => {
    expect(gateOf(route)?.readsBodyUpTo).toBe(bytes);
  });
});

describe('the address policy (GW-14)', () => {
  const allows = (policy: Api['addressPolicy'], address: string): boolean | undefined =>
    gateOf({}, { addressPolicy: policy })?.allowsAddress?.(address);

  it.each([
    [{ allow: [], deny: ['10.0.0.0/8'] }, '10.1.2.3', false],
    [{ allow: [], deny: ['10.0.0.0/8'] }, '203.0.113.7', true],
    [{ allow: ['203.0.113.0/24'], deny: [] }, '203.0.113.7', true],
    [{ allow: ['203.0.113.0/24'], deny: [] }, '198.51.100.1', false],
    [{ allow: ['203.0.113.0/24'], deny: ['203.0.113.7'] }, '203.0.113.7', false],
    [{ allow: [], deny: [] }, '203.0.113.7', true],
  ])('%j: %s %s', (policy, address, allowed) => {
    expect(allows(policy, address)).toBe(allowed);
  });

  it('none allows everybody and asks nobody', () => {
    expect(gateOf({ role: 'editor' })?.allowsAddress).toBeUndefined();
  });
});
