import { expect, it } from 'vitest';

import { buildHolder, buildLimit } from '../../../test/support/build-catalog.ts';
import { ANY_CALL } from '../../domain/accounts.ts';
import { CallerAccounts } from './caller-accounts.ts';

it('QUOTA-03: in the last hour of a day the limit over any hour is tried before that of the day', () => {
  const limits = [
    buildLimit(1, { id: 'day', window: 'day' }),
    buildLimit(1, { id: 'pace', window: 'sliding_hour' }),
  ];
  const accounts = new CallerAccounts({ limits, usage: 'included' }, buildHolder(), 'USD');
  const orderAt = (time: string) =>
    accounts.accountsAt(ANY_CALL, Date.parse(time)).map(({ spec }) => spec.limit?.id);
  expect(orderAt('2026-11-21T10:00:00Z')).toEqual(['day', 'pace']);
  expect(orderAt('2026-11-21T22:59:59Z')).toEqual(['day', 'pace']);
  expect(orderAt('2026-11-21T23:00:00Z')).toEqual(['pace', 'day']);
  expect(orderAt('2026-11-22T00:00:00Z')).toEqual(['day', 'pace']);
});
