import type { Target, Timeouts } from '../domain/catalog.ts';
import type { UpstreamPool } from './balancer.ts';
import type { InboundRequest, RawHeaders } from './listener.ts';
import type {
  UpstreamCall,
  UpstreamClient,
  UpstreamFailure,
  UpstreamReceiver,
} from './upstream.ts';

export interface ForwardRequest {
  readonly method: string;
  /** Below the target's base path, with its query. */
  readonly path: string;
  /** Complete, with the shared ones, but for Host, which depends on the target. */
  readonly headers: RawHeaders;
  readonly sharedHeaders: RawHeaders;
  readonly body: Buffer | InboundRequest | undefined;
  readonly timeouts: Timeouts;
  /** Gets what the receiver threw at something the upstream sent; the call has been aborted. */
  readonly onFault: (error: unknown) => void;
}

/** What became of a call that no target could take. */
export const NO_TARGET: UpstreamFailure = {
  kind: 'connect',
  sent: false,
  message: 'no healthy target',
};

/**
 * One call to an upstream: picks a target by weight and health, and tries one more when a connection
 * failed before anything was sent (GW-06). Passes everything else on, and keeps a fault of the receiver from the transport:
 * it ends this call alone.
 */
export class Forwarder implements UpstreamReceiver, UpstreamCall {
  readonly #client: UpstreamClient;
  readonly #pool: UpstreamPool;
  readonly #request: ForwardRequest;
  readonly #receiver: UpstreamReceiver;
  #target: Target | undefined;
  #call: UpstreamCall | undefined;
  #retried = false;
  #aborted = false;
  #headSeen = false;

  constructor(
    client: UpstreamClient,
    pool: UpstreamPool,
    request: ForwardRequest,
    receiver: UpstreamReceiver,
  ) {
    this.#client = client;
    this.#pool = pool;
    this.#request = request;
    this.#receiver = receiver;
  }

  /** The target in use, or undefined before `start` found one. */
  get target(): Target | undefined {
    return this.#target;
  }

  start(): void {
    this.#target = this.#pool.pick(undefined);
    this.#sendToTarget();
  }

  resume(): void {
    this.#call?.resume();
  }

  abort(): void {
    this.#aborted = true;
    this.#call?.abort();
  }

  /** Ends the call for a fault of its receiver. */
  fail(error: unknown): void {
    this.abort();
    this.#request.onFault(error);
  }

  onHead(status: number, headers: RawHeaders): void {
    this.#headSeen = true;
    if (this.#target !== undefined) this.#pool.reportSuccess(this.#target);
    try {
      this.#receiver.onHead(status, headers);
    } catch (error) {
      this.fail(error);
    }
  }

  onChunk(chunk: Buffer): boolean {
    try {
      return this.#receiver.onChunk(chunk);
    } catch (error) {
      this.fail(error);
      return true;
    }
  }

  onEnd(): void {
    try {
      this.#receiver.onEnd();
    } catch (error) {
      this.fail(error);
    }
  }

  onFailure(failure: UpstreamFailure): void {
    const blameless = this.#aborted || failure.kind === 'aborted' || failure.kind === 'client-body';
    if (!blameless && this.#target !== undefined) this.#pool.reportFailure(this.#target);
    if (blameless || failure.sent || this.#headSeen || this.#retried) {
      this.#tell(failure);
      return;
    }
    this.#retried = true;
    this.#target = this.#pool.pick(this.#target);
    this.#sendToTarget();
  }

  #tell(failure: UpstreamFailure): void {
    try {
      this.#receiver.onFailure(failure);
    } catch (error) {
      this.fail(error);
    }
  }

  #sendToTarget(): void {
    if (this.#target === undefined) {
      this.#tell(NO_TARGET);
      return;
    }
    const address = this.#pool.address(this.#target);
    const { timeouts } = this.#request;
    this.#call = this.#client.send(
      {
        origin: address.origin,
        method: this.#request.method,
        path: address.basePath + this.#request.path,
        headers: ['Host', address.host, ...this.#request.headers],
        sharedHeaders: this.#request.sharedHeaders,
        body: this.#request.body,
        connectTimeoutMs: timeouts.connectMs,
        headersTimeoutMs: timeouts.headersMs,
        idleTimeoutMs: timeouts.idleMs,
      },
      this,
    );
  }
}
