import type { InboundRequest, RawHeaders } from './listener.ts';

export interface UpstreamRequest {
  /** `http://host:port`. */
  readonly origin: string;
  readonly method: string;
  /** `/path?query` as the upstream shall see it. */
  readonly path: string;
  /** Flat list, hop-by-hop already removed. */
  readonly headers: RawHeaders;
  /** More of them, in a list that other calls have too: what a transport makes of it can be remembered by it. */
  readonly sharedHeaders?: RawHeaders;
  /** A whole body, a body still arriving from the client, or none. */
  readonly body: Buffer | InboundRequest | undefined;
  readonly connectTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

/** `sent`: whether any byte of the request may have reached the upstream (false = safe to try another target). */
export interface UpstreamFailure {
  readonly kind: 'connect' | 'timeout' | 'reset' | 'aborted' | 'protocol' | 'client-body';
  readonly sent: boolean;
  readonly message: string;
}

export interface UpstreamReceiver {
  onHead(status: number, headers: RawHeaders): void;
  /** False = pause until `resume`. */
  onChunk(chunk: Buffer): boolean;
  onEnd(): void;
  /** Terminal; may come before or after the head, never after `onEnd`. */
  onFailure(failure: UpstreamFailure): void;
}

export interface UpstreamCall {
  resume(): void;
  /** Cancels the call at the upstream; `onFailure` with kind `aborted` follows unless it had already ended. */
  abort(): void;
}

/** Bounds of a client. */
export interface UpstreamClientOptions {
  /** Open connections per origin. Default 256. */
  readonly connectionsMax?: number;
  /** Calls waiting for a connection, per origin; more fail at once with kind `connect`. Default 1,024. */
  readonly queuedMax?: number;
  /** Distinct origins with a pool; the oldest idle one makes room. Default 1,024. */
  readonly originsMax?: number;
}

/** The client side of the transport. One per process; owns connection pools, bounded per origin. */
export interface UpstreamClient {
  send(request: UpstreamRequest, receiver: UpstreamReceiver): UpstreamCall;
  close(): Promise<void>;
}
