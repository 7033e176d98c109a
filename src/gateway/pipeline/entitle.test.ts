import { describe, expect, it } from 'vitest';

import {
  AT,
  buildApi,
  buildCatalog,
  buildPlan,
  buildRoute,
} from '../../../test/support/build-catalog.ts';
import { buildKeyWithTenant, buildTenant } from '../../../test/support/build-key.ts';
import { buildExchange, MemoryRequest } from '../../../test/support/memory-exchange.ts';
import type { DegradedProfile, Plan, Requirement } from '../../domain/catalog.ts';
import { PLAIN_TERMS } from '../../domain/tenant-terms.ts';
import { AskedRequest } from './asked-request.ts';
import { entitle, isHeldBack, takePending } from './entitle.ts';
import type { Exchange } from './exchange.ts';
import { KeyAccess } from './key-access.ts';
import { compileRouteGates } from './route-gate.ts';
import { stand } from './stand.ts';

const EXPORT: Requirement = { kind: 'feature', id: 'export', when: [] };
const INVOICE = {
  ...PLAIN_TERMS,
  payment: { ...PLAIN_TERMS.payment, overdueInvoices: ['inv_1'] },
};

function entitled(of: {
  plan?: Partial<Plan>;
  requires?: readonly Requirement[];
  contentLength?: number;
  owes?: boolean;
  anonymous?: boolean;
}): Exchange {
  const { contentLength = 0, requires = [] } = of;
  const route = buildRoute({ requires });
  const exchange = buildExchange(new MemoryRequest({ method: 'GET', contentLength }));
  if (of.anonymous !== true) {
    const tenant = buildTenant(of.owes === true ? { terms: INVOICE } : {});
    const catalog = buildCatalog([buildPlan('free', of.plan)]);
    exchange.access = new KeyAccess({ ...buildKeyWithTenant(), tenant }, catalog, AT);
    stand(exchange, route);
  }
  const gate = compileRouteGates(buildApi({ routes: [route] }), buildCatalog([])).get(route);
  entitle(exchange, gate, new AskedRequest(exchange.request, undefined));
  return exchange;
}

describe('entitle', () => {
  it('asks nothing of a plain call', () => {
    const exchange = entitled({});
    expect(exchange.entitlements).toEqual([]);
    expect(isHeldBack(exchange)).toBe(false);
  });

  it('holds back who lacks a feature, and not who has it (PLAN-04)', () => {
    expect(isHeldBack(entitled({ requires: [EXPORT] }))).toBe(true);
    expect(isHeldBack(entitled({ requires: [EXPORT], plan: { features: ['export'] } }))).toBe(
      false,
    );
  });

  it('a caller without a key has no plan that could grant anything', () => {
    expect(entitled({ requires: [EXPORT], anonymous: true }).entitlements).toEqual([
      { kind: 'feature', id: 'export', granted: false },
    ]);
  });
});

describe('the size of a body (PLAN-06)', () => {
  const plan = { fileBytesMax: 1000 };

  it.each([
    [1000, true],
    [1001, false],
  ])('%d bytes are granted: %s', (contentLength, granted) => {
    expect(entitled({ plan, contentLength }).entitlements).toEqual([
      { kind: 'file_size', id: 'plan', granted, needed: contentLength, allowed: 1000 },
    ]);
  });

  it('no body needs no room', () => {
    expect(entitled({ plan }).entitlements).toEqual([]);
  });

  it('is judged on its way where it is not told: the byte too many is refused with its number', () => {
    const exchange = entitled({ plan, contentLength: -1 });
    expect(isHeldBack(exchange)).toBe(false);
    const pending = exchange.pendingEntitlement;
    expect(pending?.bytesMax).toBe(1000);
    if (pending === undefined) return;
    exchange.bytesIn = 1400;
    takePending(exchange, pending);
    expect(exchange.entitlements).toEqual([
      { kind: 'file_size', id: 'plan', granted: false, needed: 1400, allowed: 1000 },
    ]);
    expect(exchange.pendingEntitlement).toBeUndefined();
    expect(isHeldBack(exchange)).toBe(true);
  });

  it('what comes first on the way is what is waited for', () => {
    const big: Requirement = { ...EXPORT, when: [{ kind: 'body-bytes', above: 100 }] };
    const exchange = entitled({ plan, requires: [big], contentLength: -1 });
    expect(exchange.pendingEntitlement).toMatchObject({
      bytesMax: 100,
      entitlement: { kind: 'feature', id: 'export' },
    });
  });
});

describe('features that rest while a payment is pending (DEG-01)', () => {
  const degraded: DegradedProfile = {
    readOnly: true,
    duringGrace: false,
    contextTokensMax: undefined,
    rate: undefined,
    substitutes: new Map(),
    withheldFeatures: ['export'],
  };
  const plan = { degraded, features: ['export', 'other'] };

  it('are refused for the payment, not sold again', () => {
    const exchange = entitled({ plan, requires: [EXPORT], owes: true });
    expect(exchange.standing).toMatchObject({ code: 'INVOICE_OVERDUE', stillServed: false });
    expect(exchange.entitlements).toMatchObject([{ granted: true }]);
    expect(isHeldBack(exchange)).toBe(true);
  });

  it('others go on, and so do they once it is paid', () => {
    const other = { ...EXPORT, id: 'other' };
    expect(isHeldBack(entitled({ plan, requires: [other], owes: true }))).toBe(false);
    expect(isHeldBack(entitled({ plan, requires: [EXPORT] }))).toBe(false);
  });
});
