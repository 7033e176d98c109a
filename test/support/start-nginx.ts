import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

import { ChildProgram } from './child-program.ts';
import { findProgram } from './find-program.ts';
import { freePort } from './free-port.ts';
import { makeDirectory, removeDirectory } from './temporary-directory.ts';
import { waitFor } from './wait-for.ts';

export interface NginxOptions {
  /** What goes inside `server { listen 127.0.0.1:PORT; ... }`, e.g. `location / { return 200 "ok"; }`. */
  readonly server: string;
  /** What goes inside `http { ... }` beside the server, e.g. an `upstream` block. */
  readonly http?: string;
  readonly port?: number;
}

export interface Nginx {
  readonly port: number;
  readonly origin: string;
  readonly directory: string;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 10_000;

/** A real nginx on a free port, all its files in a temporary directory. The test file declares `// @needs nginx`. */
export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const directory = makeDirectory('nginx');
  const port = options.port ?? (await freePort());
  writeFileSync(join(directory, 'nginx.conf'), renderConfig(port, options));
  const program = new ChildProgram({
    command: findProgram('nginx'),
    args: ['-p', directory, '-c', 'nginx.conf', '-e', 'stderr', '-g', 'daemon off;'],
  });
  const stop = async (): Promise<void> => {
    await program.stop('SIGQUIT', 5000);
    removeDirectory(directory);
  };
  try {
    await waitFor(() => failIfExited(program) ?? canConnect(port), {
      timeoutMs: START_TIMEOUT_MS,
      what: `nginx on port ${port}`,
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, origin: `http://127.0.0.1:${port}`, directory, stop };
}

function failIfExited(program: ChildProgram): undefined {
  if (program.exit !== undefined) throw new Error(`nginx did not start: ${program.stderr}`);
  return undefined;
}

function renderConfig(port: number, options: NginxOptions): string {
  // One process, so that one signal ends it; temporary files beside the configuration, because the compiled-in
  // paths belong to root. `user` only counts for root, who otherwise becomes nobody and cannot write here.
  return `
${process.getuid?.() === 0 ? 'user root;' : ''}
master_process off;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path client; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  keepalive_requests 1000000;
  ${options.http ?? ''}
  server {
    listen 127.0.0.1:${port};
    ${options.server}
  }
}
`;
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((settle) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => settle(false));
    socket.once('connect', () => {
      socket.destroy();
      settle(true);
    });
  });
}
