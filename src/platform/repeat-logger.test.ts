import { expect, it } from 'vitest';

import { ManualClock } from '../../test/support/manual-clock.ts';
import type { LogFields } from './logger.ts';
import { createRepeatLogger } from './repeat-logger.ts';

function open() {
  const lines: (readonly [string, LogFields])[] = [];
  const clock = new ManualClock();
  const logger = createRepeatLogger(
    { error: (fields, message) => void lines.push([message, fields]) },
    clock.monotonicMs,
  );
  return { lines, clock, logger };
}

it('tells the same thing once a minute, and then how often it was met', () => {
  const { lines, clock, logger } = open();
  for (const request of ['req_1', 'req_2', 'req_3'])
    logger.error({ request_id: request, error: 'no plan' }, 'lookup failed');
  clock.advance(60_000);
  logger.error({ request_id: 'req_4', error: 'no plan' }, 'lookup failed');
  expect(lines).toEqual([
    ['lookup failed', { request_id: 'req_1', error: 'no plan' }],
    ['lookup failed', { request_id: 'req_4', error: 'no plan', repeats: 2 }],
  ]);
});

it('tells what differs in anything but the request', () => {
  const { lines, logger } = open();
  logger.error({ error: 'tenant a' }, 'lookup failed');
  logger.error({ error: 'tenant b' }, 'lookup failed');
  logger.error({ error: 'tenant a' }, 'a page failed');
  expect(lines).toHaveLength(3);
});

it('forgets, rather than keep more than a thousand things', () => {
  const { lines, logger } = open();
  for (let number = 0; number <= 1000; number += 1)
    logger.error({ error: `tenant ${number}` }, 'lookup failed');
  logger.error({ error: 'tenant 1000' }, 'lookup failed');
  expect(lines).toHaveLength(1001);
  logger.error({ error: 'tenant 0' }, 'lookup failed');
  expect(lines).toHaveLength(1002);
});
