import { readFileSync } from 'node:fs';
import { Agent, request, type IncomingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ProblemDocument } from '../../src/contract/problem-document.ts';
import type { Facts } from '../../src/domain/facts.ts';
import type { Gateway } from './start-gateway.ts';

export interface Call {
  /** Default: POST when there is a body, else GET. */
  readonly method?: string;
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: the demo key; undefined = none. */
  readonly key?: string | undefined;
}

export interface CallAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface UsageView {
  readonly balance: { readonly settled: string; readonly held: string; readonly available: string };
  readonly limits: readonly {
    readonly id: string;
    readonly scope: string;
    /** What is counted by itself: an end user, a model, a route. */
    readonly of?: string;
    readonly from: string;
    readonly limit: number | string;
    readonly used: number | string;
    readonly held: number | string;
    readonly remaining: number | string;
  }[];
}

const CALL_TIMEOUT_MS = 30_000;
const PATIENCE_MS = 60_000;
const PATIENCE_PAUSE_MS = 200;

/** A customer of a running gateway and its operator, over kept-alive connections. `close` ends them. */
export class GatewayCaller {
  readonly #gateway: Gateway;
  readonly #agent: Agent;

  /** `connectionsMax`: as many calls run at once; further ones wait their turn. */
  constructor(gateway: Gateway, connectionsMax = 64) {
    this.#gateway = gateway;
    // With a timeout of its own Node's agent also heeds the server's `Keep-Alive: timeout`, and asks no closing connection.
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: connectionsMax,
      timeout: CALL_TIMEOUT_MS,
    });
  }

  /** Rejects when the connection breaks or is silent for 30 s. */
  call(call: Call): Promise<CallAnswer> {
    const key = 'key' in call ? call.key : this.#gateway.key;
    const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` };
    return this.#send(this.#gateway.gateway, {
      ...call,
      headers: { ...authorization, ...call.headers },
    });
  }

  /** A disk that is slow today answers 503, which takes nothing: tries again, as it is told to, for a minute. */
  callPatiently(call: Call): Promise<CallAnswer> {
    return this.#callUntil(performance.now() + PATIENCE_MS, call);
  }

  async #callUntil(deadline: number, call: Call): Promise<CallAnswer> {
    const answer = await this.call(call);
    if (answer.status !== 503) return answer;
    if (performance.now() > deadline) throw new Error(`503 for a minute: ${answer.text}`);
    await sleep(PATIENCE_PAUSE_MS);
    return this.#callUntil(deadline, call);
  }

  /** A chat of the model `m`, answered with `tokens` tokens unless the output bound is less. */
  chat(chat: {
    readonly tokens: number;
    readonly maxTokens?: number;
    /** How long the model takes. */
    readonly delayMs?: number;
  }): Promise<CallAnswer> {
    const bound = chat.maxTokens === undefined ? {} : { max_tokens: chat.maxTokens };
    return this.call({
      path: '/v1/chat/completions',
      body: { model: 'm', messages: [{ role: 'user', content: 'x' }], ...bound },
      headers: {
        'x-echo-tokens': String(chat.tokens),
        'x-echo-delay-ms': String(chat.delayMs ?? 0),
      },
    });
  }

  /** An admin call that must succeed. */
  async admin<T>(path: string, body?: unknown, method?: string): Promise<T> {
    const token = readFileSync(this.#gateway.admin_token_file, 'utf8').trim();
    const headers = { authorization: `Bearer ${token}`, 'idempotency-key': crypto.randomUUID() };
    const call = { path, body, headers, ...(method === undefined ? {} : { method }) };
    const answer = await this.#send(this.#gateway.admin, call);
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.text}`);
    return JSON.parse(answer.text) as T;
  }

  async usage(key = this.#gateway.key): Promise<UsageView> {
    return JSON.parse((await this.call({ path: '/v1/usage', key })).text) as UsageView;
  }

  /** Of the only tenant there is. */
  async tenantId(): Promise<string> {
    const { data } = await this.admin<{ data: { id: string }[] }>('/admin/tenants');
    return data[0]?.id ?? '';
  }

  /** The facts in the log row of an answer. */
  async facts(answer: Pick<CallAnswer, 'headers'>): Promise<Facts> {
    const id = String(answer.headers['x-request-id']);
    return (await this.admin<{ facts: Facts }>(`/admin/requests/${id}`)).facts;
  }

  /** Invariants of the books that do not hold; waits for nothing. */
  async audit(): Promise<readonly unknown[]> {
    return (await this.admin<{ violations: unknown[] }>('/admin/ledger/audit')).violations;
  }

  /** Prometheus text of `/metrics`. */
  async metrics(): Promise<string> {
    const token = readFileSync(this.#gateway.admin_token_file, 'utf8').trim();
    const headers = { authorization: `Bearer ${token}` };
    return (await this.#send(this.#gateway.admin, { path: '/metrics', headers })).text;
  }

  /** Requests each running worker has answered. */
  async workerCounts(): Promise<Readonly<Record<string, number>>> {
    const text = await this.metrics();
    const series = text.matchAll(/^tollkeeper_worker_requests_total\{worker="([^"]+)"\} (\d+)$/gm);
    return Object.fromEntries(
      Array.from(series, ([, worker, count]) => [String(worker), Number(count)]),
    );
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(origin: string, call: Call): Promise<CallAnswer> {
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    const { hostname, port } = new URL(origin);
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          agent: this.#agent,
          host: hostname,
          port,
          path: call.path,
          method: call.method ?? (body === undefined ? 'GET' : 'POST'),
          timeout: CALL_TIMEOUT_MS,
          headers: {
            ...(body === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
            ...call.headers,
          },
        },
        (incoming) => {
          let text = '';
          incoming.setEncoding('utf8').on('data', (part: string) => (text += part));
          incoming.on('error', reject);
          incoming.on('end', () =>
            resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text }),
          );
        },
      );
      outgoing.on('timeout', () => outgoing.destroy(new Error(`${call.path}: silent`)));
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }
}

export function problemOf(answer: CallAnswer): ProblemDocument {
  return JSON.parse(answer.text) as ProblemDocument;
}

/** Nano of a decimal string such as `0.0010` or `0.0010 USD`. */
export function nanoOf(decimal: string): bigint {
  const [whole = '0', fraction = ''] = (decimal.split(' ')[0] ?? '').split('.');
  const sign = whole.startsWith('-') ? -1n : 1n;
  return BigInt(whole) * 1_000_000_000n + sign * BigInt(fraction.padEnd(9, '0'));
}

/** Runs `task` over 0..count-1 with `callers` at a time. */
export async function runParallel<Result>(
  count: number,
  callers: number,
  task: (index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const caller = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      // oxlint-disable-next-line no-await-in-loop -- one caller makes one call at a time
      results[index] = await task(index);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return results;
}

/** How often each value occurs: `{ '200': 10000, '402': 500 }`. */
export function tally(values: readonly (string | number)[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
