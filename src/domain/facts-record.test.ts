import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { anyFacts } from '../../test/support/any-facts.ts';
import { buildFacts, buildLimit, buildQuota } from '../../test/support/build-catalog.ts';
import { packFacts, unpackFacts } from './facts-record.ts';
import type { Facts, LimitFact } from './facts.ts';
import { NO_TAKE } from './take.ts';

describe('the record of facts (OBS-01)', () => {
  it('gives back exactly the facts that were packed', () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        expect(unpackFacts(packFacts(given))).toEqual(given);
      }),
    );
  });

  it.each(['', 'null', '{}', '[]', '[2,"req_1"]', '{"requestId":"req_1"}', '[1'])(
    '%s is no record',
    (text) => {
      expect(unpackFacts(text)).toBeUndefined();
    },
  );

  it('keeps what the caller called the request', () => {
    const given = buildFacts({ clientRequestId: 'mine-7' });
    expect(unpackFacts(packFacts(given))).toEqual(given);
  });

  it('says once what an account is, and its allowance anew when that changed', () => {
    // The same objects from request to request, as the pipeline has them.
    const limit = buildQuota(buildLimit(10));
    const { identity } = buildFacts();
    const changes: readonly Partial<LimitFact>[] = [
      {},
      { spent: 7 },
      { allowance: 99 },
      { resetsAt: 5 },
      { accountId: 'quo:ten_1:requests_per_month:2027-02' },
      { overage: { kind: 'bill', nano: 3 } },
      {},
    ];
    for (const change of changes) {
      const given = buildFacts({ identity, limits: [{ ...limit, ...change }] });
      expect(unpackFacts(packFacts(given))).toEqual(given);
    }
  });

  it('what a request lacked is said anew as soon as any of it is another', () => {
    const take = { ...NO_TAKE, inputTokens: 7, nano: 1 };
    const short = { kind: 'short', index: 0, cause: 'gone', held: 0 } as const;
    const reservation = { ...short, affordableOutputTokens: undefined };
    const limited = { kind: 'limited', rateLimitId: 'r', retryAfterMs: 3 } as const;
    const usual = { take, reservation };
    const takes = Object.keys(NO_TAKE).map((name) => ({ take: { ...take, [name]: 5 } }));
    const changes: readonly Partial<Facts>[] = [
      ...takes,
      { reservation: { ...reservation, index: 1 } },
      { reservation: { ...reservation, cause: 'held' } },
      { reservation: { ...reservation, held: 1 } },
      { reservation: { ...reservation, affordableOutputTokens: 9 } },
      { reservation: undefined },
      { reservation: limited },
      { reservation: { ...limited, retryAfterMs: 4 } },
      { take: undefined },
      { enforcement: 'observe' },
      { clientRequestId: 'mine' },
      { storm: { cause: 'KEY_UNKNOWN', retryAfterMs: 5 } },
    ];
    for (const change of changes) {
      for (const each of [usual, usual, { ...usual, ...change }, usual]) {
        const given = buildFacts(each);
        expect(unpackFacts(packFacts(given))).toEqual(given);
      }
    }
  });

  it('two keys of a tenant share what an account of the tenant is, and neither what one of its own is', () => {
    const { identity } = buildFacts();
    if (identity.kind !== 'key') throw new Error('not a key');
    const sibling = { ...identity, keyId: 'key_sibling' };
    const shared = buildQuota(buildLimit(10));
    const own = buildQuota(buildLimit(10, { scope: 'key' }));
    const accountId = own.accountId.replace(identity.keyId, sibling.keyId);
    const balance = { ...shared, kind: 'balance', unit: 'USD', label: undefined } as const;
    const money = { ...balance, accountId: `bal:${identity.tenantId}:USD` };
    for (const who of [identity, sibling, identity]) {
      for (const limit of [shared, own, { ...own, accountId }, money]) {
        const given = buildFacts({ identity: who, limits: [limit] });
        expect(unpackFacts(packFacts(given))).toEqual(given);
      }
    }
  });
});
