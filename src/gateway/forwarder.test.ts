import { describe, expect, it } from 'vitest';

import { ManualClock } from '../../test/support/manual-clock.ts';
import type { Target } from '../domain/catalog.ts';
import { UpstreamPool } from './balancer.ts';
import { Forwarder, NO_TARGET } from './forwarder.ts';
import type {
  UpstreamCall,
  UpstreamClient,
  UpstreamFailure,
  UpstreamReceiver,
  UpstreamRequest,
} from './upstream.ts';

/** One call as the transport got it; the test plays the upstream. */
interface Sent extends UpstreamCall {
  readonly request: UpstreamRequest;
  readonly receiver: UpstreamReceiver;
  resumed: number;
  aborted: number;
}

class ScriptedClient implements UpstreamClient {
  readonly sent: Sent[] = [];
  send(request: UpstreamRequest, receiver: UpstreamReceiver): UpstreamCall {
    const call: Sent = {
      request,
      receiver,
      resumed: 0,
      aborted: 0,
      resume: () => (call.resumed += 1),
      abort: () => (call.aborted += 1),
    };
    this.sent.push(call);
    return call;
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
  get last(): Sent {
    const call = this.sent.at(-1);
    if (call === undefined) throw new Error('nothing was sent');
    return call;
  }
}

class Caller implements UpstreamReceiver {
  readonly events: string[] = [];
  takes = true;
  /** It fails at what it gets. */
  fails = false;
  onHead(status: number): void {
    this.#note(`head ${status}`);
  }
  onChunk(chunk: Buffer): boolean {
    this.#note(chunk.toString());
    return this.takes;
  }
  onEnd(): void {
    this.#note('end');
  }
  onFailure(failure: UpstreamFailure): void {
    this.#note(`${failure.kind}: ${failure.message}`);
  }
  #note(event: string): void {
    this.events.push(event);
    if (this.fails) throw new Error(`at ${event}`);
  }
}

const failure = (members: Partial<UpstreamFailure>): UpstreamFailure => ({
  kind: 'connect',
  sent: false,
  message: 'refused',
  ...members,
});

function open(...targets: readonly Target[]) {
  const client = new ScriptedClient();
  const caller = new Caller();
  const pool = new UpstreamPool({
    upstream: {
      id: 'main',
      targets,
      health: { path: undefined, intervalMs: 1, timeoutMs: 1, unhealthyAfter: 2, healthyAfter: 1 },
      credentials: [],
    },
    clock: new ManualClock(),
  });
  const forwarder = new Forwarder(
    client,
    pool,
    {
      method: 'POST',
      path: '/x?y=1',
      headers: ['A', 'b'],
      sharedHeaders: ['C', 'd'],
      body: Buffer.from('body'),
      timeouts: { connectMs: 1, headersMs: 2, idleMs: 3 },
      onFault: (error) => caller.events.push(String(error)),
    },
    caller,
  );
  return { client, caller, pool, forwarder };
}

const A: Target = { url: 'http://a.test:9000/base', weight: 1 };
const B: Target = { url: 'http://b.test', weight: 1 };

