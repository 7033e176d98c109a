import { measure } from '../measure.ts';
import { findEqual, type Scenario, summariseRow } from '../scenario.ts';
import { startCharged } from '../start-gateway-subjects.ts';
import { startUpstream } from '../start-nginx-subjects.ts';
import type { Subject } from '../subject.ts';
import { ANSWER_BODY } from '../workload.ts';

interface Table {
  readonly count: number;
  readonly by: 'path' | 'path_prefix';
}

const ONE = '1 route';
const TABLES: Readonly<Record<string, Table>> = {
  [ONE]: { count: 1, by: 'path' },
  '100 routes': { count: 100, by: 'path' },
  '10,000 routes': { count: 10_000, by: 'path' },
  '10,000 prefixes': { count: 10_000, by: 'path_prefix' },
};

export const routes: Scenario = {
  name: 'routes',
  title: '1 to 10,000 routes',
  about: `Everything on, as in the first table, but the call is a \`GET\` that a route of an API forwards, at a price for each
request. The route that is called is the last one of the file.`,
  short: { rounds: 6, seconds: 2, warmUpSeconds: 2 },
  full: { rounds: 10, seconds: 4, warmUpSeconds: 3 },
  async run(setting) {
    const upstream = setting.keep(await startUpstream());
    const start = { ...setting.gateway, upstreamOrigin: upstream.origin };
    const subjects: Subject[] = [];
    for (const [name, table] of Object.entries(TABLES)) {
      const path = pathOf(table.count - 1) + (table.by === 'path' ? '' : '/below');
      const plan = renderRoutes(table, upstream.origin);
      const call = { method: 'GET', path, body: '', answer: ANSWER_BODY } as const;
      subjects.push(setting.keep(await startCharged(start, name, plan, call)));
    }
    const samples = await measure(subjects, setting, setting.tell);
    return subjects.map(({ variant }) => summariseRow(samples, variant));
  },
  conclude: (rows) =>
    Object.keys(TABLES)
      .slice(1)
      .map((name) => findEqual(rows, name, ONE)),
};

function pathOf(index: number): string {
  return `/items-${index}/list`;
}

/** The part of a configuration that forwards many paths to one upstream. */
export function renderRoutes(
  { count, by }: Table,
  origin: string,
): { readonly apis: readonly string[]; readonly more: readonly string[] } {
  const lines = Array.from(
    { length: count },
    (_, index) =>
      `    - { name: r${index}, ${by}: ${pathOf(index)}, methods: [GET], price: 0.0001 USD / request }`,
  );
  return {
    apis: ['own:', '  upstream: own', '  routes:', ...lines],
    more: ['upstreams:', `  own: { url: '${origin}' }`],
  };
}
