import { createAdminApp } from '../../src/control/admin/admin-app.ts';
import type { AdminOperations } from '../../src/control/admin/admin-deps.ts';
import { listenAdmin } from '../../src/control/admin/admin-listener.ts';
import { ensureAdminToken } from '../../src/control/admin/admin-token.ts';
import type { Plan } from '../../src/domain/catalog.ts';
import type { Facts } from '../../src/domain/facts.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { MetricRegistry } from '../../src/platform/metrics.ts';
import { openSqliteStore } from '../../src/stores/sqlite/sqlite-store.ts';
import type { Store } from '../../src/stores/store.ts';
import {
  buildApi,
  buildModel,
  buildRoute,
  buildBalance,
  buildCatalog,
  buildFacts,
  buildIdentity,
  buildLimit,
  buildPlan,
  NO_GRANTS,
} from './build-catalog.ts';
import { makeDirectory, removeDirectory } from './temporary-directory.ts';

export interface AdminApi {
  /** `http://127.0.0.1:port`. */
  readonly origin: string;
  readonly token: string;
  readonly directory: string;
  readonly store: Store;
  /** Lines of the log so far. */
  readonly logLines: readonly string[];
  close(): Promise<void>;
}

export interface AdminApiOptions {
  readonly operations?: Partial<AdminOperations>;
  /** Stands between the API and the real store, to make calls fail. */
  readonly wrapStore?: (store: Store) => Store;
  readonly now?: () => number;
  readonly hostNames?: readonly string[];
}

/** The admin API on a real socket over a real SQLite store, without the gateway around it. */
export async function startAdminApi(options: AdminApiOptions = {}): Promise<AdminApi> {
  const directory = makeDirectory('admin');
  const store = await openSqliteStore({ directory });
  const { token } = ensureAdminToken(directory);
  const logLines: string[] = [];
  const logger = createLogger({
    level: 'info',
    destination: { write: (line) => void logLines.push(line) },
  });
  const app = createAdminApp({
    store: options.wrapStore?.(store) ?? store,
    catalog: () => CATALOG,
    now: options.now ?? Date.now,
    logger,
    auditTrail: logger,
    adminToken: token,
    hostNames: options.hostNames ?? [],
    publicUrl: () => 'http://gateway.test',
    operations: { ...quietOperations(store), ...options.operations },
  });
  const listener = await listenAdmin(app, { host: '127.0.0.1', port: 0 });
  return {
    origin: `http://127.0.0.1:${listener.address.port}`,
    token,
    directory,
    store,
    logLines,
    async close() {
      await listener.close(1000);
      await store.close();
      removeDirectory(directory);
    },
  };
}

/** A call that its balance could not pay, as the gateway logs it. */
export function refusedFacts(requestId: string): Facts {
  return buildFacts({
    requestId,
    at: Date.UTC(2026, 0, 1),
    method: 'GET',
    path: '/demo/weather',
    route: {
      apiId: 'weather',
      routeId: 'weather-1',
      operation: 'weather-1',
      kind: 'proxy',
      dialect: 'plain',
      endpointClass: 'metered',
    },
    identity: buildIdentity(plan('free', 0n)),
    limits: [buildBalance({ need: 42_000_000, allowance: 5_000_000, spent: 1_900_000 })],
    reservation: {
      kind: 'short',
      index: 0,
      cause: 'gone',
      held: 0,
      affordableOutputTokens: undefined,
    },
  });
}

function quietOperations(store: Store): AdminOperations {
  const metrics = new MetricRegistry();
  metrics
    .counter({ name: 'tollkeeper_requests_total', help: 'Requests.', labels: ['code'] })
    .child('200')
    .add(3);
  return {
    configuration: () => ({
      version: CATALOG.version,
      loadedAt: Date.UTC(2026, 0, 1),
      source: { providers: { openai: { api_key: '***' } } },
    }),
    reload: async () => ({
      kind: 'reloaded',
      version: 'fedcba987654',
      changed: ['log.level', 'plans.free'],
      needsRestart: ['log.level'],
      inForce: false,
    }),
    audit: () => store.audit(),
    workers: () => [
      { name: 'worker-1', pid: 42, state: 'serving', startedAt: Date.UTC(2026, 0, 1) },
    ],
    metrics: async () => metrics.snapshot(),
    readiness: async () => [
      { name: 'workers', ok: true, detail: '1 of 1 serving' },
      { name: 'store', ok: true, detail: 'writable' },
    ],
  };
}

function plan(id: string, priceNano: bigint): Plan {
  return buildPlan(id, {
    version: `${id}-v1`,
    title: id,
    priceNano,
    limits: [
      buildLimit(1000),
      buildLimit(2_500_000_000, { id: 'spend_per_day', unit: 'spend', window: 'day' }),
      buildLimit(5000, {
        id: 'key_tokens_per_day',
        unit: 'tokens',
        window: 'day',
        scope: 'key',
      }),
    ],
    models: ['*'],
  });
}

const ADD_ON = { title: 'More', priceNano: 1_000_000_000n, interval: 'month' } as const;
const CATALOG = buildCatalog([plan('free', 0n), plan('business', 49_000_000_000n)], {
  apis: [buildApi({ id: 'weather', routes: [buildRoute({ id: 'weather-1' })] })],
  models: new Map(['small', 'large'].map((id) => [id, buildModel(id)])),
  addOns: [
    {
      ...ADD_ON,
      id: 'thousand',
      grants: { ...NO_GRANTS, limits: [{ id: 'requests_per_month', amount: 1000 }] },
    },
    { ...ADD_ON, id: 'course', grants: { ...NO_GRANTS, purchases: ['course-*'] } },
  ],
});
