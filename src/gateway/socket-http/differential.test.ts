import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { RawConnection } from '../../../test/support/raw-connection.ts';
import {
  LAXER_REQUESTS,
  REFUSED_BY_BOTH,
  STRICTER_REQUESTS,
} from '../../../test/support/transport-disagreements.ts';
import { waitFor } from '../../../test/support/wait-for.ts';
import type { Listener, ListenerOptions, RequestHandler } from '../listener.ts';
import { inspectRequest } from '../node-http/inspect-request.ts';
import { createNodeHttpListener } from '../node-http/node-http-listener.ts';
import { createSocketListener } from './socket-listener.ts';

/** Runs take a few seconds; `FUZZ_RUNS=100000` looks longer. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 1500);
/** Turns of the event loop without a byte, after which a server has said all it will. */
const QUIET_TURNS = 12;
const HEAD_END = '\r\n\r\n';

/** What a parser made of the bytes. */
interface Outcome {
  /** Requests it read whole, in order. */
  readonly served: readonly string[];
  /** It will read no more on this connection. */
  readonly ended: boolean;
  /** It will not once the line and the head are whole: one parser refuses at the wrong byte, the other at the line. */
  readonly endsWithHead: boolean;
  /** Why it refused what came behind them; empty when it did not, or did not say. */
  readonly refusal: string;
}

function describeRequest(
  request: {
    readonly method: string;
    readonly target: string;
    readonly headers: readonly string[];
  },
  body: string,
): string {
  return JSON.stringify([request.method, request.target, request.headers, body]);
}

const handler: RequestHandler = (request, response) => {
  let body = '';
  request.readBody({
    onChunk: (chunk) => {
      body += chunk.toString('latin1');
    },
    onEnd: () => {
      const saw = Buffer.from(describeRequest(request, body)).toString('base64url');
      response.writeHead(200, ['X-Saw', saw]);
      response.end();
    },
    onError: () => {},
  });
};

const OPTIONS: ListenerOptions = {
  host: '127.0.0.1',
  port: 0,
  tls: undefined,
  headerBytesMax: 16 * 1024,
  headersTimeoutMs: 30_000,
  keepAliveTimeoutMs: 30_000,
  connectionsMax: 100,
  renderProtocolError: ({ reason }) => ({ headers: ['X-Refusal', reason], body: '' }),
};

interface OutcomeSoFar {
  served: string[];
  ended: boolean;
  refusal: string;
}

interface Reference {
  readonly server: Server;
  /** What it made of each connection, by the client's port. */
  readonly outcomes: ReadonlyMap<number, OutcomeSoFar>;
}