describe('Forwarder (GW-06)', () => {
  it('sends to the target below its base path, with its Host, and passes everything on', () => {
    const { client, caller, forwarder } = open(A);
    expect(forwarder.target).toBeUndefined();
    forwarder.start();
    expect(forwarder.target).toBe(A);
    expect(client.last.request).toEqual({
      origin: 'http://a.test:9000',
      method: 'POST',
      path: '/base/x?y=1',
      headers: ['Host', 'a.test:9000', 'A', 'b'],
      sharedHeaders: ['C', 'd'],
      body: Buffer.from('body'),
      connectTimeoutMs: 1,
      headersTimeoutMs: 2,
      idleTimeoutMs: 3,
    });
    const { receiver } = client.last;
    receiver.onHead(500, []);
    expect(receiver.onChunk(Buffer.from('one'))).toBe(true);
    caller.takes = false;
    expect(receiver.onChunk(Buffer.from('two'))).toBe(false);
    forwarder.resume();
    receiver.onEnd();
    expect(caller.events).toEqual(['head 500', 'one', 'two', 'end']);
    expect(client.last.resumed).toBe(1);
  });

  it('tries one other target when nothing was sent, and only one', () => {
    const { client, caller, forwarder } = open(A, B, { url: 'http://c.test', weight: 1 });
    forwarder.start();
    const first = forwarder.target;
    client.last.receiver.onFailure(failure({}));
    expect(client.sent).toHaveLength(2);
    expect(forwarder.target).not.toBe(first);
    client.last.receiver.onFailure(failure({ message: 'again' }));
    expect(client.sent).toHaveLength(2);
    expect(caller.events).toEqual(['connect: again']);
  });

  it.each<[string, Partial<UpstreamFailure>, boolean]>([
    ['bytes were sent: they may have been acted on', { kind: 'reset', sent: true }, true],
    ['the client broke its own body', { kind: 'client-body', sent: false }, false],
    ['the call was cancelled', { kind: 'aborted', sent: false }, false],
  ])('does not try again when %s', (_what, members, blamed) => {
    const { client, caller, pool, forwarder } = open(A, B);
    for (let round = 0; round < 2; round += 1) {
      forwarder.start();
      client.last.receiver.onFailure(failure(members));
    }
    expect(client.sent).toHaveLength(2);
    expect(caller.events).toHaveLength(2);
    // Each target has failed once at most: neither is down, whoever was to blame.
    expect(pool.readHealth().every(({ healthy }) => healthy)).toBe(true);
    const next = open(A, B);
    next.pool.reportFailure(A);
    next.forwarder.start();
    expect(next.forwarder.target).toBe(A);
    next.client.last.receiver.onFailure(failure(members));
    expect(next.pool.readHealth()).toContainEqual({ target: A, healthy: !blamed });
  });

  it('a failure after the head is passed on: the answer has begun', () => {
    const { client, caller, forwarder } = open(A, B);
    forwarder.start();
    client.last.receiver.onHead(200, []);
    client.last.receiver.onFailure(failure({ kind: 'reset' }));
    expect(client.sent).toHaveLength(1);
    expect(caller.events).toEqual(['head 200', 'reset: refused']);
  });

  it('an aborted call is aborted at the upstream, blames no target and is not tried again', () => {
    const { client, caller, pool, forwarder } = open(A, B);
    forwarder.start();
    const target = forwarder.target ?? A;
    pool.reportFailure(target);
    forwarder.abort();
    expect(client.last.aborted).toBe(1);
    client.last.receiver.onFailure(failure({ kind: 'connect' }));
    expect([client.sent.length, caller.events]).toEqual([1, ['connect: refused']]);
    expect(pool.readHealth().every(({ healthy }) => healthy)).toBe(true);
  });

  it.each<[string, (receiver: UpstreamReceiver) => unknown]>([
    ['head 200', (receiver) => receiver.onHead(200, [])],
    ['chunk', (receiver) => receiver.onChunk(Buffer.from('chunk'))],
    ['end', (receiver) => receiver.onEnd()],
    ['reset: refused', (receiver) => receiver.onFailure(failure({ kind: 'reset', sent: true }))],
  ])('a fault at %s ends this call and never reaches the transport', (event, send) => {
    const { client, caller, forwarder } = open(A);
    forwarder.start();
    caller.fails = true;
    send(client.last.receiver);
    expect(caller.events).toEqual([event, `Error: at ${event}`]);
    expect(client.last.aborted).toBe(1);
  });

  it.each([
    ['at the start', [], 0],
    ['for the second try', [A], 1],
  ])('says so when there is no target %s', (_when, targets, sent) => {
    const { client, caller, forwarder } = open(...targets);
    forwarder.resume();
    forwarder.start();
    if (sent > 0) client.last.receiver.onFailure(failure({}));
    expect(client.sent).toHaveLength(sent);
    expect(caller.events).toEqual([`connect: ${NO_TARGET.message}`]);
    forwarder.abort();
  });
});
