import { createServer, type Socket } from 'node:net';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { LAXER_ANSWERS, STRICTER_ANSWERS } from '../../../test/support/transport-disagreements.ts';
import { createUndiciClient } from '../undici/undici-client.ts';
import { call, listen, type Upstream } from '../upstream-fixture.conformance.ts';
import type { UpstreamClient } from '../upstream.ts';
import { createSocketClient } from './socket-client.ts';

/** Runs take a few seconds; `FUZZ_RUNS=100000` looks longer. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 800);

/** What a client made of an answer. Of one that failed only that counts: where it stopped is its own affair. */
type Outcome =
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'whole'; readonly answer: string };

const NASTY = [
  ...['\r', '\n', '\r\n', '\r\n\r\n', '\0', ' ', '\t', ':', ';', ',', '"', '0', '1', 'a', '\x7f'],
  ...['\xff', 'chunked', 'HTTP/1.1', 'Content-Length: 1\r\n', 'Transfer-Encoding: chunked\r\n'],
  ...['5\r\nhello\r\n', '0\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n'],
];

const interim = fc.constantFrom(
  '',
  '',
  '',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 103 Hints\r\nLink: a\r\n\r\n',
  'HTTP/1.0 103 Hints\r\nLink: a\r\n\r\n',
  'HTTP/1.0 103 Hints\r\nConnection: keep-alive\r\n\r\n',
);
const line = fc.constantFrom(
  ...Array.from({ length: 10 }, () => 'HTTP/1.1 200 OK'),
  ...[
    'HTTP/1.0 200 OK',
    'HTTP/1.1 404',
    'HTTP/1.1 204 No',
    'HTTP/1.1 304 Not',
    'HTTP/1.1 500 \xe4',
  ],
  ...[
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/2.0 200 OK',
    'http/1.1 200 OK',
    'HTTP/1.1  200 OK',
  ],
);
const field = fc.constantFrom(
  ...[
    'X: y',
    'X:y',
    'x-a:\t b ',
    'X:',
    'X: \xe4',
    'X : y',
    ' X: y',
    'X',
    'X: \x01',
    'Connection: close',
  ],
  ...['Connection: keep-alive', 'Keep-Alive: timeout=5', 'Set-Cookie: a', 'Set-Cookie: b'],
);
const framing = fc.constantFrom(
  ...['Content-Length: 5', 'Content-Length: 5', 'Transfer-Encoding: chunked', 'X-None: 1'],
  ...['Content-Length: 0', 'Content-Length: 4', 'Content-Length: +5', 'Content-Length: 5, 5'],
  ...['Transfer-Encoding: Chunked', 'Transfer-Encoding: gzip', 'Transfer-Encoding: gzip, chunked'],
  ...['Content-Length: 5\r\nTransfer-Encoding: chunked', 'Content-Length: 5\r\nContent-Length: 5'],
);
const body = fc.constantFrom(
  ...[
    'hello',
    'hello',
    'hell',
    '',
    '5\r\nhello\r\n0\r\n\r\n',
    '5\r\nhello\r\n0\r\n\r\n',
    '0\r\n\r\n',
  ],
  ...['5;a=b\r\nhello\r\n0\r\n\r\n', '5\nhello\r\n0\r\n\r\n', '5\r\nhello\r\n0\r\nX: y\r\n\r\n'],
  ...['0\r\nContent-Length: 5\r\n\r\n', '0\r\nTransfer-Encoding: x\r\n\r\n'],
  ...['5\r\nhello\r\n', '6\r\nhello\r\n0\r\n\r\n', '1\r\na\r\nA\r\n0123456789\r\n0\r\n\r\n'],
);
const mutation = fc.record({
  at: fc.nat({ max: 200 }),
  removes: fc.constantFrom(0, 0, 1, 1, 2, 9),
  inserts: fc.constantFrom('', '', ...NASTY),
});
const answers = fc.record({
  parts: fc.tuple(interim, line, fc.array(field, { maxLength: 3 }), framing, body),
  mutations: fc.array(mutation, { maxLength: 2 }),
  cut: fc.nat({ max: 200 }),
});

