import { Worker } from 'node:worker_threads';

import { StoreError } from '../store-error.ts';
import { type Call, type Opened, type Reply, toError } from './messages.ts';
import type { Operations } from './operations.ts';

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The near end of the store thread: calls go out in groups, bounded in number; none is lost in silence. */
export class ThreadClient {
  readonly #worker: Worker;
  readonly #callsMax: number;
  readonly #pending = new Map<number, Pending>();
  #outbox: Call[] = [];
  /** Memory that goes with the calls in the outbox instead of being copied. */
  #given: ArrayBuffer[] = [];
  #lastId = 0;
  #closed: StoreError | undefined;

  private constructor(worker: Worker, callsMax: number) {
    this.#worker = worker;
    this.#callsMax = callsMax;
    worker.on('message', (replies: readonly Reply[]) => this.#receive(replies));
    worker.on('error', (error) => this.#fail(`the store thread failed: ${error.message}`, error));
    worker.on('exit', () => this.#fail('the store is closed'));
  }

  /** `entry`: a file that calls `serveOperations`; `data` is what it finds as its `workerData`. */
  static async open(entry: URL, data: unknown, callsMax: number): Promise<ThreadClient> {
    const worker = new Worker(entry, { workerData: data });
    const opened = await new Promise<Opened>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () => reject(new StoreError('unavailable', 'the store thread ended')));
    });
    if (opened.kind === 'opened') return new ThreadClient(worker, callsMax);
    await worker.terminate();
    throw toError(opened.failure);
  }

  call<Name extends keyof Operations>(
    name: Name,
    ...args: Parameters<Operations[Name]>
  ): Promise<Awaited<ReturnType<Operations[Name]>>> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    if (this.#pending.size >= this.#callsMax) {
      return Promise.reject(
        new StoreError(
          'overloaded',
          `the store has ${this.#callsMax} calls outstanding: try again later`,
        ),
      );
    }
    return new Promise((resolve, reject) => {
      this.#lastId += 1;
      // The thread answers a call with what the operation of that name returned.
      const settle = (value: unknown): void =>
        resolve(value as Awaited<ReturnType<Operations[Name]>>);
      this.#pending.set(this.#lastId, { resolve: settle, reject });
      this.#send({ id: this.#lastId, name, args });
    });
  }

  /** A call with bytes that the thread takes over: whoever gave them has none afterwards, unless it was refused. */
  give(name: 'appendRequests', bytes: Uint8Array): Promise<void> {
    if (bytes.byteLength === 0) {
      const problem = 'there are no bytes: none were written, or they were given away before';
      return Promise.reject(new StoreError('invalid_argument', problem));
    }
    const answer = this.call(name, bytes);
    const isSent = this.#outbox.at(-1)?.args[0] === bytes;
    if (isSent && isWhole(bytes) && !this.#given.includes(bytes.buffer)) {
      this.#given.push(bytes.buffer);
    }
    return answer;
  }

  /** Answers everything that was asked, then ends the thread. */
  async close(): Promise<void> {
    if (this.#closed !== undefined) return;
    const exited = new Promise((resolve) => this.#worker.once('exit', resolve));
    const answered = this.call('close');
    this.#closed = new StoreError('unavailable', 'the store is closed');
    await answered;
    await exited;
  }

  #send(call: Call): void {
    this.#outbox.push(call);
    if (this.#outbox.length > 1) return;
    queueMicrotask(() => {
      const [calls, given] = [this.#outbox, this.#given];
      this.#outbox = [];
      this.#given = [];
      this.#worker.postMessage(calls, given);
    });
  }

  #receive(replies: readonly Reply[]): void {
    for (const reply of replies) {
      const pending = this.#pending.get(reply.id);
      this.#pending.delete(reply.id);
      if (reply.kind === 'done') pending?.resolve(reply.value);
      else pending?.reject(toError(reply.failure));
    }
  }

  #fail(message: string, cause?: Error): void {
    this.#closed ??= new StoreError('unavailable', message, { cause });
    const abandoned = [...this.#pending.values()];
    this.#pending.clear();
    for (const pending of abandoned) pending.reject(this.#closed);
  }
}

/** A view of a part is copied: what lies beside it is somebody else's. */
function isWhole(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
}
