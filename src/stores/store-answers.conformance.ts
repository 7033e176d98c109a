import { describe, expect, it } from 'vitest';

import { type OpenFixture, useStore } from './store-fixture.conformance.ts';

/** Remembered answers and secrets: small things that all processes share. */
export function describeAnswers(open: OpenFixture): void {
  describe('answers', () => {
    const database = useStore(open);
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
  });
}
