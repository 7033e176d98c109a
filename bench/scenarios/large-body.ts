import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { freePort } from '../../test/support/free-port.ts';
import { type Nginx, startNginx } from '../../test/support/start-nginx.ts';
import { makeDirectory, removeDirectory } from '../../test/support/temporary-directory.ts';
import { measure, type Sample } from '../measure.ts';
import {
  compareRows,
  type Row,
  type Scenario,
  type ScenarioSetting,
  summariseRow,
} from '../scenario.ts';
import { startCharged } from '../start-gateway-subjects.ts';
import { startProxy } from '../start-nginx-subjects.ts';
import type { Subject } from '../subject.ts';
import { round } from '../summarise.ts';
import type { Call } from '../workload.ts';

const BODY_BYTES = 1_000_000;
const BODY = 'x'.repeat(BODY_BYTES);
const UP: Call = { method: 'POST', path: '/up', body: BODY, answer: 'ok' };
const DOWN: Call = { method: 'GET', path: '/down', body: '', answer: BODY };
/** Of nginx: bodies pass it through memory, as they pass Tollkeeper. */
const DIRECTIVES = 'client_max_body_size 2m; proxy_request_buffering off; proxy_buffering off;';

export const largeBody: Scenario = {
  name: 'large-body',
  title: 'Bodies of 1 MB',
  about: `A body of ${BODY_BYTES.toLocaleString('en-US')} bytes through a route of an API, at a price for each request: up (\`POST\`, read whole by the upstream
before it answers) and down (\`GET\`). nginx and Tollkeeper pass it on as it comes.`,
  full: { rounds: 5, seconds: 8, warmUpSeconds: 3 },
  async run(setting) {
    const upstream = setting.keep(await startBodies());
    const subjects: Subject[] = [];
    for (const [name, call] of [
      ['up', UP],
      ['down', DOWN],
    ] as const) {
      subjects.push(...(await startPair(setting, upstream, { name, call })));
    }
    const samples = await measure(subjects, setting, setting.tell);
    return subjects.map(({ variant }) => summariseBody(samples, variant));
  },
  conclude: (rows) =>
    ['up', 'down'].map((way) => ({
      text: `1 MB ${way}: Tollkeeper ${compareRows(rows, `Tollkeeper, ${way}`, `nginx, ${way}`).toFixed(2)} of nginx`,
    })),
};

async function startPair(
  { gateway, keep }: ScenarioSetting,
  { port, origin }: Nginx,
  { name, call }: { readonly name: string; readonly call: Call },
): Promise<readonly Subject[]> {
  const variant = `nginx, ${name}`;
  const proxy = await startProxy({ port }, gateway.core, { variant, call, directives: DIRECTIVES });
  keep(proxy);
  const own = await startCharged(
    { ...gateway, upstreamOrigin: origin },
    `Tollkeeper, ${name}`,
    {
      apis: [
        'own:',
        '  upstream: own',
        '  routes:',
        `    - { name: body, path: ${call.path}, methods: [${call.method}], price: 0.0001 USD / request }`,
      ],
      more: ['upstreams:', `  own: { url: '${origin}' }`],
    },
    call,
  );
  return [proxy, keep(own)];
}

/** By a second location, because nginx would answer before it has read what it does not need. */
async function startBodies(): Promise<Nginx> {
  const directory = makeDirectory('bodies');
  writeFileSync(join(directory, 'down'), BODY);
  const port = await freePort();
  const nginx = await startNginx({
    port,
    server: `
      client_max_body_size 2m;
      client_body_buffer_size 2m;
      location = /down { root ${directory}; default_type text/plain; }
      location = /up {
        proxy_pass http://127.0.0.1:${port}/read;
        proxy_pass_request_body off;
        proxy_set_header Content-Length "";
      }
      location = /read { default_type text/plain; return 200 'ok'; }`,
  });
  const stop = async (): Promise<void> => {
    await nginx.stop();
    removeDirectory(directory);
  };
  return { ...nginx, stop };
}

function summariseBody(samples: readonly Sample[], name: string): Row {
  const { numbers } = summariseRow(samples, name);
  const { req_per_s: rate = 0 } = numbers;
  return {
    name,
    numbers: {
      ...numbers,
      mb_per_s: round((rate * BODY_BYTES) / 1e6, 0),
    },
  };
}
