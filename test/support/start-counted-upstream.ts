import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a call asks of the upstream, in its `x-task` header, as JSON. */
export interface Task {
  /** Never used twice. */
  readonly id: string;
  /** What it is counted as while it runs. */
  readonly counted: readonly string[];
  readonly stream: boolean;
  /** When it ends; absent = with `endAll`. */
  readonly afterMs?: number;
  /** Ends it by breaking the connection. */
  readonly breaks?: boolean;
}

/** An upstream and a model that count who is served at the same time: a record that owes the gateway nothing. */
export interface CountedUpstream {
  readonly origin: string;
  readonly calls: number;
  /** Tasks that run now. */
  running(): readonly Task[];
  /** The most tasks counted as this that ever ran at the same time. */
  mostOf(name: string): number;
  has(id: string): boolean;
  endAll(): void;
  close(): Promise<void>;
}

const EVENT_MS = 5;
/** Within the output bound of a chat: a stream that has said so many says no more until it ends. */
const EVENTS_MAX = 40;

export async function startCountedUpstream(): Promise<CountedUpstream> {
  const tasks = new TaskCount();
  const server = createServer((request, response) => serve(request, response, tasks));
  await listen(server);
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get calls() {
      return tasks.seen.size;
    },
    running: () => [...tasks.running.keys()],
    mostOf: (name) => tasks.most.get(name) ?? 0,
    has: (id) => tasks.seen.has(id),
    endAll() {
      for (const end of tasks.running.values()) end();
    },
    close() {
      server.closeAllConnections();
      return new Promise((closed) => server.close(() => closed()));
    },
  };
}

class TaskCount {
  readonly seen = new Set<string>();
  /** With what ends each of them. */
  readonly running = new Map<Task, () => void>();
  readonly most = new Map<string, number>();
  readonly #now = new Map<string, number>();

  begin(task: Task, end: () => void): void {
    this.seen.add(task.id);
    this.running.set(task, end);
    for (const name of task.counted) {
      const now = (this.#now.get(name) ?? 0) + 1;
      this.#now.set(name, now);
      this.most.set(name, Math.max(now, this.most.get(name) ?? 0));
    }
  }

  end(task: Task): void {
    if (!this.running.delete(task)) return;
    for (const name of task.counted) this.#now.set(name, (this.#now.get(name) ?? 0) - 1);
  }
}

function serve(request: IncomingMessage, response: ServerResponse, tasks: TaskCount): void {
  const task = JSON.parse(String(request.headers['x-task'])) as Task;
  const isChat = request.url?.startsWith('/v1/chat') === true;
  const { socket } = request;
  const answer = new Answer(response, isChat, task.stream);
  const gone = (): void => {
    tasks.end(task);
    answer.stop();
    for (const event of ['end', 'error', 'close']) socket.off(event, gone);
  };
  // A caller that leaves is gone with its last byte: `close` alone comes after the next call has begun.
  for (const event of ['end', 'error', 'close']) socket.on(event, gone);
  response.once('close', gone);
  const end = (): void => {
    if (task.breaks === true) socket.destroy();
    // Counted out before the last byte: with it the gateway may send the next call.
    gone();
    answer.end();
  };
  tasks.begin(task, end);
  request.resume().once('end', () => {
    answer.begin();
    if (task.afterMs !== undefined) answer.endAfter(task.afterMs, end);
  });
}

/** Whole at its end, or a stream of events: a chat's, or a number each. */
class Answer {
  readonly #response: ServerResponse;
  readonly #isChat: boolean;
  readonly #isStream: boolean;
  #events = 0;
  #ticking: NodeJS.Timeout | undefined;
  #ending: NodeJS.Timeout | undefined;

  constructor(response: ServerResponse, isChat: boolean, isStream: boolean) {
    this.#response = response;
    this.#isChat = isChat;
    this.#isStream = isStream;
  }

  begin(): void {
    if (!this.#isStream || this.#response.destroyed) return;
    this.#response.writeHead(200, { 'content-type': 'text/event-stream' });
    this.#tick();
    this.#ticking = setInterval(() => this.#tick(), EVENT_MS);
  }

  endAfter(afterMs: number, end: () => void): void {
    this.#ending = setTimeout(end, afterMs);
  }

  end(): void {
    if (this.#response.destroyed) return;
    if (this.#isStream)
      this.#response.end(this.#isChat ? `${this.#lastChunk()}data: [DONE]\n\n` : '');
    else this.#answerWhole();
  }

  stop(): void {
    clearInterval(this.#ticking);
    clearTimeout(this.#ending);
  }

  #tick(): void {
    if (this.#events >= EVENTS_MAX) return;
    this.#events += 1;
    const delta = { index: 0, delta: { content: 'x' }, finish_reason: null };
    this.#response.write(
      this.#isChat ? dataOf({ ...CHUNK, choices: [delta] }) : `data: ${this.#events}\n\n`,
    );
  }

  #lastChunk(): string {
    const last = { index: 0, delta: {}, finish_reason: 'stop' };
    return (
      dataOf({ ...CHUNK, choices: [last] }) +
      dataOf({ ...CHUNK, choices: [], usage: usageOf(this.#events) })
    );
  }

  #answerWhole(): void {
    const message = { role: 'assistant', content: 'x' };
    const choices = [{ index: 0, message, finish_reason: 'stop' }];
    const body = JSON.stringify({
      id: 'c',
      object: 'chat.completion',
      created: 1,
      model: 'echo-1',
      choices,
      usage: usageOf(1),
    });
    this.#response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': body.length,
    });
    this.#response.end(body);
  }
}

const CHUNK = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'echo-1' };

function usageOf(outputTokens: number): object {
  return { prompt_tokens: 1, completion_tokens: outputTokens, total_tokens: 1 + outputTokens };
}

function dataOf(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

function listen(server: Server): Promise<void> {
  server.keepAliveTimeout = 60_000;
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
}
