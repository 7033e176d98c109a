import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

import type { ChildProgram } from '../test/support/child-program.ts';
import { freePort } from '../test/support/free-port.ts';
import { type Gateway, startGateway } from '../test/support/start-gateway.ts';
import { waitFor } from '../test/support/wait-for.ts';

export interface GatewaySetting {
  readonly data: string;
  /** File with the configuration. */
  readonly config: string;
  readonly workers: number;
}

const START_TIMEOUT_MS = 60_000;
const WORKERS_TIMEOUT_MS = 60_000;

/** A gateway (supervisor and workers) on a fixed port that is killed, paused and started again on the same data. */
export class GatewayUnderFire {
  readonly port: number;
  readonly #setting: GatewaySetting;
  #gateway: Gateway | undefined;
  #pids: readonly number[] = [];
  /** Every worker ever met that may still run: those of a killed supervisor live on for a while. */
  readonly #met = new Set<number>();
  readonly #supervisors = new Set<ChildProgram>();
  readonly #killedSupervisors = new Set<number>();
  readonly #killedWorkers = new Set<number>();
  readonly #paused = new Set<number>();
  #destroyed = false;

  constructor(port: number, setting: GatewaySetting) {
    this.port = port;
    this.#setting = setting;
  }

  static async create(setting: GatewaySetting): Promise<GatewayUnderFire> {
    return new GatewayUnderFire(await freePort(), setting);
  }

  /** Processes that were serving when they were killed: each may have charged one answer that nobody saw. */
  get killedWorkers(): number {
    return this.#killedWorkers.size;
  }

  get killedProcesses(): number {
    return this.#killedWorkers.size + this.#killedSupervisors.size;
  }

  /** Its data directory. */
  get data(): string {
    return this.#setting.data;
  }

  get chatUrl(): string {
    return `http://127.0.0.1:${this.port}/v1/chat/completions`;
  }

  get gateway(): Gateway {
    if (this.#gateway === undefined) throw new Error('the gateway is not running');
    return this.#gateway;
  }

  /** As a service manager does: one whose store is away at that moment does not start, and is started again. */
  async start(): Promise<void> {
    this.#gateway = await waitFor(() => this.#startOnce().catch(unlessStoreIsAway), {
      timeoutMs: START_TIMEOUT_MS,
      what: 'the gateway to start',
    });
    await this.learnWorkers();
  }

  /** Waits until all workers serve, none of them one that was killed, and remembers who they are. */
  async learnWorkers(): Promise<void> {
    await waitFor(
      async () => {
        this.#pids = await this.#servingPids();
        for (const pid of this.#pids) this.#met.add(pid);
        const isWhole = this.#pids.length === this.#setting.workers;
        return isWhole && this.#pids.every((pid) => !this.#killedWorkers.has(pid));
      },
      { timeoutMs: WORKERS_TIMEOUT_MS, what: `${this.#setting.workers} serving workers` },
    );
  }

  killWorker(which: number): void {
    this.#killWorker(this.#worker(which));
  }

  /** The workers live on as orphans: they drain and hand back by themselves. */
  async killSupervisor(): Promise<void> {
    this.#kill(this.gateway.pid);
    await processEnded(this.gateway.program.child);
    await this.start();
  }

  async killTree(): Promise<void> {
    this.killWhole();
    await processEnded(this.gateway.program.child);
    await this.start();
  }

  /** Every process at once; nothing is started. */
  killWhole(): void {
    this.#kill(this.gateway.pid);
    for (const pid of this.#pids) this.#killWorker(pid);
  }

  /** A process that stands still proves nothing: nobody may take its money meanwhile. */
  pauseWorker(which: number, ms: number): Promise<void> {
    return this.#pause(this.#worker(which), ms);
  }

  pauseSupervisor(ms: number): Promise<void> {
    return this.#pause(this.gateway.pid, ms);
  }

  /** As an operator ends it: answers finish, slices go back. */
  async stop(): Promise<void> {
    await this.gateway.stop();
  }

  /** Ends whatever of it still runs, at once. Only processes that it started or met as workers of its supervisors. */
  destroy(): void {
    this.#destroyed = true;
    for (const pid of this.#paused) signal(pid, 'SIGCONT');
    for (const { child } of this.#supervisors) child.kill('SIGKILL');
    for (const pid of this.#met) if (isWorker(pid)) signal(pid, 'SIGKILL');
  }

  /** Resolves when no process of it is left: workers hold the output of the supervisor that started them. */
  async ended(): Promise<void> {
    await Promise.all([...this.#supervisors].map(({ exited }) => exited));
  }

  async admin(path: string, body?: unknown): Promise<unknown> {
    const token = readFileSync(this.gateway.admin_token_file, 'utf8').trim();
    const headers = { authorization: `Bearer ${token}`, 'idempotency-key': crypto.randomUUID() };
    const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const json = { 'content-type': 'application/json' };
    const answer = await fetch(this.gateway.admin + path, {
      ...sent,
      headers: body === undefined ? headers : { ...headers, ...json },
    });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  }

  #startOnce(): Promise<Gateway> {
    const { data, config, workers } = this.#setting;
    return startGateway({
      data,
      args: ['--config', config, '--port', String(this.port), '--workers', String(workers)],
      env: { TOLLKEEPER_LOG_LEVEL: 'error' },
      startTimeoutMs: START_TIMEOUT_MS,
      onSpawn: (program) => this.#adopt(program),
    });
  }

  #adopt(supervisor: ChildProgram): void {
    this.#supervisors.add(supervisor);
    // A restart that was under way when all was to end.
    if (this.#destroyed) supervisor.child.kill('SIGKILL');
  }

  #worker(which: number): number {
    const pid = this.#pids[which % this.#pids.length];
    if (pid === undefined) throw new Error('there is no worker');
    return pid;
  }

  async #pause(pid: number, ms: number): Promise<void> {
    signal(pid, 'SIGSTOP');
    this.#paused.add(pid);
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.#paused.delete(pid);
    signal(pid, 'SIGCONT');
  }

  #kill(pid: number): void {
    process.kill(pid, 'SIGKILL');
    this.#killedSupervisors.add(pid);
  }

  #killWorker(pid: number): void {
    process.kill(pid, 'SIGKILL');
    this.#killedWorkers.add(pid);
    this.#met.delete(pid);
  }

  async #servingPids(): Promise<number[]> {
    const workers = (await this.admin('/admin/workers')) as {
      data: { pid: number; state: string }[];
    };
    return workers.data.filter((worker) => worker.state === 'serving').map((worker) => worker.pid);
  }
}

/** The process itself, not its output: orphaned workers keep that open while they drain. */
function processEnded(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
  });
}

/** A number that was a worker's may be somebody else's by now. */
function isWorker(pid: number): boolean {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return command.includes('worker') && command.some((part) => part.endsWith('main.js'));
  } catch {
    return false;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

function unlessStoreIsAway(error: unknown): undefined {
  if (!String(error).includes('PostgreSQL does not answer')) throw error;
}
