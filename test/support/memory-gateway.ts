import { formatApiKey } from '../../src/domain/api-key.ts';
import type { Catalog } from '../../src/domain/catalog.ts';
import type { Facts } from '../../src/domain/facts.ts';
import { UpstreamPool } from '../../src/gateway/balancer.ts';
import {
  compileCatalog,
  type CompiledCatalog,
} from '../../src/gateway/pipeline/compile-catalog.ts';
import type { GatewayContext } from '../../src/gateway/pipeline/context.ts';
import { KeyDirectory } from '../../src/gateway/pipeline/key-directory.ts';
import { createPipeline } from '../../src/gateway/pipeline/pipeline.ts';
import {
  createRehearsal,
  type Rehearsal,
  type RehearsalMode,
} from '../../src/gateway/pipeline/rehearsal.ts';
import type { BodySink, RawHeaders } from '../../src/gateway/listener.ts';
import type { UpstreamReceiver, UpstreamRequest } from '../../src/gateway/upstream.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { openaiCompatible } from '../../src/providers/openai-compatible/openai-compatible.ts';
import type { KeyWithTenant } from '../../src/stores/store.ts';
import { buildKeyWithTenant } from './build-key.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryEngine } from './memory-engine.ts';
import { MemoryRequest, MemoryResponse } from './memory-exchange.ts';

export const RAW_KEY = formatApiKey('test', Buffer.alloc(22, 7));

export interface MemoryCall {
  readonly method?: string;
  readonly path: string;
  readonly headers?: RawHeaders;
  /** Sent as JSON unless it is text. */
  readonly body?: unknown;
  /** How long the body is said to be; default as it is, -1 = not told. */
  readonly contentLength?: number;
  readonly remoteAddress?: string;
  /** Undefined = without a key. */
  readonly key?: string | undefined;
}

/** What reached the upstream. */
export interface SentRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: RawHeaders;
  readonly body: string;
}

/** The pipeline with everything around it in memory: no sockets, no store, one process. */
export class MemoryGateway {
  readonly engine = new MemoryEngine();
  readonly clock = new ManualClock();
  readonly logged: Facts[] = [];
  readonly sent: SentRequest[] = [];
  /** What the upstream answers; a list is sent piece by piece. */
  answer: { status: number; headers: RawHeaders; body: string | Buffer | readonly string[] } = {
    status: 200,
    headers: ['Content-Type', 'text/plain'],
    body: 'served',
  };
  #compiled: CompiledCatalog;
  readonly #context: GatewayContext;
  /** The upstream takes what is sent and says nothing. */
  #silent = false;

