import type { Socket } from 'node:net';

import { buildConnector } from 'undici';

import { wasReset } from '../was-reset.ts';

/** What undici 7 keeps at a connection: its parser of answers. */
interface Parser {
  paused: boolean;
  /** The answer ends where its head says; false: with the connection, or the upstream will close it behind the answer. */
  shouldKeepAlive: boolean;
  resume(): void;
}

/**
 * undici's own connector. undici 7 ends the whole process when a connection ends, or breaks, behind an answer that its
 * reader has paused (nodejs/undici#5360, mended in undici 8, which needs Node 22). So its parser goes on before it hears
 * of the end: every byte was taken by then, and all that comes is the end of the answer.
 *
 * It also takes a reset for the end of an answer that ends with its connection; here that answer has broken.
 */
export function createConnector(timeoutMs: number): buildConnector.connector {
  const connect = buildConnector({ timeout: timeoutMs });
  return (options, callback) =>
    connect(options, (...connected) => {
      const [error, socket] = connected;
      if (error === null) mendTheEnd(socket);
      callback(...connected);
    });
}

function mendTheEnd(socket: Socket): void {
  socket.on('end', () => {
    const parser = parserOf(socket);
    parser?.resume();
    if (parser !== undefined && wasReset(socket)) parser.shouldKeepAlive = true;
  });
  socket.on('error', () => {
    const parser = parserOf(socket);
    if (parser === undefined) return;
    parser.paused = false;
    parser.shouldKeepAlive = true;
  });
  socket.on('close', () => {
    const parser = parserOf(socket);
    if (parser !== undefined) parser.paused = false;
  });
}

function parserOf(socket: Socket): Parser | undefined {
  const name = Object.getOwnPropertySymbols(socket).find(
    ({ description }) => description === 'parser',
  );
  const parser: unknown = name && Reflect.get(socket, name);
  return isParser(parser) ? parser : undefined;
}

function isParser(value: unknown): value is Parser {
  if (typeof value !== 'object' || value === null) return false;
  return 'paused' in value && 'resume' in value && 'shouldKeepAlive' in value;
}
