import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** The way between a gateway and its database, which can be slow or lead nowhere. */
export interface FaultyNetwork {
  /** The connection string, by this way. */
  through(url: string): string;
  /** From now on every packet takes so much longer, each way. */
  delay(milliseconds: number): void;
  /**
   * Packets vanish and nobody is told. Connections of that time are lost for good, as where a firewall forgets them: both
   * ends go on thinking that they have one.
   */
  cut(): void;
  /** New connections are made again. */
  mend(): void;
  close(): Promise<void>;
}

interface Line {
  isLost: boolean;
  readonly ends: readonly [Socket, Socket];
}

/** Leads to the server of this connection string. */
export async function startFaultyNetwork(url: string): Promise<FaultyNetwork> {
  const target = { host: new URL(url).hostname, port: Number(new URL(url).port) };
  const lines = new Set<Line>();
  let delayMs = 0;
  let isCut = false;

  const carry = (line: Line, from: Socket, to: Socket): void => {
    // Packets keep their order, whatever the delay is set to meanwhile.
    let arrived = Promise.resolve();
    const send = (deliver: () => void): void => {
      const due = new Promise<void>((resolve) => void setTimeout(resolve, delayMs));
      arrived = arrived.then(() => due).then(() => (line.isLost ? undefined : deliver()));
    };
    from.on('data', (bytes) => send(() => to.write(bytes)));
    from.on('end', () => send(() => to.end()));
    from.on('error', () => undefined);
    from.on('close', () => send(() => to.destroy()));
  };

  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ ...target, allowHalfOpen: true });
    const line: Line = { isLost: isCut, ends: [near, far] };
    lines.add(line);
    carry(line, near, far);
    carry(line, far, near);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    through: (direct) => {
      const led = new URL(direct);
      led.host = `127.0.0.1:${port}`;
      return led.href;
    },
    delay: (milliseconds) => {
      delayMs = milliseconds;
    },
    cut: () => {
      isCut = true;
      for (const line of lines) line.isLost = true;
    },
    mend: () => {
      isCut = false;
    },
    close: async () => {
      for (const { ends } of lines) for (const end of ends) end.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
