import { startPostgres } from '../../test/support/start-postgres.ts';
import { measure } from '../measure.ts';
import { compareRows, type Scenario, summariseRow } from '../scenario.ts';
import { startCharged } from '../start-gateway-subjects.ts';
import { startUpstream } from '../start-nginx-subjects.ts';

const SQLITE = 'SQLite';
const POSTGRES = 'PostgreSQL';

export const stores: Scenario = {
  name: 'stores',
  title: 'SQLite and PostgreSQL',
  about: `Everything on, as in the first table, with \`store:\` as the only difference. PostgreSQL runs on the core of load and
upstream and flushes nothing to the disk.`,
  full: { rounds: 5, seconds: 8, warmUpSeconds: 3 },
  async run(setting) {
    const upstream = setting.keep(await startUpstream());
    const start = { ...setting.gateway, upstreamOrigin: upstream.origin };
    const sqlite = setting.keep(await startCharged(start, SQLITE));
    const server = setting.keep(await startPostgres());
    const store = await server.createDatabase();
    const postgres = setting.keep(await startCharged(start, POSTGRES, { store }));
    const samples = await measure([sqlite, postgres], setting, setting.tell);
    return [SQLITE, POSTGRES].map((name) => summariseRow(samples, name));
  },
  conclude: (rows) => [
    { text: `on PostgreSQL ${compareRows(rows, POSTGRES, SQLITE).toFixed(2)} of SQLite` },
  ],
};
