import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { describe, expect, it, vi } from 'vitest';

import { TEST_CERTIFICATE } from '../../test/support/test-certificate.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import {
  type CreateClient,
  call,
  listen,
  ScriptedBody,
  startHttp,
  startRaw,
  takeSlowly,
  WAIT_MS,
} from './upstream-fixture.conformance.ts';

function reset(socket: Socket): void {
  socket.resetAndDestroy();
}

/** What an UpstreamClient does with bodies that come slower or faster than they are read. */
export function describeBodies(createClient: CreateClient): void {
  describe('bodies still arriving', () => {
    it.each([
      [
        'of a known length goes with Content-Length',
        10,
        ['content-length', '10'],
        'content-length',
      ],
      ['of unknown length goes chunked', -1, [], 'transfer-encoding'],
    ])('%s', async (_name, length, headers, framing) => {
      let seen: IncomingMessage | undefined;
      let received = '';
      const upstream = await startHttp((request, response) => {
        seen = request;
        request.on('data', (chunk: Buffer) => (received += chunk.toString()));
        request.on('end', () => response.end('ok'));
      });
      const body = new ScriptedBody(length);
      const outcome = call(createClient(), {
        origin: upstream.origin,
        method: 'POST',
        headers,
        body,
      });
      const sink = await body.begun();
      sink.onChunk(Buffer.from('hello'));
      await waitFor(() => received === 'hello', { timeoutMs: WAIT_MS, what: 'the first chunk' });
      sink.onChunk(Buffer.from('world'));
      sink.onEnd();
      await outcome.done;
      expect(received).toBe('helloworld');
      expect(seen?.headers[framing]).toBeDefined();
    });

    it('is paused while the upstream does not read, and resumed when it does', async () => {
      let request: IncomingMessage | undefined;
      let received = 0;
      const upstream = await startHttp((incoming, response) => {
        request = incoming;
        incoming.pause();
        incoming.on('end', () => response.end('ok'));
      });
      const body = new ScriptedBody(-1);
      const outcome = call(createClient(), { origin: upstream.origin, method: 'POST', body });
      const sink = await body.begun();
      const chunk = Buffer.alloc(256 * 1024);
      let given = 0;
      const total = 64;
      // The part of node-http/: chunks come while not paused.
      const feed = setInterval(() => {
        if (body.pauses > body.resumes || given === total) return;
        given += 1;
        sink.onChunk(chunk);
        if (given === total) sink.onEnd();
      }, 1);
      await waitFor(() => body.pauses > body.resumes && request, {
        timeoutMs: WAIT_MS,
        what: 'a pause',
      });
      request?.on('data', (data: Buffer) => (received += data.length));
      request?.resume();
      await outcome.done;
      clearInterval(feed);
      expect(received).toBe(chunk.length * total);
      expect(body.resumes).toBe(body.pauses);
    });

    it('fails the call as client-body when the client breaks off, and the upstream sees it end', async () => {
      let broken = false;
      const upstream = await startHttp((request) => {
        request.on('error', () => {
          broken = true;
        });
        request.resume();
      });
      const body = new ScriptedBody(-1);
      const outcome = call(createClient(), { origin: upstream.origin, method: 'POST', body });
      const sink = await body.begun();
      sink.onChunk(Buffer.from('half'));
      await waitFor(() => upstream.open() === 1, { timeoutMs: WAIT_MS, what: 'the connection' });
      sink.onError(new Error('gone'));
      await outcome.done;
      expect(outcome.failure).toEqual({ kind: 'client-body', sent: true, message: 'gone' });
      await waitFor(() => broken, { timeoutMs: WAIT_MS, what: 'the upstream to notice' });
    });

    it('survives a client that breaks off after the answer is complete', async () => {
      const upstream = await startHttp((_request, response) => {
        response.writeHead(413, { connection: 'close' });
        response.end('too long');
      });
      const body = new ScriptedBody(-1);
      const outcome = call(createClient(), { origin: upstream.origin, method: 'POST', body });
      const sink = await body.begun();
      sink.onChunk(Buffer.from('begun'));
      await outcome.done;
      expect(outcome).toMatchObject({ status: 413, body: 'too long', ended: true });
      sink.onChunk(Buffer.from('late'));
      sink.onError(new Error('gone'));
      expect(outcome.failure).toBeUndefined();
    });
  });

  describe('answers slower or faster than their reader', () => {
    it('pauses the upstream when onChunk returns false, until resume', async () => {
      const total = 64 * 1024 * 1024;
      let written = 0;
      const chunk = Buffer.alloc(256 * 1024);
      const upstream = await startHttp((_request, response) => {
        response.writeHead(200, { 'content-length': total });
        const fill = (): void => {
          while (written < total) {
            written += chunk.length;
            if (!response.write(chunk)) return;
          }
          response.end();
        };
        response.on('drain', fill);
        fill();
      });
      let received = 0;
      let paused = true;
      const outcome = call(createClient(), { origin: upstream.origin }, (data) => {
        received += data.length;
        return !paused;
      });
      await waitFor(() => received > 0, { timeoutMs: WAIT_MS, what: 'the first chunk' });
      let before = -1;
      await waitFor(
        () => {
          const still = before === written;
          before = written;
          return still;
        },
        { timeoutMs: WAIT_MS, what: 'the upstream to stop writing' },
      );
      expect(written).toBeLessThan(total);
      paused = false;
      outcome.resume();
      await outcome.done;
      expect(received).toBe(total);
    });
  });

  describe('an answer whose upstream closes behind it', () => {
    it.each(
      ['http', 'https'].flatMap((scheme) =>
        [1, 300_000].flatMap((length) =>
          ['with a length', 'in chunks', 'until it closes'].map((framing) => {
            return { scheme, length, framing };
          }),
        ),
      ),
    )('$scheme, $length bytes $framing: is whole, however slowly it is taken', async (shape) => {
      vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
      const answer = (_request: IncomingMessage, response: ServerResponse): void => {
        response.setHeader('connection', 'close');
        if (shape.framing === 'with a length') response.setHeader('content-length', shape.length);
        response.useChunkedEncodingByDefault = shape.framing === 'in chunks';
        response.flushHeaders();
        response.end('x'.repeat(shape.length));
      };
      const upstream = await (shape.scheme === 'http'
        ? startHttp(answer)
        : listen(createTlsServer(TEST_CERTIFICATE, answer)));
      const origin = upstream.origin.replace('http', shape.scheme);
      const outcome = await takeSlowly(createClient(), origin);
      expect(outcome).toMatchObject({ failure: undefined, ended: true });
      expect(outcome.body).toHaveLength(shape.length);
    });
  });

  describe('an answer that breaks while its reader has to think', () => {
    it.each([
      ['its upstream closes', 'content-length: 9\r\n\r\npart', (socket: Socket) => socket.end()],
      ['its connection is reset', 'content-length: 9\r\n\r\npart', reset],
      ['a chunk is missing', 'transfer-encoding: chunked\r\n\r\n4\r\npart\r\n', reset],
    ])('%s: fails, and nothing else does', async (_name, rest, breakOff) => {
      const upstream = await startRaw((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nconnection: close\r\n${rest}`);
        setTimeout(() => breakOff(socket), 20);
      });
      const outcome = await takeSlowly(createClient(), upstream.origin);
      expect(outcome).toMatchObject({ failure: { sent: true }, ended: false });
    });
  });

  describe('a last chunk its reader had to think about', () => {
    it.each([
      ['with a length', { 'content-length': 4 }],
      ['in chunks', {}],
    ])('%s: ends after resume, and the connection serves the next call', async (_name, headers) => {
      const upstream = await startHttp((_request, response) => {
        response.writeHead(200, headers);
        response.end('last');
      });
      const client = createClient();
      for (let index = 0; index < 3; index += 1) {
        let chunks = 0;
        const outcome = call(client, { origin: upstream.origin }, () => {
          chunks += 1;
          return false;
        });
        await waitFor(() => chunks > 0, { timeoutMs: WAIT_MS, what: 'the chunk' });
        await nextTurn();
        expect(outcome.ended).toBe(false);
        outcome.resume();
        await outcome.done;
        expect(outcome).toMatchObject({ ended: true, body: 'last' });
        await nextTurn();
      }
      expect(upstream.accepted()).toBe(1);
    });
  });
}
