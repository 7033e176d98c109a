import { Agent, request as httpRequest } from 'node:http';

/** What one call got, as its caller saw it. */
export interface ServedCall {
  /** 0 = no answer at all. */
  readonly status: number;
  /** Tokens that reached the caller: all of a whole answer, or those of a stream so far. */
  readonly units: number;
  readonly complete: boolean;
}

export interface CallPlan {
  readonly port: number;
  readonly key: string;
  /** Tokens the upstream shall answer with. */
  readonly units: number;
  readonly stream: boolean;
}

/** Keeps what callers received, independently of everything the gateway writes down. */
export class ServedRecord {
  answers = 0;
  units = 0;
  streams = 0;
  refused = 0;
  failed = 0;
  inFlight = 0;
  calls = 0;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 512, timeout: 30_000 });

  async call(plan: CallPlan): Promise<ServedCall> {
    this.inFlight += 1;
    this.calls += 1;
    if (plan.stream) this.streams += 1;
    const served = await callOnce(plan, this.#agent);
    this.inFlight -= 1;
    if (served.status === 200 && (served.units > 0 || served.complete)) {
      this.answers += 1;
      this.units += served.units;
    } else if (served.status === 402) this.refused += 1;
    else this.failed += 1;
    return served;
  }

  close(): void {
    this.#agent.destroy();
  }
}

function callOnce(plan: CallPlan, agent: Agent): Promise<ServedCall> {
  const body = JSON.stringify({
    model: 'units',
    max_tokens: plan.units,
    stream: plan.stream,
    messages: [{ role: 'user', content: 'x' }],
  });
  return new Promise((resolve) => {
    let status = 0;
    let text = '';
    const finish = (complete: boolean): void =>
      resolve({ status, units: countUnits(plan, text), complete });
    const outgoing = httpRequest(
      {
        agent,
        host: '127.0.0.1',
        port: plan.port,
        path: '/v1/chat/completions',
        method: 'POST',
        timeout: 20_000,
        headers: {
          authorization: `Bearer ${plan.key}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'x-echo-tokens': String(plan.units),
        },
      },
      (answer) => {
        status = answer.statusCode ?? 0;
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => {
          text += chunk;
        });
        answer.on('end', () => finish(true));
        answer.on('error', () => finish(false));
        answer.on('close', () => finish(false));
      },
    );
    outgoing.on('timeout', () => outgoing.destroy());
    outgoing.on('error', () => finish(false));
    outgoing.end(body);
  });
}

/** A stream's tokens are its content deltas; a whole answer that has begun to arrive was written whole. */
function countUnits(plan: CallPlan, text: string): number {
  if (!plan.stream) return text === '' ? 0 : plan.units;
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: {') && /"content":"[^"]/.test(line)).length;
}
