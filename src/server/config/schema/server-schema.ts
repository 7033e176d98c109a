import { z } from 'zod';
import { LOG_LEVELS } from '../../../platform/logger.ts';
import {
  addressRange,
  byteSize,
  duration,
  flag,
  listenHost,
  listOf,
  MIB,
  origin,
  wholeNumber,
} from './parts.ts';
import { pace } from './rate-schema.ts';

const PORT = { min: 0, max: 65_535 };

const tls = z.strictObject({
  cert: z.string().min(1).describe('PEM file with the certificate chain, relative to this file.'),
  key: z.string().min(1).describe('PEM file with the private key, relative to this file.'),
});

export const serverSchema = z
  .strictObject({
    host: listenHost
      .prefault('127.0.0.1')
      .describe('Address the gateway listens on; 0.0.0.0 for all.'),
    port: wholeNumber(PORT).prefault(4020).describe('Port of the gateway; 0 takes any free one.'),
    admin_host: listenHost
      .prefault('127.0.0.1')
      .describe('Address of the admin API. It stays on loopback unless this says otherwise.'),
    admin_port: wholeNumber(PORT)
      .prefault(4021)
      .describe('Port of the admin API; 0 takes any free one.'),
    public_url: origin
      .optional()
      .describe('How callers reach the gateway, for the links in answers: https://api.example.com'),
    workers: z
      .union([z.literal('auto'), wholeNumber({ min: 1, max: 256 })], {
        error: 'expected "auto" (one a core) or a whole number from 1 to 256',
      })
      .prefault('auto')
      .describe('Gateway processes; auto = one a core.'),
    tls: tls.optional().describe('Serve HTTPS with this certificate.'),
    trusted_proxies: listOf(addressRange, 256).describe(
      'Addresses or ranges whose X-Forwarded-* headers are believed. Default: nobody.',
    ),
    address_limit: pace
      .optional()
      .describe('Calls of one address, before anything else is looked at: "100/s burst 200".'),
    address_limit_loopback: flag
      .prefault(false)
      .describe('Whether callers on this machine are limited, too.'),
    drain: duration({ min: '0s', max: '1h' })
      .prefault('30s')
      .describe('How long running answers may go on after a stop signal.'),
    header_max: byteSize({ min: 1024, max: MIB })
      .prefault('32KiB')
      .describe("Most bytes of a request's line and headers."),
    header_timeout: duration({ min: '100ms', max: '10m' })
      .prefault('15s')
      .describe('How long a client may take to send its headers.'),
    keep_alive: duration({ min: '1s', max: '1h' })
      .prefault('75s')
      .describe('How long an idle connection of a client stays open.'),
    http: z
      .enum(['sockets', 'node'])
      .prefault('sockets')
      .describe(
        "What speaks HTTP with callers and upstreams: sockets = the gateway's own parser, several times faster; node = node:http and undici.",
      ),
    connections_max: wholeNumber({ min: 1, max: 1_000_000 })
      .prefault(10_000)
      .describe('Most client connections of one worker.'),
    requests_max: wholeNumber({ min: 1, max: 1_000_000 })
      .prefault(5000)
      .describe('Most requests under way in one worker; further ones are told 503 OVERLOADED.'),
  })
  .superRefine((server, context) => {
    if (server.port === 0 || server.port !== server.admin_port) return;
    const message = `is the gateway's own port (${server.port}): the admin API needs another`;
    context.addIssue({ code: 'custom', path: ['admin_port'], message });
  });

const DATA_DIRECTORY = '.tollkeeper';

const DATABASE_FORM = 'postgres://user:password@host:5432/database';

/** What the driver reads as numbers; the server is told NaN where one is none. */
const TIME_PARAMETERS: ReadonlySet<string> = new Set([
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
]);

/** Never repeated in a message: it holds a password. */
const databaseUrl = z
  .string()
  .regex(/^postgres(ql)?:\/\//, { error: `expected ${DATABASE_FORM}` })
  .refine(isDatabaseUrl, {
    error: `expected ${DATABASE_FORM}, with special characters written as %40`,
  })
  .superRefine((text, context) => {
    for (const [name, value] of URL.canParse(text) ? new URL(text).searchParams : []) {
      if (!TIME_PARAMETERS.has(name) || /^\d{1,9}$/.test(value)) continue;
      const message = `its parameter ${name} must be a whole number of milliseconds`;
      context.addIssue({ code: 'custom', message });
    }
  });

const storeObject = z
  .strictObject({
    type: z
      .enum(['sqlite', 'postgres'])
      .prefault('sqlite')
      .describe(
        'sqlite: files in a directory, nothing to install. postgres: a database that several machines share.',
      ),
    url: databaseUrl
      .optional()
      .describe(`Of postgres: ${DATABASE_FORM}. A secret, so better \${DATABASE_URL}.`),
    connections: wholeNumber({ min: 1, max: 100 })
      .optional()
      .describe('Of postgres: most connections of one process. Default: 4.'),
    directory: z
      .string()
      .min(1)
      .prefault(DATA_DIRECTORY)
      .describe(
        'Journals, the admin token and the data of sqlite; relative to this file. Default: .tollkeeper in the working directory.',
      ),
  })
  .superRefine((store, context) => {
    const refuse = (key: 'url' | 'connections', message: string): void => {
      context.addIssue({ code: 'custom', path: [key], message });
    };
    if (store.type === 'postgres' && store.url === undefined) {
      refuse('url', `is required with type postgres: ${DATABASE_FORM}`);
    }
    for (const key of ['url', 'connections'] as const) {
      if (store.type === 'sqlite' && store[key] !== undefined) refuse(key, 'needs type: postgres');
    }
  });

export const storeSchema = z
  .union([z.enum(['sqlite']), databaseUrl, storeObject], {
    error: `expected "sqlite", ${DATABASE_FORM}, or a mapping with a type`,
  })
  .transform((store): z.output<typeof storeObject> => {
    if (typeof store !== 'string') return store;
    const directory = DATA_DIRECTORY;
    return store === 'sqlite'
      ? { type: 'sqlite', directory }
      : { type: 'postgres', url: store, directory };
  });

function isDatabaseUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { pathname, username, password } = new URL(text);
  try {
    decodeURIComponent(`${username}${password}${pathname}`);
    return pathname.length > 1;
  } catch {
    return false;
  }
}

export const logSchema = z.strictObject({
  level: z
    .enum(LOG_LEVELS)
    .prefault('info')
    .describe('The least that is written to standard error.'),
  requests: z
    .enum(['all', 'refusals'])
    .prefault('all')
    .describe('Which requests are kept for /r/{request_id}: all, or only refused ones.'),
});
