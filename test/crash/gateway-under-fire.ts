import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { freePort } from '../support/free-port.ts';
import { type Gateway, startGateway } from '../support/start-gateway.ts';
import { waitFor } from '../support/wait-for.ts';

/** A gateway on a fixed port that is killed and started again on the same data. */
export class GatewayUnderFire {
  readonly port: number;
  readonly #data: string;
  readonly #config: string;
  #gateway: Gateway | undefined;
  #pids: readonly number[] = [];
  readonly #killed = new Set<number>();

  constructor(options: { port: number; data: string; config: string }) {
    this.port = options.port;
    this.#data = options.data;
    this.#config = options.config;
  }

  static async create(data: string, config: string): Promise<GatewayUnderFire> {
    return new GatewayUnderFire({ port: await freePort(), data, config });
  }

  get killedProcesses(): number {
    return this.#killed.size;
  }

  get gateway(): Gateway {
    if (this.#gateway === undefined) throw new Error('the gateway is not running');
    return this.#gateway;
  }

  async start(): Promise<void> {
    this.#gateway = await startGateway({
      config: this.#config,
      data: this.#data,
      args: ['--port', String(this.port), '--workers', '2'],
      env: { TOLLKEEPER_LOG_LEVEL: 'error' },
      startTimeoutMs: 30_000,
    });
    await this.learnWorkers();
  }

  /** Waits until two workers serve, and remembers who they are. */
  async learnWorkers(): Promise<void> {
    await waitFor(
      async () => {
        this.#pids = await this.#servingPids();
        return this.#pids.length === 2 && this.#pids.every((pid) => !this.#killed.has(pid));
      },
      { timeoutMs: 15_000, what: 'two serving workers' },
    );
  }

  killWorker(which: number): void {
    const pid = this.#pids[which % this.#pids.length];
    if (pid === undefined) throw new Error('no worker to kill');
    this.#kill(pid);
  }

  /** The workers live on as orphans: they drain and hand back by themselves. */
  async killSupervisor(): Promise<void> {
    this.#kill(this.gateway.pid);
    await processEnded(this.gateway.program.child);
    await this.start();
  }

  async killTree(): Promise<void> {
    for (const pid of [this.gateway.pid, ...this.#pids]) this.#kill(pid);
    await processEnded(this.gateway.program.child);
    await this.start();
  }

  async admin(path: string): Promise<unknown> {
    const token = readFileSync(this.gateway.admin_token_file, 'utf8').trim();
    const answer = await fetch(this.gateway.admin + path, {
      headers: { authorization: `Bearer ${token}` },
    });
    return answer.json();
  }

  #kill(pid: number): void {
    process.kill(pid, 'SIGKILL');
    this.#killed.add(pid);
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
