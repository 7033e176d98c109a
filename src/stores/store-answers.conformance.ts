import { describe, expect, it } from 'vitest';

import { failure, freshName, type OpenFixture, T0, useStore } from './store-fixture.conformance.ts';

/** Remembered answers, secrets and rate buckets: small things that all processes share. */
export function describeAnswersAndRates(open: OpenFixture): void {
  describe('answers', () => {
    describeAnswers(useStore(open));
  });
  describe('rates', () => {
    describeRates(useStore(open));
  });
}

function describeAnswers(database: ReturnType<typeof useStore>): void {
  it('BILL-13: the first answer to a key is the answer for ever, another body a conflict', async () => {
    const { store } = database;
    const other = await database.connect();
    expect(await store.recall('pay-1')).toBeUndefined();
    expect(await store.remember('pay-1', 'body', 'first')).toEqual({
      kind: 'new',
      answer: 'first',
    });
    expect(await other.remember('pay-1', 'body', 'second')).toEqual({
      kind: 'replay',
      answer: 'first',
    });
    expect(await other.remember('pay-1', 'other', 'third')).toEqual({
      kind: 'conflict',
      answer: 'first',
    });
    expect(await other.recall('pay-1')).toEqual({ fingerprint: 'body', answer: 'first' });
  });

  it('BILL-13: of ten at once one is new', async () => {
    const stores = [database.store, await database.connect()];
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, position) =>
        (stores[position % 2] ?? database.store).remember('pay-2', 'body', `answer ${position}`),
      ),
    );
    expect(answers.filter((answer) => answer.kind === 'new')).toHaveLength(1);
    expect(new Set(answers.map((answer) => answer.answer)).size).toBe(1);
  });

  it('a secret is made once, and the same for every process', async () => {
    const other = await database.connect();
    const secrets = await Promise.all([
      database.store.secret('links', 'aa'),
      other.secret('links', 'bb'),
      other.secret('links', 'cc'),
    ]);
    expect(new Set(secrets).size).toBe(1);
    expect(await database.store.secret('cookies', 'dd')).toBe('dd');
  });
}

function describeRates(database: ReturnType<typeof useStore>): void {
  const bucket = { count: 10, periodMs: 1000, burst: 5 };

  it('QUOTA-07: processes share a bucket: together they get the burst, then the sustained rate', async () => {
    const stores = [database.store, await database.connect()];
    const request = { ...bucket, bucketId: freshName('rate'), want: 1 };
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, position) =>
        (stores[position % 2] ?? database.store).takeRate([request], T0),
      ),
    );
    const granted = results.flat().reduce((sum, result) => sum + result.granted, 0);
    expect(granted).toBe(5);
    const later = await database.store.takeRate([{ ...request, want: 50 }], T0 + 250);
    expect(later).toEqual([{ granted: 2, remaining: 0, retryAfterMs: 0 }]);
    const refused = await database.store.takeRate([request], T0 + 250);
    expect(refused).toEqual([{ granted: 0, remaining: 0, retryAfterMs: 50 }]);
  });

  it('a list is answered bucket by bucket', async () => {
    const [one, other] = [freshName('rate'), freshName('rate')];
    const results = await database.store.takeRate(
      [
        { ...bucket, bucketId: one, want: 9 },
        { ...bucket, bucketId: other, want: 2 },
      ],
      T0,
    );
    expect(results.map(({ granted, remaining }) => [granted, remaining])).toEqual([
      [5, 0],
      [2, 3],
    ]);
  });

  it('what one bucket refuses is taken of no other, and of none that is wanted it is told when there is one', async () => {
    const { store } = database;
    const [one, other] = [freshName('rate'), freshName('rate')];
    const both = (want: number) => [
      { ...bucket, bucketId: one, want },
      { ...bucket, bucketId: other, want },
    ];
    await store.takeRate([{ ...bucket, bucketId: one, want: 5 }], T0);
    const refused = [
      { granted: 0, remaining: 0, retryAfterMs: 100 },
      { granted: 0, remaining: 5, retryAfterMs: 0 },
    ];
    expect(await store.takeRate(both(1), T0)).toEqual(refused);
    expect(await store.takeRate(both(0), T0)).toEqual(refused);
    expect(await store.takeRate([{ ...bucket, bucketId: other, want: 9 }], T0)).toEqual([
      { granted: 5, remaining: 0, retryAfterMs: 0 },
    ]);
  });

  it('only buckets that are full again are forgotten', async () => {
    const { store } = database;
    const request = { ...bucket, bucketId: freshName('rate'), want: 5 };
    await store.takeRate([request], T0);
    await store.pruneWindows(T0 + 400);
    expect(await store.takeRate([request], T0)).toMatchObject([{ granted: 0 }]);
    await store.pruneWindows(T0 + 2000);
    expect(await store.takeRate([request], T0)).toMatchObject([{ granted: 5 }]);
  });

  it.each([{ count: 0 }, { periodMs: 0 }, { burst: 0 }, { want: -1 }, { count: 1.5 }])(
    'bad terms are refused: %o',
    async (wrong) => {
      const request = { ...bucket, bucketId: freshName('rate'), want: 1, ...wrong };
      await expect(database.store.takeRate([request], T0)).rejects.toMatchObject(
        failure('invalid_argument'),
      );
    },
  );
}
