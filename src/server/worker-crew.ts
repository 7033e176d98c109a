import type { Worker } from 'node:cluster';

import type { Logger } from '../platform/logger.ts';
import { mergeSnapshots, type MetricSnapshot, withoutGauges } from '../platform/metrics.ts';
import type { ServerSettings, TlsSettings } from './config/loaded-config.ts';
import { forkWorker, type Recruit } from './fork-worker.ts';
import { listenOnFreePort } from './free-port.ts';
import type { Adoption, FromWorker, ToWorker, WorkerStart } from './worker-messages.ts';

const ANSWER_WAIT_MS = 1000;
/** A worker that dies this soon after its start is started again with growing pauses. */
const SOON_MS = 5000;
const PAUSE_FIRST_MS = 100;
const PAUSE_MOST_MS = 10_000;
const NOTHING_COUNTED: MetricSnapshot = { families: [] };

export interface CrewMember {
  readonly name: string;
  readonly worker: Worker;
  /** Resolves when it hears what it is told; before that messages are lost. */
  readonly loaded: Promise<void>;
  readonly startedAt: number;
  owner: string | undefined;
  state: 'starting' | 'serving' | 'draining';
  port: number;
  /** What it told of itself last. */
  counted: MetricSnapshot;
}

export interface CrewEvents {
  /** A process is gone: its journal may be read. */
  readonly onGone: (owner: string | undefined) => void;
}

/** A worker could not start: wrong port, no store. */
export class WorkerStartError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'WorkerStartError';
    this.code = code;
  }
}

/** The gateway workers of this machine: started, watched, replaced when they die, drained at the end. */
export class WorkerCrew {
  /** When the configuration came that is in force, epoch milliseconds. */
  adoptedAt: number;
  readonly #logger: Logger;
  readonly #events: CrewEvents;
  readonly #now: () => number;
  readonly #members = new Map<number, CrewMember>();
  readonly #recruits: Recruit[];
  #start: Omit<WorkerStart, 'name'>;
  #lastNumber = 0;
  #lastCall = 0;
  #pauseMs = PAUSE_FIRST_MS;
  #draining = false;
  /** Of workers that ended, as far as they had told. */
  #countedBefore = NOTHING_COUNTED;

  constructor(
    start: Omit<WorkerStart, 'name'>,
    parts: { recruits: readonly Recruit[]; logger: Logger; events: CrewEvents; now: () => number },
  ) {
    this.#recruits = [...parts.recruits];
    this.#start = start;
    this.#logger = parts.logger;
    this.#events = parts.events;
    this.#now = parts.now;
    this.adoptedAt = parts.now();
  }

