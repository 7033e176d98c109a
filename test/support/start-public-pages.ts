import { serve } from '@hono/node-server';

import { createPublicApp } from '../../src/control/public/public-app.ts';
import type { Identification, PublicDeps } from '../../src/control/public/public-deps.ts';
import type { Catalog, Plan } from '../../src/domain/catalog.ts';
import { createId } from '../../src/platform/ids.ts';
import { sha256Hex } from '../../src/platform/sha256.ts';
import { openSqliteStore } from '../../src/stores/sqlite/sqlite-store.ts';
import type { ApiKey, Store, Tenant } from '../../src/stores/store.ts';
import { makeDirectory, removeDirectory } from './temporary-directory.ts';

export interface PublicPages {
  readonly origin: string;
  readonly store: Store;
  readonly deps: PublicDeps;
  /** Errors told to `onError`. */
  readonly errors: readonly Error[];
  /** A tenant of its own for a test, with a key: `authorization: Bearer <secret>`. */
  addTenant(members?: {
    name?: string;
    planId?: string;
    budgetNano?: number;
  }): Promise<{ readonly tenant: Tenant; readonly key: ApiKey; readonly secret: string }>;
  close(): Promise<void>;
}

/** The gateway's own pages on a real socket over a real SQLite store, without the gateway around them. */
export async function startPublicPages(overrides: Partial<PublicDeps> = {}): Promise<PublicPages> {
  const directory = makeDirectory('pages');
  const store = overrides.store ?? (await openSqliteStore({ directory }));
  const errors: Error[] = [];
  let origin = '';
  const deps: PublicDeps = {
    store,
    catalog: () => CATALOG,
    publicUrl: () => origin,
    now: Date.now,
    signingSecret: new Uint8Array(32).fill(1),
    devMoney: true,
    identify: (headers) => identify(store, headers),
    onError: (error) => void errors.push(error),
    version: '0.0.0-test',
    ...overrides,
  };
  const app = createPublicApp(deps);
  const server = await new Promise<ReturnType<typeof serve>>((resolve) => {
    const started = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, (address) => {
      origin = `http://127.0.0.1:${address.port}`;
      resolve(started);
    });
  });
  return {
    get origin() {
      return origin;
    },
    store,
    deps,
    errors,
    addTenant: (members = {}) => addTenant(store, members),
    async close() {
      await new Promise((resolve) => {
        server.close(resolve);
        if ('closeAllConnections' in server) server.closeAllConnections();
      });
      await store.close();
      removeDirectory(directory);
    },
  };
}

async function addTenant(
  store: Store,
  members: { name?: string; planId?: string; budgetNano?: number },
) {
  const now = Date.now();
  const tenant: Tenant = {
    id: createId('ten', now),
    name: members.name ?? 'Acme',
    planId: members.planId ?? 'free',
    createdAt: now,
  };
  const secret = `tk_test_${tenant.id}`;
  const key: ApiKey = {
    id: createId('key', now),
    tenantId: tenant.id,
    name: 'test',
    hash: sha256Hex(secret),
    environment: 'test',
    hint: 'tk_test_...aB3d',
    budgetNano: members.budgetNano,
    expiresAt: undefined,
    revokedAt: undefined,
    createdAt: now,
  };
  await store.createTenant(tenant);
  await store.createKey(key);
  return { tenant, key, secret };
}

async function identify(store: Store, headers: Headers): Promise<Identification> {
  const secret = /^Bearer (\S+)$/.exec(headers.get('authorization') ?? '')?.[1];
  if (secret === undefined) return { kind: 'refused', code: 'KEY_MISSING', since: undefined };
  const found = await store.findKey(sha256Hex(secret));
  if (found === undefined) return { kind: 'refused', code: 'KEY_UNKNOWN', since: undefined };
  const { revokedAt } = found.key;
  if (revokedAt !== undefined) return { kind: 'refused', code: 'KEY_REVOKED', since: revokedAt };
  return { kind: 'key', ...found };
}

function plan(id: string, members: Partial<Plan>): Plan {
  return {
    id,
    version: `${id}-v1`,
    title: id.charAt(0).toUpperCase() + id.slice(1),
    priceNano: 0n,
    usage: 'prepaid',
    limits: [],
    models: ['*'],
    features: [],
    rateLimits: [],
    onSale: true,
    ...members,
  };
}

export const CATALOG: Catalog = {
  version: '0123456789ab',
  apis: [],
  upstreams: new Map(),
  providers: new Map(),
  models: new Map([
    [
      'echo',
      {
        id: 'echo',
        aliasOf: undefined,
        providerId: 'demo',
        upstreamModel: 'echo',
        contextWindow: 8192,
        outputTokensMax: 4096,
        // 2.00 USD per 1M input tokens, 8.00 USD per 1M output tokens.
        price: {
          asset: 'USD',
          perRequest: 0n,
          perInputToken: 2_000_000n,
          perCachedInputToken: 0n,
          perOutputToken: 8_000_000n,
          perByteIn: 0n,
          perByteOut: 0n,
        },
      },
    ],
  ]),
  plans: new Map(
    [
      plan('free', {
        limits: [
          {
            id: 'requests_per_month',
            unit: 'requests',
            window: 'month',
            scope: 'tenant',
            amount: 1000,
          },
          { id: 'spend_per_day', unit: 'spend', window: 'day', scope: 'tenant', amount: 25e8 },
          { id: 'key_tokens', unit: 'tokens', window: 'lifetime', scope: 'key', amount: 5000 },
        ],
      }),
      plan('business', {
        priceNano: 49_000_000_000n,
        limits: [
          {
            id: 'requests_per_month',
            unit: 'requests',
            window: 'month',
            scope: 'tenant',
            amount: 1_000_000,
          },
        ],
      }),
      plan('flat', { priceNano: 99_000_000_000n, usage: 'included' }),
      plan('secret', { onSale: false }),
    ].map((each) => [each.id, each]),
  ),
  packs: [
    { id: 'small', title: 'Small', priceNano: 5_000_000_000n, creditNano: 5_000_000_000n },
    { id: 'large', title: 'Large', priceNano: 50_000_000_000n, creditNano: 55_000_000_000n },
  ],
  asset: 'USD',
  retryStormPerMinute: 0,
};
