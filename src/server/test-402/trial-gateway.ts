import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { API_KEY_RANDOM_BYTES, apiKeyHint, formatApiKey } from '../../domain/api-key.ts';
import type { Catalog, Plan } from '../../domain/catalog.ts';
import { createClock } from '../../platform/clock.ts';
import { createId } from '../../platform/ids.ts';
import { sha256Hex } from '../../platform/sha256.ts';
import type { Store } from '../../stores/store.ts';
import { serializeCatalog } from '../config/parse-catalog.ts';
import type { LoadedConfig } from '../config/loaded-config.ts';
import { GatewayWorker } from '../gateway-worker.ts';
import { openStore } from '../open-store.ts';
import type { SampleRequest } from './sample-request.ts';
import type { Scenario } from './scenarios.ts';

const CREDIT_NANO = 1_000_000_000_000n;
const ANSWER_MS_MAX = 5000;

/** What `/v1/check` says of a request. */
export interface Verdict {
  readonly status: number;
  readonly code: string | null;
  /** The whole body of the refusal. */
  readonly answer: unknown;
}

/**
 * A gateway of the provider's own configuration that lives in a temporary directory and forwards nothing:
 * requests are only asked about.
 */
export class TrialGateway {
  readonly #directory: string;
  readonly #worker: GatewayWorker;
  readonly #store: Store;
  readonly #port: number;

  private constructor(directory: string, worker: GatewayWorker, store: Store, port: number) {
    this.#directory = directory;
    this.#worker = worker;
    this.#store = store;
    this.#port = port;
  }

  static async start(config: LoadedConfig): Promise<TrialGateway> {
    const directory = mkdtempSync(join(tmpdir(), 'tollkeeper-test-402-'));
    const settings = { type: 'sqlite', directory } as const;
    const worker = await GatewayWorker.open({
      type: 'start',
      name: 'trial',
      catalog: serializeCatalog(withoutProbes(config.catalog)),
      server: { ...config.server, host: '127.0.0.1', port: 0, tls: undefined, workers: 1 },
      log: { level: 'silent', requests: 'refusals' },
      store: settings,
      // A trial takes nothing of the limits of customers.
      redis: undefined,
      playMoney: true,
      workers: 1,
      clockShiftMs: 0,
    });
    const port = await worker.listen();
    const store = await openStore(settings, createClock(0));
    return new TrialGateway(directory, worker, store, port);
  }

  /** A key of a new customer in the scenario's situation. */
  async prepare(scenario: Scenario, plan: Plan, asset: string): Promise<string | undefined> {
    if (scenario.key === 'absent') return undefined;
    const key = formatApiKey('live', randomBytes(API_KEY_RANDOM_BYTES));
    if (scenario.key === 'unknown') return key;
    const now = Date.now();
    const tenantId = createId('ten', now);
    await this.#store.createTenant({
      id: tenantId,
      name: scenario.name,
      planId: plan.id,
      terms: scenario.terms(plan, now),
      createdAt: now,
    });
    if (scenario.credit === 'plenty') await this.#addCredit(tenantId, asset, now);
    await this.#store.createKey({
      id: createId('key', now),
      tenantId,
      name: scenario.name,
      hash: sha256Hex(key),
      environment: 'live',
      hint: apiKeyHint(key),
      budgetNano: undefined,
      expiresAt: undefined,
      revokedAt: undefined,
      terms: scenario.keyTerms,
      createdAt: now,
    });
    return key;
  }

  /** What the gateway would answer to this request of this key. */
  async ask(sample: SampleRequest, key: string | undefined): Promise<Verdict> {
    const { method, path, headers, body } = sample;
    const question = JSON.stringify({
      method,
      path,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    const host = sample.host ?? `127.0.0.1:${this.#port}`;
    const answer = await post(this.#port, '/v1/check', question, {
      host,
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    });
    const view = JSON.parse(answer.body) as Partial<Verdict> & { readonly code?: string | null };
    // A caller who is not known gets the refusal itself.
    if (answer.status !== 200) {
      return { status: answer.status, code: view.code ?? null, answer: view };
    }
    return { status: view.status ?? 0, code: view.code ?? null, answer: view.answer };
  }

  async stop(): Promise<void> {
    await this.#store.close();
    await this.#worker.drain(0);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #addCredit(tenantId: string, asset: string, now: number): Promise<void> {
    const grant = {
      tenantId,
      asset,
      amount: CREDIT_NANO,
      category: 'promotional',
      priority: 50,
      effectiveAt: now,
      expiresAt: undefined,
      source: 'test',
      idempotencyKey: randomUUID(),
    } as const;
    await this.#store.addGrant(grant, now);
  }
}

/** Upstreams are not called, and must not be probed either. */
function withoutProbes(catalog: Catalog): Catalog {
  const upstreams = [...catalog.upstreams].map(
    ([id, upstream]) =>
      [id, { ...upstream, health: { ...upstream.health, path: undefined } }] as const,
  );
  return { ...catalog, upstreams: new Map(upstreams) };
}

function post(
  port: number,
  path: string,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method: 'POST', headers };
    const call = request({ ...options, timeout: ANSWER_MS_MAX }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
      );
    });
    call.on('timeout', () => call.destroy(new Error('the gateway under test does not answer')));
    call.on('error', reject);
    call.end(body);
  });
}
