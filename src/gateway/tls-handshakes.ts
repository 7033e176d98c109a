import type { Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/**
 * Connections of a TLS server whose handshake is under way. The server tells nobody of them before its end, and leaves
 * one that takes longer than its `handshakeTimeout` open unless somebody listens.
 */
export class TlsHandshakes {
  /** By the other side's address and port: what a handshake ends in is another object than what it began with. */
  readonly #sockets = new Map<string, Socket>();

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => this.#begin(socket));
    server.on('secureConnection', (socket: TLSSocket) => this.#sockets.delete(peerOf(socket)));
    server.on('tlsClientError', (_error: Error, socket: TLSSocket) => socket.destroy());
  }

  /** Nobody has asked for anything on them. */
  breakOff(): void {
    for (const socket of this.#sockets.values()) socket.destroy();
  }

  #begin(socket: Socket): void {
    const peer = peerOf(socket);
    this.#sockets.set(peer, socket);
    socket.once('close', () => {
      if (this.#sockets.get(peer) === socket) this.#sockets.delete(peer);
    });
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