/** node:http with the checks of node-http/, judged by what it read: its answers may not reach a client it refuses. */
async function startReference(): Promise<Reference> {
  const server = createServer({ insecureHTTPParser: false, requireHostHeader: false });
  const outcomes = new Map<number, OutcomeSoFar>();
  const bySocket = new WeakMap<Socket, OutcomeSoFar>();
  server.on('connection', (socket: Socket) => {
    const outcome: OutcomeSoFar = { served: [], ended: false, refusal: '' };
    bySocket.set(socket, outcome);
    outcomes.set(socket.remotePort ?? 0, outcome);
  });
  const outcomeOf = (socket: Socket): OutcomeSoFar =>
    bySocket.get(socket) ?? { served: [], ended: true, refusal: '' };
  const refuse = (socket: Socket, reason: string): void => {
    const outcome = outcomeOf(socket);
    if (outcome.ended) return;
    outcome.ended = true;
    outcome.refusal = reason;
  };
  const receive = (request: IncomingMessage, response: ServerResponse): void => {
    const outcome = outcomeOf(request.socket);
    const framing = inspectRequest(request);
    if (typeof framing === 'object') refuse(request.socket, framing.reason);
    if (outcome.ended) return;
    let body = '';
    request.setEncoding('latin1').on('data', (part: string) => (body += part));
    request.on('end', () => {
      const { method = '', url: target = '', rawHeaders: headers } = request;
      outcome.served.push(describeRequest({ method, target, headers }, body));
      response.end();
      if (!response.shouldKeepAlive) refuse(request.socket, 'close');
    });
  };
  server.on('request', receive);
  server.on('checkContinue', (request, response) => {
    response.writeContinue();
    receive(request, response);
  });
  server.on('checkExpectation', (request) => refuse(request.socket, 'expectation'));
  server.on('connect', (request) => refuse(request.socket, 'CONNECT'));
  server.on('clientError', (error: Error & { reason?: string }, socket) => {
    refuse(socket as Socket, error.reason ?? error.message);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, outcomes };
}

/** Waits until the server has said all it will. @returns whether it ended the connection. */
async function hasEnded(connection: RawConnection): Promise<boolean> {
  let length = -1;
  for (let quiet = 0; quiet < QUIET_TURNS && !connection.socket.readableEnded; quiet += 1) {
    if (connection.received.length !== length) quiet = 0;
    length = connection.received.length;
    await nextTurn();
  }
  return connection.socket.readableEnded;
}

async function send(port: number, packets: readonly string[]): Promise<RawConnection> {
  const connection = await RawConnection.open(port, true);
  for (const packet of packets) {
    await connection.write(packet);
    await nextTurn();
  }
  return connection;
}

async function askOurs(port: number, packets: readonly string[]): Promise<Outcome> {
  const connection = await send(port, packets);
  const ended = await hasEnded(connection);
  const { received } = connection;
  const served = Array.from(received.matchAll(/^X-Saw: (.*)\r$/gm), ([, text]) =>
    Buffer.from(text ?? '', 'base64url').toString(),
  );
  const refusal = /^X-Refusal: (.*)\r$/m.exec(received)?.[1] ?? '';
  await connection.write(HEAD_END);
  const endsWithHead = await hasEnded(connection);
  connection.destroy();
  return { served, ended, endsWithHead, refusal };
}

async function askReference(reference: Reference, packets: readonly string[]): Promise<Outcome> {
  const { port } = reference.server.address() as AddressInfo;
  const connection = await send(port, packets);
  const { localPort = 0 } = connection.socket;
  await hasEnded(connection);
  const outcome = reference.outcomes.get(localPort);
  if (outcome === undefined) throw new Error('the reference saw no connection');
  const { ended, refusal } = outcome;
  const served = [...outcome.served];
  await connection.write(HEAD_END);
  await hasEnded(connection);
  const endsWithHead = outcome.ended;
  connection.destroy();
  return { served, ended, endsWithHead, refusal };
}

const NASTY = [
  ...['\r', '\n', '\r\n', '\r\n\r\n', '\0', ' ', '\t', ':', ';', ',', '"', '0', '1', 'a', 'x'],
  ...['\x7f', '\x80', '\xff', '/', '#', '?', '%00', 'chunked', 'close', 'HTTP/1.1', 'Host: b\r\n'],
  ...['Content-Length: 1\r\n', 'Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n', '0\r\n\r\n'],
];

const method = fc.constantFrom('GET', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'M-SEARCH', 'BREW', 'get');
const target = fc.constantFrom('/', '/a?b=c', '/%20', '/\xe4', '*', 'http://a/', '/a#b', 'a', '//');
const version = fc.constantFrom(
  ...Array.from({ length: 12 }, () => 'HTTP/1.1'),
  'HTTP/1.0',
  'HTTP/2.0',
  'HTTP/1.10',
  'http/1.1',
  '',
);
const field = fc.constantFrom(
  ...[
    'X: y',
    'X:y',
    'x-a:\t b ',
    'Cookie: a=b; c="d"',
    'X:',
    'Accept: \xe4',
    'X : y',
    ' X: y',
    'X',
  ],
  ...['Connection: close', 'Connection: keep-alive', 'Connection: x, close', 'TE: trailers'],
  ...[
    'Expect: 100-continue',
    'Expect: x',
    'Upgrade: h2c',
    'Upgrade: websocket',
    'Host: b',
    'X: \x01',
  ],
  ...['Content-Length: 5', 'Content-Length: 0', 'Content-Length: 05', 'Content-Length: 5, 5'],
  ...['Content-Length: +5', 'content-length: 5 ', 'Content-Length: ', 'Content-Length: 0x5'],
  ...['Transfer-Encoding: chunked', 'Transfer-Encoding: Chunked', 'Transfer-Encoding: gzip'],
  ...['Transfer-Encoding: chunked, chunked', 'Transfer-Encoding:\tchunked', 'Transfer-Encoding: ,'],
);
const host = fc.constantFrom(
  'Host: a',
  'Host: a',
  'Host: a',
  'Host:',
  'Host: a b',
  'host: [::1]:80',
  'X: y',
);
const chunk = fc.constantFrom(
  ...[
    '5\r\nhello\r\n',
    '1\r\na\r\n',
    'A\r\n0123456789\r\n',
    '005\r\nhello\r\n',
    '5;a=b\r\nhello\r\n',
  ],
  ...[
    '5;a="b;c"\r\nhello\r\n',
    '5 ;a\r\nhello\r\n',
    '5\nhello\r\n',
    '5\r\nhello\n',
    '+5\r\nhello\r\n',
  ],
  ...[
    '0x5\r\nhello\r\n',
    '5;\r\nhello\r\n',
    '5;a=\r\nhello\r\n',
    '6\r\nhello\r\n',
    '4\r\nhello\r\n',
  ],
);
const last = fc.constantFrom(
  '0\r\n\r\n',
  '0\r\n\r\n',
  '0\r\nX: y\r\n\r\n',
  '0;a\r\n\r\n',
  '0\r\nX\r\n\r\n',
  '0\r\nContent-Length: 5\r\n\r\n',
  '0\r\ntransfer-encoding: chunked\r\n\r\n',
  '',
);
const body = fc.oneof(
  fc.constantFrom('', '', 'hello', 'hell'),
  fc.tuple(fc.array(chunk, { maxLength: 3 }), last).map(([chunks, end]) => chunks.join('') + end),
);

const wellFormed = fc
  .tuple(method, target, version, host, fc.array(field, { maxLength: 4 }), body)
  .map(([verb, path, protocol, first, fields, content]) =>
    [`${verb} ${path} ${protocol}`, first, ...fields, '', content].join('\r\n'),
  );

interface Mutation {
  readonly at: number;
  readonly removes: number;
  readonly inserts: string;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat({ max: 400 }),
  removes: fc.constantFrom(0, 0, 1, 1, 2, 9),
  inserts: fc.constantFrom('', '', ...NASTY),
});

