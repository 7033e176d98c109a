import { measure } from '../measure.ts';
import {
  compareRows,
  type Finding,
  findEqual,
  type Row,
  type Scenario,
  summariseRow,
} from '../scenario.ts';
import { startUpstream } from '../start-nginx-subjects.ts';
import { type Crowd, startSeeded } from '../start-seeded-subject.ts';
import type { Subject } from '../subject.ts';
import { LEAD_IN_REQUESTS, makeFirstCalls } from './keys.ts';

const HOT = 'one hot tenant';
const THOUSAND = '1,000 tenants in turn';
const COLD = '5,000 tenants';

const CROWDS: Readonly<Record<string, Crowd>> = {
  [HOT]: { tenants: 1, keys: 1 },
  [THOUSAND]: { tenants: 1000, keys: 1000 },
};
const COLD_CROWD = { tenants: 5000, keys: 5000 };

export const tenants: Scenario = {
  name: 'tenants',
  title: 'One hot tenant, a thousand, and cold ones',
  about: `Everything on, as in the first table. Each tenant has one key, a balance and its own two limits: three accounts of which
the worker must have a slice. A cold tenant is one whose first call since the gateway started this is.`,
  short: { rounds: 6, seconds: 2, warmUpSeconds: 2 },
  full: { rounds: 10, seconds: 4, warmUpSeconds: 3 },
  async run(setting) {
    const upstream = setting.keep(await startUpstream());
    const start = { ...setting.gateway, upstreamOrigin: upstream.origin };
    const subjects: Subject[] = [];
    for (const [name, crowd] of Object.entries(CROWDS)) {
      subjects.push(setting.keep(await startSeeded(start, name, crowd)));
    }
    const samples = await measure(
      subjects,
      { ...setting, leadInRequests: LEAD_IN_REQUESTS },
      setting.tell,
    );
    const rows: Row[] = subjects.map(({ variant }) => summariseRow(samples, variant));
    const cold = setting.keep(await startSeeded(start, COLD, COLD_CROWD));
    return [...rows, (await makeFirstCalls(cold, setting)).row];
  },
  conclude: (rows): readonly Finding[] => [
    findEqual(rows, HOT, THOUSAND),
    {
      text: `a thousand tenants are served at ${compareRows(rows, THOUSAND, HOT).toFixed(2)} of the speed of one`,
    },
  ],
};