  get members(): readonly CrewMember[] {
    return [...this.#members.values()];
  }

  /** Resolves with the port once all serve; rejects with WorkerStartError when the first cannot. */
  async open(): Promise<number> {
    const others = this.#recruits.length - 1;
    // The first alone: when it cannot listen, nobody can.
    const port = await this.#hireFirst();
    await Promise.all(Array.from({ length: others }, () => this.#hire()));
    return port;
  }

  /** Resolves when every worker that answers decides by this configuration (GW-03); false = one has not said so. */
  async adopt({ catalog, tls }: Adoption): Promise<boolean> {
    this.#start = { ...this.#start, catalog, server: withTls(this.#start.server, tls) };
    this.adoptedAt = this.#now();
    const confirmed = await Promise.all(
      this.members.map(async ({ worker, state }) => {
        const answer = await this.#ask(worker, (call) => ({ type: 'adopt', catalog, tls, call }));
        // One that is starting serves nobody before it has the newest, and one that ended serves nobody.
        return answer !== undefined || state === 'starting' || !this.#members.has(worker.id);
      }),
    );
    return !confirmed.includes(false);
  }

  /**
   * Of every worker, the ended ones too, and of one that does not answer in time what it told last: a sum that went down
   * would be a new beginning to Prometheus, and all of it would count again.
   */
  async metrics(): Promise<readonly MetricSnapshot[]> {
    await Promise.all(
      this.members.map(async (member) => {
        const answer = await this.#ask(member.worker, (call) => ({ type: 'report-metrics', call }));
        if (answer?.type === 'metrics') member.counted = answer.snapshot;
      }),
    );
    return [this.#countedBefore, ...this.members.map(({ counted }) => counted)];
  }

  /** Lets every worker finish; those still alive after the deadline and a grace are killed. */
  async drain(deadlineMs: number): Promise<void> {
    this.#draining = true;
    const gone = [...this.#members.values()].map(
      (member) =>
        new Promise<void>((resolve) => {
          member.state = 'draining';
          member.worker.once('exit', () => resolve());
          void member.loaded.then(() => send(member.worker, { type: 'drain', deadlineMs }));
          setTimeout(() => member.worker.process.kill('SIGKILL'), deadlineMs + 5000).unref();
        }),
    );
    await Promise.all(gone);
  }

  /** Port 0 becomes a port: whoever comes after all others have died has to be found where they were. */
  #hireFirst(): Promise<number> {
    const { server } = this.#start;
    if (server.port !== 0) return this.#hire();
    return listenOnFreePort(server.host, (port) => {
      this.#start = { ...this.#start, server: { ...server, port } };
      return this.#hire();
    });
  }

  async #hire(): Promise<number> {
    this.#lastNumber += 1;
    const name = `worker-${this.#lastNumber}`;
    const { worker, loaded } = this.#recruits.shift() ?? forkWorker();
    const member: CrewMember = {
      name,
      worker,
      loaded,
      startedAt: this.#now(),
      owner: undefined,
      state: 'starting',
      port: 0,
      counted: NOTHING_COUNTED,
    };
    this.#members.set(worker.id, member);
    worker.once('exit', (code, signal) => this.#bury(member, signal ?? `exit code ${code}`));
    void loaded.then(() => send(worker, { ...this.#start, name }));
    return new Promise((resolve, reject) => {
      worker.on('message', (message: FromWorker) => {
        if (message.type === 'ready') {
          member.owner = message.owner;
          member.port = message.port;
          member.state = 'serving';
          resolve(message.port);
        } else if (message.type === 'failed')
          reject(new WorkerStartError(message.code, message.message));
      });
      const ended = (): void =>
        reject(new WorkerStartError('', `${name} ended before it was ready`));
      if (worker.isDead()) ended();
      else worker.once('exit', ended);
      worker.once('error', (error) => {
        // One that was never made does not end either.
        if (worker.process.pid !== undefined) return;
        this.#members.delete(worker.id);
        reject(new WorkerStartError('', `${name} could not be made: ${error.message}`));
      });
    });
  }

  #bury(member: CrewMember, how: string): void {
    this.#members.delete(member.worker.id);
    this.#countedBefore = mergeSnapshots([this.#countedBefore, withoutGauges(member.counted)]);
    this.#events.onGone(member.owner);
    if (this.#draining || member.state === 'starting') return;
    this.#logger.error({ worker: member.name, how }, 'a worker died and is replaced');
    const soon = this.#now() - member.startedAt < SOON_MS;
    this.#pauseMs = soon ? Math.min(PAUSE_MOST_MS, this.#pauseMs * 2) : PAUSE_FIRST_MS;
    setTimeout(() => this.#replace(), soon ? this.#pauseMs : 0);
  }

  #replace(): void {
    if (this.#draining) return;
    this.#hire().catch((error: unknown) => {
      if (this.#draining) return;
      this.#logger.error({ error: String(error) }, 'a worker could not be replaced yet');
      this.#pauseMs = Math.min(PAUSE_MOST_MS, this.#pauseMs * 2);
      setTimeout(() => this.#replace(), this.#pauseMs);
    });
  }

  /** Sends a call and waits, bounded, for the answer that carries its number. */
  #ask(worker: Worker, message: (call: number) => ToWorker): Promise<FromWorker | undefined> {
    this.#lastCall += 1;
    const call = this.#lastCall;
    return new Promise((resolve) => {
      const finish = (answer: FromWorker | undefined): void => {
        clearTimeout(timer);
        worker.off('message', onMessage);
        resolve(answer);
      };
      const onMessage = (answer: FromWorker): void => {
        if ('call' in answer && answer.call === call) finish(answer);
      };
      const timer = setTimeout(() => finish(undefined), ANSWER_WAIT_MS);
      worker.on('message', onMessage);
      send(worker, message(call));
    });
  }
}

/** Those of one port serve all of them TLS, or none: a worker to come begins as the others did. */
function withTls(server: ServerSettings, tls: TlsSettings | undefined): ServerSettings {
  return server.tls === undefined || tls === undefined ? server : { ...server, tls };
}

function send(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message);
}
