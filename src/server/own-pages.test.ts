import { expect, it } from 'vitest';

import { MemoryRequest, MemoryResponse } from '../../test/support/memory-exchange.ts';
import { readHeader } from '../gateway/pipeline/outgoing.ts';
import { createClock } from '../platform/clock.ts';
import { createOwnPages, type OwnPagesParts } from './own-pages.ts';

it.each([
  ['/readyz', false, 200, undefined],
  ['/readyz', true, 503, '1'],
  ['/healthz', true, 200, undefined],
])(
  '%s while draining is %s: %i, to be tried again after %s s',
  (target, draining, status, wait) => {
    const serve = createOwnPages({
      clock: createClock(0),
      draining: () => draining,
    } as OwnPagesParts);
    const request = new MemoryRequest({ method: 'GET', target, headers: ['Host', 'localhost'] });
    const response = new MemoryResponse();
    expect(serve(request, response, 'req_1')).toBe(true);
    expect([response.status, readHeader(response.headers, 'retry-after')]).toEqual([status, wait]);
  },
);
