import { Worker } from 'node:worker_threads';

import { machineMs } from '../../platform/clock.ts';
import { StoreError } from '../store-error.ts';
import { type Call, type Opened, type Reply, toError } from './messages.ts';
import type { Operations } from './operations.ts';

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A thread that dies this soon after its start is followed by growing pauses. */
const SOON_MS = 5000;
const PAUSE_FIRST_MS = 100;
const PAUSE_MOST_MS = 10_000;

/** Where the thread begins, and what it finds as its `workerData`. */
interface Entry {
  readonly file: URL;
  readonly data: unknown;
}

/**
 * The near end of the store thread: calls go out in groups, bounded in number; none is lost in silence. A thread that dies
 * is followed by another: what it was asked fails, as after a lost connection, and nothing is known that is not in the
 * database.
 */
export class ThreadClient {
  readonly #entry: Entry;
  readonly #callsMax: number;
  readonly #pending = new Map<number, Pending>();
  /** Undefined between two threads. */
  #worker: Worker | undefined;
  #startedAtMs = 0;
  #pauseMs = PAUSE_FIRST_MS;
  #outbox: Call[] = [];
  /** Memory that goes with the calls in the outbox instead of being copied. */
  #given: ArrayBuffer[] = [];
  #lastId = 0;
  /** Why no call is taken. */
  #away: StoreError | undefined;
  #isClosed = false;
  #reopening: NodeJS.Timeout | undefined;
  #opening: Promise<void> | undefined;

  private constructor(entry: Entry, callsMax: number) {
    this.#entry = entry;
    this.#callsMax = callsMax;
  }

  /** `file`: one that calls `serveOperations`; `data` is what it finds as its `workerData`. */
  static async open(file: URL, data: unknown, callsMax: number): Promise<ThreadClient> {
    const client = new ThreadClient({ file, data }, callsMax);
    await client.#openThread();
    return client;
  }

  call<Name extends keyof Operations>(
    name: Name,
    ...args: Parameters<Operations[Name]>
  ): Promise<Awaited<ReturnType<Operations[Name]>>> {
    if (this.#away !== undefined) return Promise.reject(this.#away);
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
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#reopening);
    const worker = this.#worker;
    if (worker === undefined) {
      this.#away = CLOSED;
      await this.#opening;
      return;
    }
    const exited = new Promise((resolve) => worker.once('exit', resolve));
    const answered = this.call('close');
    this.#away = CLOSED;
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
      this.#worker?.postMessage(calls, given);
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

  async #openThread(): Promise<void> {
    const worker = await startThread(this.#entry);
    if (this.#isClosed) {
      await worker.terminate();
      return;
    }
    let cause: Error | undefined;
    worker.on('message', (replies: readonly Reply[]) => this.#receive(replies));
    worker.once('error', (error) => {
      cause = error;
    });
    worker.once('exit', () => this.#bury(cause));
    this.#worker = worker;
    this.#away = undefined;
    this.#startedAtMs = machineMs();
  }

  /** Of a thread that has ended: its connections are closed, and a transaction it was in is taken back. */
  #bury(cause: Error | undefined): void {
    this.#worker = undefined;
    if (this.#isClosed) {
      this.#fail(CLOSED);
      return;
    }
    const reason = cause?.message ?? 'it ended';
    this.#fail(new StoreError('unavailable', `the store thread failed: ${reason}`, { cause }));
    const isSoon = machineMs() - this.#startedAtMs < SOON_MS;
    this.#pauseMs = isSoon ? Math.min(PAUSE_MOST_MS, this.#pauseMs * 2) : PAUSE_FIRST_MS;
    this.#reopenLater();
  }

  #reopenLater(): void {
    this.#reopening = setTimeout(() => {
      this.#opening = this.#reopen();
    }, this.#pauseMs).unref();
  }

  async #reopen(): Promise<void> {
    try {
      await this.#openThread();
    } catch {
      if (this.#isClosed) return;
      this.#pauseMs = Math.min(PAUSE_MOST_MS, this.#pauseMs * 2);
      this.#reopenLater();
    }
  }

  #fail(error: StoreError): void {
    this.#away = error;
    const abandoned = [...this.#pending.values()];
    this.#pending.clear();
    for (const pending of abandoned) pending.reject(error);
  }
}

const CLOSED = new StoreError('unavailable', 'the store is closed');

/** Resolves once its database is open; rejects with why it could not be opened. */
async function startThread({ file, data }: Entry): Promise<Worker> {
  const worker = new Worker(file, { workerData: data });
  const opened = await new Promise<Opened>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new StoreError('unavailable', 'the store thread ended')));
  });
  if (opened.kind === 'opened') return worker;
  await worker.terminate();
  throw toError(opened.failure);
}

/** A view of a part is copied: what lies beside it is somebody else's. */
function isWhole(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
}