const input = fc.record({
  requests: fc.array(wellFormed, { minLength: 1, maxLength: 3 }),
  mutations: fc.array(mutation, { maxLength: 2 }),
  cuts: fc.array(fc.nat({ max: 300 }), { maxLength: 2 }),
});

function mutate(text: string, mutations: readonly Mutation[]): string {
  let mutated = text;
  for (const { at, removes, inserts } of mutations) {
    const from = at % (mutated.length + 1);
    mutated = mutated.slice(0, from) + inserts + mutated.slice(from + removes);
  }
  return mutated;
}

function cut(text: string, cuts: readonly number[]): readonly string[] {
  const places = [0, ...cuts.filter((at) => at > 0 && at < text.length), text.length];
  places.sort((one, other) => one - other);
  return places
    .slice(1)
    .map((to, index) => text.slice(places[index], to))
    .filter(Boolean);
}

/** Undefined: the two agree, or differ in a way that is explained above. */
function explainDifference(bytes: string, ours: Outcome, theirs: Outcome): string | undefined {
  const same = JSON.stringify(ours.served) === JSON.stringify(theirs.served);
  if (same && (ours.ended === theirs.ended || (ours.endsWithHead && theirs.endsWithHead))) {
    return undefined;
  }
  const stricter = STRICTER_REQUESTS.some(({ says }) => says.test(ours.refusal));
  const isPrefix = ours.served.every((text, index) => text === theirs.served[index]);
  if (stricter && isPrefix) return undefined;
  if (LAXER_REQUESTS.some((rule) => rule.bytes.test(bytes))) return undefined;
  return `${JSON.stringify(bytes)}\nours:   ${JSON.stringify(ours)}\ntheirs: ${JSON.stringify(theirs)}`;
}

