import { describe, expect, it } from 'vitest';

import {
  AT,
  buildApi,
  buildCatalog,
  buildModel,
  buildPlan,
  buildRoute,
} from '../../../test/support/build-catalog.ts';
import { buildKey, buildTenant } from '../../../test/support/build-key.ts';
import { buildExchange, MemoryRequest } from '../../../test/support/memory-exchange.ts';
import type { Api, Route } from '../../domain/catalog.ts';
import { type KeyTerms, PLAIN_KEY_TERMS } from '../../domain/key-terms.ts';
import { type AccountState, PLAIN_TERMS } from '../../domain/tenant-terms.ts';
import { compileAddressSet } from '../address-set.ts';
import { authorize, permitModel } from './authorize.ts';
import { KeyAccess } from './key-access.ts';
import { compileRouteGates } from './route-gate.ts';

interface Case {
  readonly key?: Partial<KeyTerms>;
  readonly account?: AccountState;
  readonly environment?: 'live' | 'test';
  readonly route?: Partial<Route>;
  readonly api?: Partial<Api>;
  readonly address?: string;
  readonly forwardedFor?: string;
}

function accessWith(
  { key, account = 'active', environment = 'test' }: Case,
  catalog = buildCatalog([buildPlan('free')]),
): KeyAccess {
  const tenant = buildTenant({ terms: { ...PLAIN_TERMS, account } });
  const terms = { ...PLAIN_KEY_TERMS, ...key };
  const found = { key: buildKey('tk_test_0000', { terms, environment }), tenant, ancestors: [] };
  return new KeyAccess(found, catalog, AT);
}

/** Code and permission of what forbids the call. */
function forbids(of: Case): string | undefined {
  const route = buildRoute(of.route);
  const api = buildApi({ ...of.api, routes: [route] });
  const headers = of.forwardedFor === undefined ? [] : ['X-Forwarded-For', of.forwardedFor];
  const exchange = buildExchange(
    new MemoryRequest({ headers, remoteAddress: of.address ?? '203.0.113.7' }),
  );
  exchange.access = accessWith(of);
  const gate = compileRouteGates(api, buildCatalog([])).get(route);
  const context = { trustsForwarded: compileAddressSet(['10.0.0.1']) };
  const fault = authorize(context, exchange, route, gate);
  return fault && [fault.code, fault.pointer].filter(Boolean).join(' ');
}

const OFFICE = { allow: ['203.0.113.0/24'], deny: [] };

describe('authorise (GW-14, KEY-02, KEY-04)', () => {
  it.each<[string, Case, string | undefined]>([
    ['a plain key', {}, undefined],
    ['a suspended account', { account: 'suspended' }, 'ACCOUNT_SUSPENDED'],
    ['an unverified account', { account: 'unverified' }, 'ACCOUNT_UNVERIFIED'],
    ['access that waits', { account: 'pending_approval' }, 'SUBSCRIPTION_PENDING_APPROVAL'],
    ['the API of the key', { key: { apis: ['demo', 'x'] } }, undefined],
    ['another API', { key: { apis: ['x'] } }, 'KEY_PERMISSION_DENIED api:demo'],
    ['the operation of the key', { key: { operations: ['weather'] } }, undefined],
    [
      'another operation',
      { key: { operations: ['read'] } },
      'KEY_PERMISSION_DENIED operation:weather',
    ],
    ['an address of the key', { key: { addresses: ['203.0.113.0/24'] } }, undefined],
    ['another address', { key: { addresses: ['10.0.0.0/8'] } }, 'KEY_ADDRESS_NOT_ALLOWED'],
    ['a role of the key', { key: { roles: ['editor'] }, route: { role: 'editor' } }, undefined],
    ['another role', { key: { roles: ['reader'] }, route: { role: 'editor' } }, 'FORBIDDEN_ROLE'],
    ['the environment of the key', { api: { environment: 'test' } }, undefined],
    ['another environment', { api: { environment: 'live' } }, 'KEY_ENVIRONMENT_MISMATCH'],
    ['an allowed address', { api: { addressPolicy: OFFICE } }, undefined],
    [
      'a forbidden address',
      { api: { addressPolicy: OFFICE }, address: '198.51.100.1' },
      'FORBIDDEN_POLICY',
    ],
    [
      'the address behind a trusted proxy',
      { api: { addressPolicy: OFFICE }, address: '10.0.0.1', forwardedFor: '198.51.100.1' },
      'FORBIDDEN_POLICY',
    ],
    [
      'what a stranger claims to forward',
      { api: { addressPolicy: OFFICE }, address: '198.51.100.1', forwardedFor: '203.0.113.7' },
      'FORBIDDEN_POLICY',
    ],
  ])('%s', (_what, of, expected) => {
    expect(forbids(of)).toBe(expected);
  });

  it('the account comes first, then the place, then what the key may do', () => {
    const all: Case = {
      account: 'suspended',
      api: { environment: 'live', addressPolicy: OFFICE },
      address: '198.51.100.1',
      key: { apis: ['x'] },
    };
    expect(forbids(all)).toBe('ACCOUNT_SUSPENDED');
    expect(forbids({ ...all, account: 'active' })).toBe('KEY_ENVIRONMENT_MISMATCH');
    expect(forbids({ ...all, account: 'active', environment: 'live' })).toBe('FORBIDDEN_POLICY');
  });

  it('a caller without a key is asked for nothing but the place', () => {
    const of: Case = { api: { addressPolicy: OFFICE, environment: 'live' }, route: { role: 'x' } };
    const codeFor = (address: string) => {
      const route = buildRoute(of.route);
      const gate = compileRouteGates(buildApi({ ...of.api, routes: [route] }), buildCatalog([]));
      const exchange = buildExchange(new MemoryRequest({ remoteAddress: address }));
      return authorize({ trustsForwarded: () => false }, exchange, route, gate.get(route))?.code;
    };
    expect(codeFor('203.0.113.7')).toBeUndefined();
    expect(codeFor('198.51.100.1')).toBe('FORBIDDEN_POLICY');
  });
});

describe('models of a key', () => {
  const model = buildModel('large');
  const alias = { ...buildModel('default-chat'), aliasOf: 'large' };
  const other = { ...buildModel('best'), aliasOf: 'large' };
  const all = [model, alias, other, buildModel('small')];
  const catalog = buildCatalog([buildPlan('free')], {
    models: new Map(all.map((each) => [each.id, each])),
  });

  // As plans and limits do it: an alias is another name of a model (LLM-03).
  it.each([
    [[], model, undefined],
    [['large'], model, undefined],
    [['small'], model, 'model:large'],
    [['large'], alias, undefined],
    [['default-chat'], alias, undefined],
    [['default-chat'], model, undefined],
    [['default-chat'], other, undefined],
    [['default-chat'], buildModel('small'), 'model:small'],
    [['small'], alias, 'model:default-chat'],
  ])('%j may use %o', (models, asked, permission) => {
    expect(permitModel(accessWith({ key: { models } }, catalog), asked)?.pointer).toBe(permission);
  });
});
