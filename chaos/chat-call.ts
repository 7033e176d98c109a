import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** One call of an OpenAI-style chat endpoint. A unit is a token of the answer. */
export interface ChatCall {
  /** The whole address, `http://127.0.0.1:4020/v1/chat/completions`. */
  readonly url: string;
  readonly key: string;
  readonly model: string;
  /** Sent as the bound of the output, which the upstream is expected to use up. */
  readonly units: number;
  readonly stream: boolean;
  /** Of a stream: the caller hangs up once it has seen so many units. */
  readonly leaveAfter?: number;
  /** The caller hangs up after so long, if the call has not ended by then. */
  readonly leaveAfterMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What one call got, as its caller saw it. */
export interface ChatOutcome {
  /** 0 = no answer at all. */
  readonly status: number;
  /** Units that reached the caller: those of a whole answer, or of a stream so far. */
  readonly units: number;
  /** `left`: the caller itself hung up, as it meant to or because nothing came for `TIMEOUT_MS`. */
  readonly ended: 'complete' | 'broken' | 'left';
  /** A refusal that says it is over when running calls end. */
  readonly transient: boolean;
  readonly requestId: string | undefined;
  /** Of an answer that refuses, where it has one. */
  readonly code: string | undefined;
}

const TIMEOUT_MS = 20_000;
const SOCKETS_MAX = 512;

/** Connections of one caller, kept between its calls. */
export class ChatConnections {
  readonly #agents = {
    'http:': new HttpAgent({ keepAlive: true, maxSockets: SOCKETS_MAX, timeout: TIMEOUT_MS }),
    'https:': new HttpsAgent({ keepAlive: true, maxSockets: SOCKETS_MAX, timeout: TIMEOUT_MS }),
  };

  /** Never rejects: a connection that breaks is an outcome. */
  call(call: ChatCall): Promise<ChatOutcome> {
    const secure = call.url.startsWith('https:');
    const body = JSON.stringify({
      model: call.model,
      max_tokens: call.units,
      stream: call.stream,
      messages: [{ role: 'user', content: 'x' }],
    });
    return new Promise((resolve) => {
      const heard = new Heard(call, resolve);
      const outgoing = (secure ? httpsRequest : httpRequest)(
        call.url,
        {
          agent: this.#agents[secure ? 'https:' : 'http:'],
          method: 'POST',
          timeout: TIMEOUT_MS,
          headers: {
            authorization: `Bearer ${call.key}`,
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
            ...call.headers,
          },
        },
        (answer) => heard.listen(answer),
      );
      const leave = (): void => {
        heard.finish('left');
        outgoing.destroy();
      };
      const leaving =
        call.leaveAfterMs === undefined ? undefined : setTimeout(leave, call.leaveAfterMs);
      outgoing.on('timeout', leave);
      outgoing.on('error', () => heard.finish('broken'));
      outgoing.on('close', () => clearTimeout(leaving));
      outgoing.end(body);
    });
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }
}

/** What of an answer has arrived. */
class Heard {
  readonly #call: ChatCall;
  readonly #resolve: (outcome: ChatOutcome) => void;
  #status = 0;
  #requestId: string | undefined;
  /** All of a whole answer; of a stream the line that is not yet whole. */
  #text = '';
  #streamed = 0;

  constructor(call: ChatCall, resolve: (outcome: ChatOutcome) => void) {
    this.#call = call;
    this.#resolve = resolve;
  }

  listen(answer: IncomingMessage): void {
    this.#status = answer.statusCode ?? 0;
    const id = answer.headers['x-request-id'];
    this.#requestId = typeof id === 'string' ? id : undefined;
    answer.setEncoding('utf8');
    answer.on('data', (text: string) => {
      this.#push(text);
      if (this.#streamed < (this.#call.leaveAfter ?? Number.POSITIVE_INFINITY)) return;
      this.finish('left');
      answer.destroy();
    });
    answer.on('end', () => this.finish('complete'));
    answer.on('error', () => this.finish('broken'));
    answer.on('close', () => this.finish('broken'));
  }

  /** The first end counts. */
  finish(ended: ChatOutcome['ended']): void {
    this.#resolve({
      status: this.#status,
      units: this.#units(),
      ended,
      transient: this.#status === 402 && /"kind": ?"transient"/.test(this.#text),
      requestId: this.#requestId,
      code: this.#status === 200 ? undefined : /"code": ?"([A-Z_0-9]+)"/.exec(this.#text)?.[1],
    });
  }

  #push(text: string): void {
    this.#text += text;
    if (!this.#call.stream || this.#status !== 200) return;
    const lines = this.#text.split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) if (isContent(line)) this.#streamed += 1;
  }

  #units(): number {
    if (this.#status !== 200 || this.#call.stream) return this.#streamed;
    if (this.#text === '') return 0;
    // A whole answer that has begun to arrive was written whole.
    return readUsage(this.#text) ?? this.#call.units;
  }
}

/** An event of a stream with a token in it. */
function isContent(line: string): boolean {
  return line.startsWith('data: {') && /"content": ?"[^"]/.test(line);
}

function readUsage(text: string): number | undefined {
  const tokens = /"completion_tokens": ?(\d+)/.exec(text)?.[1];
  return tokens === undefined ? undefined : Number(tokens);
}
