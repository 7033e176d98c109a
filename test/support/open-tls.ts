import { connect, type TLSSocket } from 'node:tls';

import { RawConnection } from './raw-connection.ts';

/** A TLS connection to a server of the test's own certificates, and the SHA-256 fingerprint of that which it showed. */
export interface TlsConnection {
  readonly client: RawConnection;
  readonly fingerprint: string | undefined;
}

export function openTls(port: number): Promise<TlsConnection> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      socket.off('error', reject);
      const { fingerprint256 } = socket.getPeerCertificate();
      resolve({ client: new RawConnection(socket), fingerprint: fingerprint256 });
    });
  });
}
