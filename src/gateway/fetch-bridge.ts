import type { BodySink, InboundRequest, InboundResponse, RawHeaders } from './listener.ts';

/** Pages and small JSON endpoints of our own. 64 KiB that somebody pastes into a form may take three times that. */
const BODY_BYTES_MAX = 192 * 1024;

/** Of these Fetch makes no request (Fetch standard 2.2.1); our pages have no use for them. */
const FORBIDDEN_METHODS = new Set(['CONNECT', 'TRACE', 'TRACK']);

/** Anything that answers Fetch requests: a Hono app. */
export interface FetchApp {
  fetch(request: Request): Response | Promise<Response>;
  /** What a body of more than `allowedBytes` is answered with; `request` has none of it. */
  refuseBody(request: Request, allowedBytes: number): Response | Promise<Response>;
}

/** Lets a Fetch app answer a request of the gateway's listener. Not for the hot path: it builds objects per request. */
export function serveFetch(
  app: FetchApp,
  origin: string,
  request: InboundRequest,
  response: InboundResponse,
): void {
  if (FORBIDDEN_METHODS.has(request.method)) {
    response.writeHead(405, [
      'Allow',
      'GET, HEAD, POST',
      'Content-Length',
      '0',
      'Connection',
      'close',
    ]);
    response.end();
    return;
  }
  const url = origin + request.target;
  const { method, headers } = request;
  const build = (content: { readonly body?: Uint8Array<ArrayBuffer> }): Request =>
    new Request(url, { method, headers: toHeaders(headers), ...content });
  if (request.contentLength === 0) {
    void answer(() => app.fetch(build({})), response, method);
    return;
  }
  request.readBody(
    new SmallBody((body) => {
      if (body === undefined) {
        // What is left of the body is not read: the connection ends with the answer.
        const refusal = () => app.refuseBody(build({}), BODY_BYTES_MAX);
        void answer(refusal, response, method, CLOSE);
        return;
      }
      const content = method === 'GET' || method === 'HEAD' ? {} : { body };
      void answer(() => app.fetch(build(content)), response, method);
    }),
  );
}

const CLOSE: RawHeaders = ['Connection', 'close'];

/** `ask` may throw on what Fetch does not take, and must not do so where the transport would hear it. */
async function answer(
  ask: () => Response | Promise<Response>,
  response: InboundResponse,
  method: string,
  connection: RawHeaders = [],
): Promise<void> {
  try {
    const answered = await ask();
    const body = Buffer.from(await answered.arrayBuffer());
    const headers = [...answered.headers].filter(([name]) => name !== 'content-length').flat();
    // The app leaves the body of a HEAD out, and with it what its length would be (RFC 9110 8.6).
    const length = method === 'HEAD' ? [] : ['Content-Length', String(body.length)];
    response.writeHead(answered.status, [...headers, ...length, ...connection]);
    if (method === 'HEAD') response.end();
    else response.end(body);
  } catch {
    // The app answers its own errors; what still gets here must not leave the client waiting.
    if (!response.headSent) response.writeHead(500, ['Content-Length', '0']);
    response.end();
  }
}

function toHeaders(raw: RawHeaders): Headers {
  const headers = new Headers();
  for (let i = 0; i < raw.length; i += 2) headers.append(raw[i] ?? '', raw[i + 1] ?? '');
  return headers;
}

class SmallBody implements BodySink {
  readonly #done: (body: Uint8Array<ArrayBuffer> | undefined) => void;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #over = false;

  /** `done` gets undefined when the body is too large or broke off. */
  constructor(done: (body: Uint8Array<ArrayBuffer> | undefined) => void) {
    this.#done = done;
  }

  onChunk(chunk: Buffer): void {
    if (this.#over) return;
    this.#bytes += chunk.length;
    if (this.#bytes <= BODY_BYTES_MAX) {
      this.#chunks.push(chunk);
      return;
    }
    this.onError();
  }

  onEnd(): void {
    if (!this.#over) this.#done(new Uint8Array(Buffer.concat(this.#chunks)));
  }

  onError(): void {
    if (this.#over) return;
    this.#over = true;
    this.#done(undefined);
  }
}