type Answer = typeof answers extends fc.Arbitrary<infer Value> ? Value : never;

function render({ parts, mutations }: Answer): string {
  const [first, status, fields, frame, content] = parts;
  let text = first + [status, ...fields, frame, '', content].join('\r\n');
  for (const { at, removes, inserts } of mutations) {
    const from = at % (text.length + 1);
    text = text.slice(0, from) + inserts + text.slice(from + removes);
  }
  return text;
}

async function ask(client: UpstreamClient, origin: string, path: string): Promise<Outcome> {
  const outcome = call(client, { origin, path });
  await outcome.done;
  const { status, headers, body: content, failure } = outcome;
  if (failure !== undefined) return { kind: 'failed', message: failure.message };
  // undici leaves the blanks behind a value; they are not part of it (RFC 9110 5.5).
  const trimmed = headers.map((text) => text.replace(/[\t ]+$/, ''));
  return { kind: 'whole', answer: JSON.stringify([status, trimmed, content]) };
}

/** Undefined: the two agree, or differ in a way that is explained above. */
function explainDifference(bytes: string, ours: Outcome, theirs: Outcome): string | undefined {
  if (ours.kind === 'failed') {
    const { message } = ours;
    if (theirs.kind === 'failed' || STRICTER_ANSWERS.some(({ says }) => says.test(message)))
      return undefined;
  } else if (theirs.kind === 'failed') {
    if (LAXER_ANSWERS.some((rule) => rule.bytes.test(bytes))) return undefined;
  } else if (ours.answer === theirs.answer) return undefined;
  return `${JSON.stringify(bytes)}\nours:   ${JSON.stringify(ours)}\ntheirs: ${JSON.stringify(theirs)}`;
}

describe('the same answer to our client and to undici', () => {
  /** What is said at which path, and where it is cut. */
  const texts = new Map<string, { readonly text: string; readonly cut: number }>();
  let upstream: Upstream;
  beforeAll(async () => {
    upstream = await listen(
      createServer((socket) => {
        socket.once('data', (request) => say(socket, /^GET (\S+)/.exec(request.toString())?.[1]));
      }),
    );
  });
  const clients = [createSocketClient(), createUndiciClient()] as const;
  afterAll(() => Promise.all(clients.map((client) => client.close())));

  function say(socket: Socket, path = ''): void {
    const answer = texts.get(path);
    if (answer === undefined) throw new Error(`no answer for ${path}`);
    const { text, cut } = answer;
    socket.write(text.slice(0, cut), 'latin1');
    setImmediate(() => socket.end(text.slice(cut), 'latin1'));
  }

  let count = 0;
  async function askBoth(text: string, cut: number): Promise<readonly [Outcome, Outcome]> {
    count += 1;
    const path = `/${count}`;
    texts.set(path, { text, cut });
    const outcomes = await Promise.all([
      ask(clients[0], upstream.origin, path),
      ask(clients[1], upstream.origin, path),
    ]);
    texts.delete(path);
    return outcomes;
  }

  it('is read alike, or differs as listed', { timeout: 30_000 + RUNS * 20 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(answers, { minLength: 10, maxLength: 10 }), async (batch) => {
        const problems = await Promise.all(
          batch.map(async (answer) => {
            const text = render(answer);
            const [ours, theirs] = await askBoth(text, answer.cut);
            return explainDifference(text, ours, theirs);
          }),
        );
        expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
      }),
      { numRuns: Math.ceil(RUNS / 10) },
    );
  });

  it.each(STRICTER_ANSWERS)('only undici takes $what', async ({ example, says }) => {
    const [ours, theirs] = await askBoth(example, example.length);
    expect(ours).toEqual({ kind: 'failed', message: expect.stringMatching(says) });
    expect(theirs.kind).toBe('whole');
  });

  it.each(LAXER_ANSWERS)('only ours takes $what', async ({ example, bytes }) => {
    const [ours, theirs] = await askBoth(example, example.length);
    expect([ours.kind, theirs.kind]).toEqual(['whole', 'failed']);
    expect(example).toMatch(bytes);
  });
});
