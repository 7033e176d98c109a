import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { type Nginx, startNginx } from '../test/support/start-nginx.ts';
import { waitFor } from '../test/support/wait-for.ts';
import { CONNECTIONS } from './drive-load.ts';
import { pinToCore } from './process-usage.ts';
import type { Subject } from './subject.ts';
import { ANSWER_BODY, CHAT_CALL } from './workload.ts';

/** The upstream of all variants: answers at once with one chat completion. Stays on the core it was started on. */
export function startUpstream(directives: readonly string[] = []): Promise<Nginx> {
  const chat = `location / { default_type application/json; return 200 '${ANSWER_BODY}'; }`;
  return startNginx({ server: [...directives, chat].join('\n') });
}

/** nginx as the proxy everybody compares with: connections to the upstream kept, no log. */
export async function startProxy(
  upstream: { readonly port: number },
  core: number,
  { variant = 'nginx', call = CHAT_CALL, directives = '' } = {},
): Promise<Subject> {
  const nginx = await startNginx({
    http: `
      upstream bench {
        server 127.0.0.1:${upstream.port};
        keepalive ${CONNECTIONS * 2};
        keepalive_requests 1000000;
      }`,
    server: `
      location / {
        proxy_pass http://bench;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        ${directives}
      }`,
  });
  try {
    const pid = await waitFor(() => readPid(nginx), { timeoutMs: 5000, what: "nginx's pid" });
    pinToCore(pid, core);
    return {
      variant,
      target: { origin: nginx.origin, calls: [call], key: 'none' },
      pids: [pid],
      supervisorPid: undefined,
      verify: () => Promise.resolve(),
      stop: () => nginx.stop(),
    };
  } catch (error) {
    await nginx.stop();
    throw error;
  }
}

/** It listens before it has written the file, and opens that before it writes. */
function readPid({ directory }: Nginx): number | undefined {
  const file = join(directory, 'nginx.pid');
  const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  return pid === 0 ? undefined : pid;
}
