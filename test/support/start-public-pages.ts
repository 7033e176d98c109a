import { serve } from '@hono/node-server';

import { createPublicApp } from '../../src/control/public/public-app.ts';
import type { Identification, PublicDeps } from '../../src/control/public/public-deps.ts';
import type { Catalog, Plan } from '../../src/domain/catalog.ts';
import { type KeyTerms, PLAIN_KEY_TERMS } from '../../src/domain/key-terms.ts';
import { PLAIN_TERMS, type TenantTerms } from '../../src/domain/tenant-terms.ts';
import { createId } from '../../src/platform/ids.ts';
import { sha256Hex } from '../../src/platform/sha256.ts';
import { openSqliteStore } from '../../src/stores/sqlite/sqlite-store.ts';
import type { ApiKey, Store, Tenant } from '../../src/stores/store.ts';
import { buildCatalog, buildLimit, buildModel, buildPlan } from './build-catalog.ts';
import { makeDirectory, removeDirectory } from './temporary-directory.ts';

export interface PublicPages {
  readonly origin: string;
  readonly store: Store;
  readonly deps: PublicDeps;
  /** Errors told to `onError`. */
  readonly errors: readonly Error[];
  /** A tenant of its own for a test, with a key: `authorization: Bearer <secret>`. */
  addTenant(
    members?: TenantMembers,
  ): Promise<{ readonly tenant: Tenant; readonly key: ApiKey; readonly secret: string }>;
  close(): Promise<void>;
}

export interface TenantMembers {
  readonly name?: string;
  readonly planId?: string;
  readonly budgetNano?: number;
  readonly terms?: Partial<TenantTerms>;
  readonly keyTerms?: Partial<KeyTerms>;
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
    rehearse: () => Promise.reject(new Error('these pages have no pipeline behind them')),
    perform: () => Promise.reject(new Error('these pages have no pipeline behind them')),
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

async function addTenant(store: Store, members: TenantMembers) {
  const now = Date.now();
  const tenant: Tenant = {
    id: createId('ten', now),
    name: members.name ?? 'Acme',
    planId: members.planId ?? 'free',
    terms: { ...PLAIN_TERMS, ...members.terms },
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
    terms: { ...PLAIN_KEY_TERMS, ...members.keyTerms },
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
  const title = id.charAt(0).toUpperCase() + id.slice(1);
  return buildPlan(id, { version: `${id}-v1`, title, models: ['*'], ...members });
}

export const CATALOG: Catalog = buildCatalog(
  [
    plan('free', {
      limits: [
        buildLimit(1000),
        buildLimit(25e8, { id: 'spend_per_day', unit: 'spend', window: 'day' }),
        buildLimit(5000, { id: 'key_tokens', unit: 'tokens', window: 'lifetime', scope: 'key' }),
      ],
    }),
    plan('business', { priceNano: 49_000_000_000n, limits: [buildLimit(1_000_000)] }),
    plan('flat', { priceNano: 99_000_000_000n, usage: 'included' }),
    plan('secret', { onSale: false }),
  ],
  {
    // 2.00 USD per 1M input tokens, 8.00 USD per 1M output tokens.
    models: new Map([
      ['echo', buildModel('echo', { perInputToken: 2_000_000n, perOutputToken: 8_000_000n })],
    ]),
    packs: [
      { id: 'small', title: 'Small', priceNano: 5_000_000_000n, creditNano: 5_000_000_000n },
      { id: 'large', title: 'Large', priceNano: 50_000_000_000n, creditNano: 55_000_000_000n },
    ],
  },
);
