import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { anyFacts, T0 } from '../../test/support/any-facts.ts';
import { AT, buildFacts, buildLimit, buildQuota } from '../../test/support/build-catalog.ts';
import { packFacts, unpackFacts } from '../domain/facts-record.ts';
import type { Facts } from '../domain/facts.ts';
import { createId } from '../platform/ids.ts';
import { RequestBatch } from './request-rows-batch.ts';
import { BATCH_BYTES_MAX } from './request-rows-layout.ts';
import { BatchRows, readHead } from './request-rows-reader.ts';
import { decodeRows, encodeRows } from './request-rows.ts';
import type { RequestRow } from './store.ts';

function rowOf(changed: Partial<RequestRow> = {}): RequestRow {
  const common = { at: AT, tenantId: 'ten_1', status: 200, code: '', facts: '{}' };
  return { requestId: createId('req', AT), ...common, ...changed };
}

function batchOf(all: readonly Facts[]): Uint8Array {
  const batch = new RequestBatch();
  for (const facts of all) expect(batch.add(facts)).toBe(true);
  return batch.take() ?? new Uint8Array();
}

function rowOfFacts(facts: Facts): RequestRow {
  const { requestId, at, identity, outcome } = facts;
  const tenantId = identity.kind === 'key' ? identity.tenantId : '';
  const { status = 0, code = '', wouldRefuse } = outcome ?? {};
  const row = { requestId, at, tenantId, status, code, facts: packFacts(facts) };
  return wouldRefuse === undefined ? row : { ...row, wouldRefuse };
}

describe('a batch of log rows (OBS-01)', () => {
  it('gives back every row and its facts exactly, batch after batch', () => {
    const batch = new RequestBatch();
    fc.assert(
      fc.property(fc.array(anyFacts, { minLength: 1, maxLength: 20 }), (all) => {
        for (const facts of all) expect(batch.add(facts)).toBe(true);
        const rows = decodeRows(batch.take() ?? new Uint8Array());
        expect(rows).toEqual(all.map(rowOfFacts));
        expect(rows.map(({ facts }) => unpackFacts(facts))).toEqual(all);
      }),
    );
    expect(batch.take()).toBeUndefined();
  });

  it('gives back rows whose facts are any text', () => {
    const anyRow = fc
      .record({
        facts: fc.string({ unit: 'binary' }),
        tenantId: fc.string(),
        code: fc.constantFrom('', 'RATE_LIMITED'),
        status: fc.nat(999),
        at: fc.maxSafeNat(),
        wouldRefuse: fc.constantFrom({}, { wouldRefuse: 'RATE_LIMITED' }),
      })
      .map(({ wouldRefuse, ...row }) => rowOf({ ...row, ...wouldRefuse }));
    fc.assert(
      fc.property(fc.array(anyRow), (rows) => {
        expect(encodeRows(rows).flatMap(decodeRows)).toEqual(rows);
      }),
    );
  });

  it('its head says how many rows it has, which kinds, and from which id to which', () => {
    const [first, second, third] = [rowOf(), rowOf({ code: 'A' }), rowOf({ wouldRefuse: 'B' })];
    const [bytes = new Uint8Array()] = encodeRows([second, third, first]);
    expect(readHead(bytes)).toEqual({
      rows: 3,
      refused: 1,
      observed: 1,
      leastId: first.requestId,
      greatestId: third.requestId,
    });
  });

  it('finds a row by its id, and rows by tenant, key and code', () => {
    const key = {
      kind: 'key',
      planId: 'p',
      planVersion: 'v',
      planTitle: 'P',
      freePlan: true,
    } as const;
    const of = (tenantId: string, keyId: string, at = T0) =>
      buildFacts({ requestId: createId('req', at), at, identity: { ...key, tenantId, keyId } });
    const [one, two, three] = [of('a', 'k1'), of('b', 'k2', T0 + 1), of('a', 'k3', T0 + 2)];
    const rows = new BatchRows(batchOf([one, two, three]));
    expect(rows.find(two.requestId)).toEqual(rowOfFacts(two));
    expect(rows.find(createId('req', T0))).toBeUndefined();
    const all = {
      least: 'req_',
      before: 'req_g',
      tenantId: '',
      keyId: '',
      codes: undefined,
      observed: false,
    };
    const ids = (filter: Partial<typeof all>) =>
      rows.select({ ...all, ...filter }).map(({ requestId }) => requestId);
    expect(ids({})).toEqual([one, two, three].map(({ requestId }) => requestId));
    expect(ids({ tenantId: 'a' })).toEqual([one.requestId, three.requestId]);
    expect(ids({ tenantId: 'a', keyId: 'k3' })).toEqual([three.requestId]);
    expect(ids({ tenantId: 'k1' })).toEqual([]);
    expect(ids({ keyId: 'k' })).toEqual([]);
    expect(ids({ least: two.requestId, before: three.requestId })).toEqual([two.requestId]);
    expect(ids({ observed: true })).toEqual([]);
  });

  it('bound: 128 KiB, and one row more begins another batch with all its texts', () => {
    const batch = new RequestBatch();
    const added: Facts[] = [];
    const next = (): Facts => buildFacts({ path: `/${'x'.repeat(500)}/${added.length}` });
    while (batch.add(next())) added.push(next());
    // Whatever comes now would refer to what is not there.
    expect(batch.add(buildFacts())).toBe(false);
    expect(batch.rowCount).toBe(added.length);
    const bytes = batch.take();
    expect(bytes?.length).toBeLessThanOrEqual(BATCH_BYTES_MAX);
    expect(bytes?.length).toBeGreaterThan(BATCH_BYTES_MAX - 2000);
    expect(decodeRows(bytes ?? new Uint8Array())).toEqual(added.map(rowOfFacts));
    expect(batch.add(next())).toBe(true);
    expect(decodeRows(batch.take() ?? new Uint8Array())).toEqual([rowOfFacts(next())]);
  });

  it.each(['é'.repeat(100_000), 'x'.repeat(200_000)])(
    'bound: a row longer than a batch is refused, and the next one is not',
    (path) => {
      const batch = new RequestBatch();
      expect(batch.add(buildFacts({ path }))).toBe(false);
      expect(batch.take()).toBeUndefined();
      expect(batch.add(buildFacts())).toBe(true);
      expect(() => encodeRows([rowOf({ facts: path })])).toThrow(/too long for the log/);
    },
  );

  it('a row of ten limits that others have too takes tens of bytes a limit', () => {
    const labels = Array.from({ length: 10 }, (_, index) =>
      buildQuota(buildLimit(1_000_000 + index, { id: `requests_per_month_${index}` })),
    );
    const { identity } = buildFacts();
    const facts = (spent: number): Facts =>
      buildFacts({
        requestId: createId('req', AT),
        identity,
        limits: labels.map((limit) => ({ ...limit, spent, reserved: 1000 })),
      });
    const length = (count: number): number =>
      batchOf(Array.from({ length: count }, (_, index) => facts(50_000 + index))).length;
    expect((length(101) - length(1)) / 100).toBeLessThan(150);
  });

  it.each([new Uint8Array(), new Uint8Array(100), Buffer.from('rows of another time\u001e')])(
    'what is no batch is refused',
    (bytes) => {
      expect(() => readHead(bytes)).toThrow(/no batch of log rows/);
    },
  );
});