  /** `found`: the key behind RAW_KEY. */
  constructor(
    catalog: Catalog,
    found: KeyWithTenant = buildKeyWithTenant(),
    members: Partial<GatewayContext> = {},
  ) {
    const { clock } = this;
    this.#compiled = this.#compile(catalog);
    this.#context = {
      compiled: () => this.#compiled,
      engine: this.engine,
      keys: new KeyDirectory({ findKey: async () => found }, clock, () => catalog),
      recorder: { add: (facts) => this.logged.push(facts) },
      metrics: { count: () => undefined },
      upstreams: {
        send: (request, receiver) => this.#send(request, receiver),
        close: () => Promise.resolve(),
      },
      providerFor: () => openaiCompatible,
      tokenizer: { count: (text) => Promise.resolve(Math.ceil(text.length / 4)) },
      links: {
        payLink: (tenantId, cause) => `http://localhost/pay/${tenantId}/${cause}`,
        explainLink: (id) => `/r/${id}`,
      },
      clock,
      logger: createLogger({ level: 'silent', fields: {} }),
      repeats: { error: () => undefined },
      publicUrl: () => 'http://localhost',
      servePage: () => false,
      trustsForwarded: () => false,
      isOverloaded: () => false,
      addressLimiter: undefined,
      ...members,
    };
  }

  /** From now on requests begin with this configuration. */
  adopt(catalog: Catalog): void {
    this.#compiled = this.#compile(catalog);
  }

  /** Resolves once the call was recorded, or answered as one that never is. */
  async call(call: MemoryCall, response = new MemoryResponse()): Promise<MemoryResponse> {
    const request = requestOf(call);
    const before = this.logged.length;
    createPipeline(this.#context)(request, response);
    for (let turn = 0; this.logged.length === before && turn < TURNS_MAX; turn += 1) {
      // oxlint-disable-next-line no-await-in-loop -- waits for a condition, bounded
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (this.logged.length === before && !response.ended)
      throw new Error(`${call.path} did not end`);
    return response;
  }

  /** A call that the upstream never answers: it runs on. Undefined = it does; else it was refused. */
  async begin(call: MemoryCall): Promise<MemoryResponse | undefined> {
    const response = new MemoryResponse();
    const [logged, sent] = [this.logged.length, this.sent.length];
    this.#silent = true;
    createPipeline(this.#context)(requestOf(call), response);
    for (let turn = 0; turn < TURNS_MAX; turn += 1) {
      if (this.logged.length > logged || this.sent.length > sent) break;
      // oxlint-disable-next-line no-await-in-loop -- waits for a condition, bounded
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#silent = false;
    return this.logged.length > logged ? response : undefined;
  }

  /** What would become of a call. */
  rehearse(call: MemoryCall, mode: RehearsalMode): Promise<Rehearsal> {
    const { method, target, headers, remoteAddress } = requestOf(call);
    const body = Buffer.from(textOf(call.body) ?? '');
    return createRehearsal(this.#context)({ method, target, headers, body, remoteAddress }, mode);
  }

  /** Of the last call. */
  get facts(): Facts {
    const last = this.logged.at(-1);
    if (last === undefined) throw new Error('nothing was called');
    return last;
  }

  #compile(catalog: Catalog): CompiledCatalog {
    return compileCatalog(catalog, (upstream) => new UpstreamPool({ upstream, clock: this.clock }));
  }

  #send({ method, path, headers, body }: UpstreamRequest, receiver: UpstreamReceiver) {
    let aborted = false;
    let paused = false;
    const pieces: (string | Buffer)[] = [];
    const flow = (): void => {
      while (!aborted && !paused) {
        const piece = pieces.shift();
        if (piece === undefined) {
          receiver.onEnd();
          return;
        }
        paused = !receiver.onChunk(Buffer.from(piece));
      }
    };
    const silent = this.#silent;
    const finish = (text: string): void => {
      if (aborted) return;
      this.sent.push({ method, path, headers, body: text });
      if (silent) return;
      receiver.onHead(this.answer.status, this.answer.headers);
      pieces.push(...[this.answer.body].flat());
      flow();
    };
    if (body === undefined || Buffer.isBuffer(body)) {
      // As a transport: nothing is heard before `send` has returned.
      setImmediate(() => finish(body?.toString() ?? ''));
    } else {
      setImmediate(() => body.readBody(new TextSink(finish)));
    }
    return {
      resume: () => {
        if (!paused) return;
        paused = false;
        flow();
      },
      abort: () => {
        aborted = true;
      },
    };
  }
}

function textOf(body: unknown): string | undefined {
  return typeof body === 'string' ? body : JSON.stringify(body);
}

function requestOf(call: MemoryCall): MemoryRequest {
  const { path, key = 'key' in call ? undefined : RAW_KEY } = call;
  const text = textOf(call.body);
  const length = text === undefined ? 0 : Buffer.byteLength(text);
  const authorization = key === undefined ? [] : ['Authorization', `Bearer ${key}`];
  return new MemoryRequest({
    method: call.method ?? (text === undefined ? 'GET' : 'POST'),
    target: path,
    headers: ['Host', 'localhost', ...authorization, ...(call.headers ?? [])],
    contentLength: call.contentLength ?? length,
    remoteAddress: call.remoteAddress ?? '203.0.113.7',
    ...(text === undefined ? {} : { body: text }),
  });
}

/** More turns of the loop than any call in memory needs. */
const TURNS_MAX = 100;

class TextSink implements BodySink {
  readonly #done: (text: string) => void;
  #text = '';

  constructor(done: (text: string) => void) {
    this.#done = done;
  }

  onChunk(chunk: Buffer): void {
    this.#text += chunk.toString();
  }

  onEnd(): void {
    this.#done(this.#text);
  }

  onError(): void {
    this.#text = '';
  }
}
