import { type Agent, request, type IncomingMessage } from 'node:http';

export interface Transfer {
  /** With path and query. */
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly agent?: Agent;
  /** Sent as it is. */
  readonly text?: string;
  /** So many bytes of nothing in particular are sent, with a length unless `chunked`. */
  readonly uploadBytes?: number;
  readonly chunked?: boolean;
  /** Called with each part of the answer; returning false breaks the connection. */
  readonly onPart?: (part: Buffer) => boolean | undefined;
}

export interface Transferred {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly bytes: number;
  /** The first kilobyte of the answer. */
  readonly beginning: string;
  /** The answer came to its end. */
  readonly complete: boolean;
  /** From the last byte of a small request to the first of the answer's body. */
  readonly firstPartMs: number;
}

const CHUNK = Buffer.alloc(256 * 1024, 'tollkeeper ');
const TEXT_MAX = 1024;

/** One request whose bodies are streamed and thrown away, as slowly as the other side wants. Never rejects. */
export function transfer(options: Transfer): Promise<Transferred> {
  return new Promise((resolve) => {
    let answer: IncomingMessage | undefined;
    let bytes = 0;
    let beginning = '';
    let firstPartMs = Number.NaN;
    let startedMs = 0;
    const finish = (complete: boolean): void =>
      resolve({
        status: answer?.statusCode ?? 0,
        headers: answer?.headers ?? {},
        bytes,
        beginning,
        complete,
        firstPartMs,
      });
    const outgoing = request(
      options.url,
      {
        method: options.method ?? (options.text === undefined ? 'GET' : 'POST'),
        headers: { ...options.headers, ...framingOf(options) },
        ...(options.agent === undefined ? {} : { agent: options.agent }),
      },
      (incoming) => {
        answer = incoming;
        incoming.on('data', (part: Buffer) => {
          if (bytes === 0) firstPartMs = performance.now() - startedMs;
          bytes += part.length;
          if (beginning.length < TEXT_MAX) beginning += part.toString('latin1');
          if (options.onPart?.(part) === false) outgoing.destroy();
        });
        incoming.on('end', () => finish(true));
        incoming.on('error', () => finish(false));
        incoming.on('close', () => finish(false));
      },
    );
    outgoing.on('error', () => finish(false));
    startedMs = performance.now();
    if (options.uploadBytes === undefined) outgoing.end(options.text);
    else pump(outgoing, options.uploadBytes);
  });
}

function framingOf({ uploadBytes, chunked, text }: Transfer): Record<string, string | number> {
  if (text !== undefined) {
    return { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  }
  return uploadBytes === undefined || chunked === true ? {} : { 'content-length': uploadBytes };
}

function pump(outgoing: ReturnType<typeof request>, bytes: number): void {
  let left = bytes;
  const fill = (): void => {
    while (left > 0) {
      const chunk = left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK;
      left -= chunk.length;
      if (!outgoing.write(chunk)) return;
    }
    outgoing.off('drain', fill);
    outgoing.end();
  };
  outgoing.on('drain', fill);
  fill();
}
