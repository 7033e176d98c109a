import type { CallAnswer } from './gateway-caller.ts';
import { RawConnection } from './raw-connection.ts';
import { waitFor } from './wait-for.ts';

const CLOSE_TIMEOUT_MS = 15_000;

/** Writes exactly these bytes on a new connection, and returns the one answer the server ends it with. */
export async function askRaw(port: number, bytes: string): Promise<CallAnswer> {
  const connection = await RawConnection.open(port);
  try {
    await connection.write(bytes);
    await waitFor(() => connection.socket.closed, {
      timeoutMs: CLOSE_TIMEOUT_MS,
      what: `the server to end the connection; so far it sent: ${connection.received}`,
    });
  } finally {
    connection.destroy();
  }
  return parseAnswer(connection.received);
}

/** Fails when it is more than one answer: bytes after the first would be somebody else's. */
function parseAnswer(received: string): CallAnswer {
  const end = received.indexOf('\r\n\r\n');
  const [line = '', ...fields] = received.slice(0, end).split('\r\n');
  const headers = Object.fromEntries(
    fields.map((field) => {
      const colon = field.indexOf(':');
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
    }),
  );
  const text = Buffer.from(received.slice(end + 4), 'latin1').toString('utf8');
  const length = Number(headers['content-length']);
  if (received.length - (end + 4) !== length) throw new Error(`not one answer: ${received}`);
  return { status: Number(line.split(' ')[1]), headers, text };
}
