import { measure } from '../measure.ts';
import { compareRows, type Scenario, summariseRow } from '../scenario.ts';
import { startCharged } from '../start-gateway-subjects.ts';
import { startProxy, startUpstream } from '../start-nginx-subjects.ts';
import { startPortkey } from '../start-portkey-subject.ts';
import type { Subject } from '../subject.ts';

const NGINX = 'nginx';
const PORTKEY = 'Portkey';
const OWN = 'Tollkeeper';
/** Issue "Part 3" show 5. */
const TIMES_LEAST = 10;

export const portkey: Scenario = {
  name: 'portkey',
  title: "Beside Portkey's gateway",
  about: `The call of the first table through nginx, through Portkey's gateway (\`@portkey-ai/gateway\` 1.15.2 on Node, as published,
which forwards and counts nothing) and through Tollkeeper with everything on. It is installed for this run alone, from
\`bench/portkey/package-lock.json\`.`,
  short: { rounds: 3, seconds: 4, warmUpSeconds: 3 },
  full: { rounds: 5, seconds: 8, warmUpSeconds: 5 },
  async run(setting) {
    const upstream = setting.keep(await startUpstream());
    const start = { ...setting.gateway, upstreamOrigin: upstream.origin };
    const subjects: Subject[] = [
      setting.keep(await startProxy(upstream, start.core, { variant: NGINX })),
      setting.keep(await startPortkey(start)),
      setting.keep(await startCharged(start, OWN)),
    ];
    const samples = await measure(subjects, setting, setting.tell);
    return subjects.map(({ variant }) => summariseRow(samples, variant));
  },
  conclude: (rows) => {
    const times = compareRows(rows, OWN, PORTKEY);
    return [
      {
        text: `Tollkeeper serves ${times.toFixed(1)} times what Portkey's gateway does (wanted: ${TIMES_LEAST} times)`,
        met: times >= TIMES_LEAST,
      },
    ];
  },
};
