import { z } from 'zod';
import { ok, wrong } from '../human-units.ts';
import type { Parsed } from '../human-units.ts';
import { textAs } from './parts.ts';

const DEFAULT_PREFIX = 'tollkeeper';

/** The text itself is never repeated: it may hold a password. */
function parseRedisUrl(text: string): Parsed<string> {
  const expected =
    'expected an address such as redis://redis.internal:6379/0, or rediss:// for TLS';
  if (!URL.canParse(text)) return wrong(expected);
  const url = new URL(text);
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') return wrong(expected);
  if (url.hostname === '') return wrong(`${expected}, and it names no host`);
  if (!/^\/?(\d{1,4})?$/.test(url.pathname)) {
    return wrong(`${expected}, and what follows the host is not the number of a database`);
  }
  if (url.search !== '' || url.hash !== '') {
    return wrong(`${expected}, and it has something after the database`);
  }
  return ok(text);
}

const redisUrl = textAs(parseRedisUrl);

const redisObject = z.strictObject({
  url: redisUrl.describe(
    'redis://host:6379/0, or rediss:// for TLS; user and password as redis://user:password@host.',
  ),
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/, {
      error: 'must be letters, digits and _ . : -, at most 64 of them',
    })
    .prefault(DEFAULT_PREFIX)
    .describe('What its keys begin with: one for each installation that shares a database.'),
});

export const redisSchema = z
  .union([redisUrl, redisObject], {
    error: 'expected "redis://host:6379" or { url: redis://host:6379, prefix: shop }',
  })
  .transform((redis) =>
    typeof redis === 'string' ? { url: redis, prefix: DEFAULT_PREFIX } : redis,
  )
  .optional()
  .describe('Redis or Valkey that several machines share for rate limits. Default: the store.');
