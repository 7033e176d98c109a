import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An API and a model in one: it answers at once, and calls that say `X-Hold: id` when it is told to. */
export interface SlowUpstream {
  readonly origin: string;
  /** Resolves once the call with `id` is here. */
  arrival(id: string): Promise<void>;
  release(id: string): void;
  close(): Promise<void>;
}

export async function startSlowUpstream(): Promise<SlowUpstream> {
  const awaited = new Map<string, () => void>();
  const waiting = new Map<string, () => void>();
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const id = request.headers['x-hold'];
      if (typeof id !== 'string') {
        answer(request, response);
        return;
      }
      waiting.set(id, () => answer(request, response));
      awaited.get(id)?.();
    });
  });
  await new Promise<void>((listening) => {
    server.listen(0, '127.0.0.1', listening);
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrival: (id) =>
      new Promise((resolve) => {
        if (waiting.has(id)) resolve();
        else awaited.set(id, resolve);
      }),
    release(id) {
      waiting.get(id)?.();
      waiting.delete(id);
      awaited.delete(id);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => {
        server.close(closed);
      });
    },
  };
}

/** As a model whose answer is as long as the caller wants it; an API says the same. */
function answer({ headers }: IncomingMessage, response: ServerResponse): void {
  const tokens = Number.parseInt(String(headers['x-echo-tokens'] ?? '0'), 10);
  const usage = { prompt_tokens: 9, completion_tokens: tokens, total_tokens: tokens + 9 };
  const message = { role: 'assistant', content: 'x' };
  const choices = [{ index: 0, message, finish_reason: 'stop' }];
  const body = { id: 'x', object: 'chat.completion', created: 0, model: 'm', choices, usage };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
