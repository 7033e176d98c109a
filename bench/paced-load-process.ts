import { connect, type Socket } from 'node:net';

/**
 * Requests at a constant rate, whether or not earlier ones have been answered: `node paced-load-process.js ORDER`, an
 * order in JSON. Prints one report in JSON. Each latency counts from the moment its request was due, so a server that
 * stalls is not spared what came due meanwhile.
 */
export interface PacedOrder {
  readonly host: string;
  readonly port: number;
  /** A whole HTTP/1.1 request. */
  readonly request: string;
  readonly perSecond: number;
  /** Of the requests that are counted. */
  readonly seconds: number;
  /** Before them, at the same rate. */
  readonly leadInSeconds: number;
  readonly connections: number;
}

export interface PacedReport {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the lead-in; 0 without one. */
  readonly leadInP50Ms: number;
  readonly leadInP99Ms: number;
  /** Until the first byte of a body. */
  readonly firstP50Ms: number;
  readonly firstP99Ms: number;
  /** Answers other than 200, and connections that broke. */
  readonly failed: number;
}

/** Timers of Node have whole milliseconds: between two looks at the sockets this process sleeps at most so long. */
const SLEEP_MS_MAX = 0.1;
/** Waiting for the last answers. */
const GRACE_MS = 10_000;
const HEAD_END = '\r\n\r\n';
const CHUNKS_END = '0\r\n\r\n';

class Connection {
  dueAt = 0;
  isBusy = false;
  readonly #socket: Socket;
  readonly #run: PacedRun;
  #head = '';
  #inBody = false;
  #bodySeen = false;
  /** Bytes of the body that are to come; undefined = chunked, ends by its last chunk. */
  #left: number | undefined;
  #tail = '';

  constructor(run: PacedRun, { host, port }: PacedOrder) {
    this.#run = run;
    this.#socket = connect(port, host);
    this.#socket.setNoDelay(true).setEncoding('latin1');
    this.#socket.on('data', (text: string) => this.#read(text));
    this.#socket.on('error', () => undefined);
    this.#socket.once('close', () => run.onBroken(this));
  }

  opened(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.once('connect', resolve);
      this.#socket.once('error', reject);
    });
  }

  send(request: string, dueAt: number): void {
    this.dueAt = dueAt;
    this.isBusy = true;
    this.#socket.write(request, 'latin1');
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(text: string): void {
    if (this.#inBody) return this.#readBody(text);
    this.#head += text;
    const end = this.#head.indexOf(HEAD_END);
    if (end === -1) return;
    const head = this.#head.slice(0, end);
    const rest = this.#head.slice(end + HEAD_END.length);
    this.#head = '';
    if (!head.startsWith('HTTP/1.1 200 ')) this.#run.onRefused(head);
    const length = /^content-length: *(\d+)$/im.exec(head)?.[1];
    this.#left = length === undefined ? undefined : Number(length);
    this.#tail = '';
    this.#bodySeen = false;
    this.#inBody = true;
    this.#readBody(rest);
  }

  #readBody(text: string): void {
    if (text !== '' && !this.#bodySeen) {
      this.#bodySeen = true;
      this.#run.onFirstByte(this);
    }
    if (this.#left === undefined) {
      this.#tail = (this.#tail + text).slice(-CHUNKS_END.length);
      if (this.#tail !== CHUNKS_END) return;
    } else {
      this.#left -= text.length;
      if (this.#left > 0) return;
    }
    this.#inBody = false;
    this.isBusy = false;
    this.#run.onAnswered(this);
  }
}

class PacedRun {
  readonly #order: PacedOrder;
  readonly #connections: Connection[] = [];
  readonly #free: Connection[] = [];
  /** Due, and all connections busy. */
  readonly #waiting: number[] = [];
  readonly #latencies: number[] = [];
  readonly #leadIn: number[] = [];
  readonly #firsts: number[] = [];
  readonly #cell = new Int32Array(new SharedArrayBuffer(4));
  #startedAt = 0;
  #countedFrom = 0;
  #failed = 0;
  #closing = false;

  constructor(order: PacedOrder) {
    this.#order = order;
  }

  async run(): Promise<PacedReport> {
    const { connections, perSecond, seconds, leadInSeconds } = this.#order;
    for (let each = 0; each < connections; each += 1) {
      this.#connections.push(new Connection(this, this.#order));
    }
    await Promise.all(this.#connections.map((connection) => connection.opened()));
    this.#free.push(...this.#connections);
    this.#startedAt = performance.now();
    this.#countedFrom = this.#dueAt(perSecond * leadInSeconds);
    await this.#pace(perSecond * (leadInSeconds + seconds));
    this.#closing = true;
    for (const connection of this.#connections) connection.close();
    return {
      requests: this.#latencies.length,
      seconds,
      ...{ p50Ms: quantile(this.#latencies, 0.5), p99Ms: quantile(this.#latencies, 0.99) },
      leadInP50Ms: quantile(this.#leadIn, 0.5),
      leadInP99Ms: quantile(this.#leadIn, 0.99),
      firstP50Ms: quantile(this.#firsts, 0.5),
      firstP99Ms: quantile(this.#firsts, 0.99),
      failed: this.#failed,
    };
  }

  onFirstByte({ dueAt }: Connection): void {
    if (dueAt >= this.#countedFrom) this.#firsts.push(performance.now() - dueAt);
  }

  onAnswered(connection: Connection): void {
    const latencies = connection.dueAt < this.#countedFrom ? this.#leadIn : this.#latencies;
    latencies.push(performance.now() - connection.dueAt);
    const dueAt = this.#waiting.shift();
    if (dueAt === undefined) this.#free.push(connection);
    else connection.send(this.#order.request, dueAt);
  }

  onRefused(head: string): void {
    this.#failed += 1;
    if (this.#failed === 1) process.stderr.write(`${head}\n`);
  }

  onBroken(connection: Connection): void {
    if (this.#closing) return;
    this.#failed += 1;
    connection.close();
  }

  /** Resolves when `count` requests were sent and answered, or nothing has come for too long. */
  #pace(count: number): Promise<void> {
    const giveUpAt = this.#dueAt(count) + GRACE_MS;
    let sent = 0;
    return new Promise((resolve) => {
      const turn = (): void => {
        const now = performance.now();
        for (; sent < count && this.#dueAt(sent) <= now; sent += 1) this.#send(this.#dueAt(sent));
        if (sent === count && this.#ended >= count) return resolve();
        if (now > giveUpAt) return resolve();
        this.#sleep(this.#dueAt(sent) - performance.now());
        setImmediate(turn);
      };
      turn();
    });
  }

  /** The one rule of when which request is due: by another the first that counts could be taken for one that does not. */
  #dueAt(index: number): number {
    return this.#startedAt + index * (1000 / this.#order.perSecond);
  }

  get #ended(): number {
    return this.#leadIn.length + this.#latencies.length + this.#failed;
  }

  #send(dueAt: number): void {
    const connection = this.#free.pop();
    if (connection === undefined) this.#waiting.push(dueAt);
    else connection.send(this.#order.request, dueAt);
  }

  /** Blocks this thread, which has nothing else to do, so that the upstream on the same core can work. */
  #sleep(untilDueMs: number): void {
    const sleepMs = Math.min(untilDueMs < 0 ? SLEEP_MS_MAX : untilDueMs, SLEEP_MS_MAX);
    Atomics.wait(this.#cell, 0, 0, sleepMs);
  }
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

const order = JSON.parse(process.argv[2] ?? '') as PacedOrder;
process.stdout.write(`${JSON.stringify(await new PacedRun(order).run())}\n`);
