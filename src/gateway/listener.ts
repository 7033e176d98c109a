import type { AddressInfo } from 'node:net';

/**
 * Names and values in turn, as they came: [name, value, name, value, ...]. Names keep the sender's case. Values may share
 * the memory of their whole head: what is kept beyond the request is an `ownString`.
 */
export type RawHeaders = readonly string[];

/** Stands for the fields of heads that had the same ones; what is made of those alone is kept here. */
export interface SameFields {
  /** By `RequestHeaderPlan`. */
  forwarded: SharedHeaders | undefined;
}

/** Headers that each call with the same fields sends on. */
export interface SharedHeaders {
  readonly list: RawHeaders;
  /** The plan that made them. */
  readonly plan: object;
  /** The caller's address was trusted to say whom it forwards. */
  readonly trusted: boolean;
}

/**
 * One request as the transport hands it over. The pipeline sees this and never the transport's own types,
 * so that another HTTP stack is a new adapter and nothing else (DESIGN 9).
 */
export interface InboundRequest {
  readonly method: string;
  /** Origin-form target: `/path?query`. */
  readonly target: string;
  readonly headers: RawHeaders;
  /**
   * The same object for all requests of a connection whose headers differ in Content-Length alone. Undefined: they may
   * differ in anything.
   */
  readonly sameFields?: SameFields | undefined;
  readonly remoteAddress: string;
  readonly secure: boolean;
  /** Declared Content-Length, 0 when there is no body, -1 when the length is not known beforehand (chunked). */
  readonly contentLength: number;
  /**
   * Starts the body. Until called nothing is read (back-pressure). At most once.
   * Without a body (`contentLength` 0) `onEnd` is called before this returns.
   */
  readBody(sink: BodySink): void;
  pauseBody(): void;
  resumeBody(): void;
}

export interface BodySink {
  onChunk(chunk: Buffer): void;
  onEnd(): void;
  /** The client broke off, or its framing was wrong. No other call follows. */
  onError(error: Error): void;
}

export interface InboundResponse {
  readonly headSent: boolean;
  /** True once the client is gone: writes are lost. */
  readonly closed: boolean;
  /**
   * Head and first bytes may leave together. `shared`: more headers, in a list that other answers of this moment have too;
   * none of them frames the answer.
   */
  writeHead(status: number, headers: RawHeaders, shared?: RawHeaders): void;
  /** False = the client reads slowly: wait for `onDrain`. Always false once `closed`. */
  write(chunk: Buffer | string): boolean;
  end(chunk?: Buffer | string): void;
  /** Breaks the connection: the only honest ending for an answer that cannot be completed. */
  destroy(): void;
  onDrain: (() => void) | undefined;
  /** Called once if the client goes away before the answer has ended. */
  onClientGone: (() => void) | undefined;
}

export type RequestHandler = (request: InboundRequest, response: InboundResponse) => void;

/**
 * What was wrong with bytes that never became a request; the handler decides the body of the answer.
 * 503: more connections than `connectionsMax`.
 */
export interface ProtocolError {
  readonly status: 400 | 408 | 413 | 431 | 503;
  /** For the log and the message: what was refused, e.g. `two Host headers`. */
  readonly reason: string;
}

/** PEM text. */
export interface TlsCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsCertificate | undefined;
  readonly headerBytesMax: number;
  readonly headersTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** Longest silence of a client that owes body bytes or does not take its answer. Default 60,000. */
  readonly clientIdleTimeoutMs?: number;
  readonly connectionsMax: number;
  /** The complete HTTP answer's headers and body for a protocol error. */
  readonly renderProtocolError: (error: ProtocolError) => { headers: RawHeaders; body: string };
}

export interface Listener {
  /** Requests that were handed over and whose connections have not come to an end of them. */
  readonly openRequests: number;
  listen(): Promise<AddressInfo>;
  /** Handshakes from now on show this certificate; connections that are open stay. Only where it began with one. */
  renewTls(tls: TlsCertificate): void;
  /** Stops accepting, lets running answers finish until `deadlineMs` from now, then breaks the rest. */
  drain(deadlineMs: number): Promise<void>;
}
