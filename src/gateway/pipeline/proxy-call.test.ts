import { describe, expect, it } from 'vitest';

import {
  buildApi,
  buildCatalog,
  buildLimit,
  buildPlan,
  buildRoute,
} from '../../../test/support/build-catalog.ts';
import { buildKey, buildTenant } from '../../../test/support/build-key.ts';
import { MemoryResponse } from '../../../test/support/memory-exchange.ts';
import { MemoryGateway, RAW_KEY } from '../../../test/support/memory-gateway.ts';
import type { Upstream } from '../../domain/catalog.ts';

const UPSTREAM: Upstream = {
  id: 'main',
  targets: [{ url: 'http://127.0.0.1:9', weight: 1 }],
  health: {
    path: undefined,
    intervalMs: 1000,
    timeoutMs: 1000,
    unhealthyAfter: 3,
    healthyAfter: 1,
  },
  credentials: [],
};
const SLOTS = buildLimit(1, { id: 'slots', unit: 'concurrent_requests', window: 'lifetime' });

function openGateway(): MemoryGateway {
  const match = { methods: [], path: { kind: 'prefix', value: '/' }, headers: [] } as const;
  const plan = buildPlan('free', { usage: 'included', limits: [SLOTS] });
  const catalog = buildCatalog([plan], {
    apis: [buildApi({ routes: [buildRoute({ match })] })],
    upstreams: new Map([[UPSTREAM.id, UPSTREAM]]),
  });
  return new MemoryGateway(catalog, {
    key: buildKey(RAW_KEY),
    tenant: buildTenant(),
    ancestors: [],
  });
}

describe('a caller that leaves early', () => {
  it('QUOTA-11: while its key is looked up: its slot is free again, and the upstream hears nothing of it', async () => {
    const gateway = openGateway();
    const response = new MemoryResponse();
    const ended = gateway.call({ path: '/' }, response);
    response.closed = true;
    await ended;
    expect(gateway.sent).toEqual([]);
    expect(gateway.engine.openUnits).toBe(0);
    expect(gateway.facts.outcome).toMatchObject({ ending: 'client-gone' });
  });
});
