import { parentPort } from 'node:worker_threads';

import { type Call, type Opened, type Reply, toFailure } from './messages.ts';
import type { Operations } from './operations.ts';

/** The life of a store thread: opens the database, then answers calls, and ends when it has answered `close`. */
export async function serveOperations(open: () => Operations | Promise<Operations>): Promise<void> {
  let operations: Operations;
  try {
    operations = await open();
  } catch (error) {
    tell({ kind: 'unopened', failure: toFailure(error) });
    return;
  }
  const thread = new StoreThread(operations);
  parentPort?.on('message', (calls: readonly Call[]) => thread.take(calls));
  tell({ kind: 'opened' });
}

class StoreThread {
  readonly #operations: Operations;
  /** Calls that wait for the database. */
  readonly #running = new Set<Promise<void>>();
  /** Answers that go out together at the end of this turn. */
  #outbox: Reply[] = [];

  constructor(operations: Operations) {
    this.#operations = operations;
  }

  take(calls: readonly Call[]): void {
    for (const call of calls) {
      if (call.name === 'close') void this.#close(call);
      else this.#answer(call);
    }
  }

  #answer(call: Call): void {
    const answer = this.#run(call);
    if (!(answer instanceof Promise)) {
      this.#post(answer);
      return;
    }
    const running = answer.then((reply) => {
      this.#running.delete(running);
      this.#post(reply);
    });
    this.#running.add(running);
  }

  async #close(call: Call): Promise<void> {
    await Promise.all(this.#running);
    this.#post(await this.#run(call));
    queueMicrotask(() => parentPort?.close());
  }

  #run({ id, name, args }: Call): Reply | Promise<Reply> {
    const succeed = (value: unknown): Reply => ({ id, kind: 'done', value });
    const fail = (error: unknown): Reply => ({ id, kind: 'failed', failure: toFailure(error) });
    try {
      const value: unknown = Reflect.apply(this.#operations[name], this.#operations, args);
      return value instanceof Promise ? value.then(succeed, fail) : succeed(value);
    } catch (error) {
      return fail(error);
    }
  }

  #post(reply: Reply): void {
    this.#outbox.push(reply);
    if (this.#outbox.length > 1) return;
    queueMicrotask(() => {
      const replies = this.#outbox;
      this.#outbox = [];
      parentPort?.postMessage(replies);
    });
  }
}

function tell(opened: Opened): void {
  parentPort?.postMessage(opened);
}
