import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { type Nginx, startNginx } from '../test/support/start-nginx.ts';
import { CONNECTIONS } from './drive-load.ts';
import { pinToCore } from './process-usage.ts';
import type { Subject } from './subject.ts';
import { ANSWER_BODY, CHAT_CALL } from './workload.ts';

/** The upstream of all variants: answers at once with one chat completion. Stays on the core it was started on. */
export function startUpstream(): Promise<Nginx> {
  return startNginx({
    server: `location / { default_type application/json; return 200 '${ANSWER_BODY}'; }`,
  });
}

/** nginx as the proxy everybody compares with: connections to the upstream kept, no log. */
export async function startProxy(upstream: Nginx, core: number): Promise<Subject> {
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
      }`,
  });
  try {
    const pid = Number(readFileSync(join(nginx.directory, 'nginx.pid'), 'utf8'));
    pinToCore(pid, core);
    return {
      variant: 'nginx',
      target: { origin: nginx.origin, calls: [CHAT_CALL], key: 'none' },
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