describe('the same bytes to our listener and to node:http', () => {
  const ours = createSocketListener(OPTIONS, handler);
  let reference: Reference;
  let port = 0;
  beforeAll(async () => {
    reference = await startReference();
    ({ port } = await ours.listen());
  });
  afterAll(async () => {
    reference.server.closeAllConnections();
    reference.server.close();
    await ours.drain(0);
  });

  it('serve the same requests, or differ as listed', { timeout: 30_000 + RUNS * 20 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(input, { minLength: 10, maxLength: 10 }), async (batch) => {
        const problems = await Promise.all(
          batch.map(async ({ requests, mutations, cuts }) => {
            const bytes = mutate(requests.join(''), mutations);
            const packets = cut(bytes, cuts);
            const [one, other] = await Promise.all([
              askOurs(port, packets),
              askReference(reference, packets),
            ]);
            return explainDifference(bytes, one, other);
          }),
        );
        expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
      }),
      { numRuns: Math.ceil(RUNS / 10) },
    );
  });

  it.each(STRICTER_REQUESTS)('only the reference serves $what', async ({ example, says }) => {
    const [one, other] = await Promise.all([
      askOurs(port, [example]),
      askReference(reference, [example]),
    ]);
    expect(one).toMatchObject({ served: [], refusal: expect.stringMatching(says) });
    expect(other.served).toHaveLength(1);
    expect(explainDifference(example, one, other)).toBeUndefined();
  });

  it.each(LAXER_REQUESTS)('only ours serves $what', async ({ example, bytes }) => {
    const [one, other] = await Promise.all([
      askOurs(port, [example]),
      askReference(reference, [example]),
    ]);
    expect(one.served).toHaveLength(1);
    expect(other.served).toEqual([]);
    expect(example).toMatch(bytes);
  });
});

describe('what node:http leaves to its user', () => {
  it.each(REFUSED_BY_BOTH)('serves $what, and neither of ours does', async ({ example }) => {
    const bare = createServer((request, response) => {
      request.resume().on('end', () => response.end());
    });
    await new Promise<void>((resolve) => bare.listen(0, '127.0.0.1', resolve));
    const [ours, standard] = [createSocketListener, createNodeHttpListener].map((create) =>
      create(OPTIONS, handler),
    );
    if (ours === undefined || standard === undefined) throw new Error('there are two');
    const { port } = bare.address() as AddressInfo;
    const connection = await send(port, [example]);
    await waitFor(() => connection.received.includes(HEAD_END), { timeoutMs: 5000, what: 'it' });
    expect(connection.received).toMatch(/^HTTP\/1\.1 200 /);
    connection.destroy();
    const expectRefusal = async (listener: Listener): Promise<void> => {
      const refused = await send((await listener.listen()).port, [example]);
      await waitFor(() => refused.received.includes(HEAD_END), { timeoutMs: 5000, what: 'ours' });
      expect(refused.received).toMatch(/^HTTP\/1\.1 4\d\d [^]*^X-Refusal: ./m);
      refused.destroy();
      await listener.drain(0);
    };
    await Promise.all([expectRefusal(ours), expectRefusal(standard)]);
    bare.closeAllConnections();
    bare.close();
  });
});
