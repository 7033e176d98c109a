import type { HttpTransport } from '../src/server/config/loaded-config.ts';
import { alignTable } from './align-table.ts';
import type { Machine } from './machine.ts';
import { type BenchResult, type VariantResult } from './summarise.ts';
import { type Variant, VARIANTS } from './subject.ts';

export interface Report extends BenchResult {
  readonly date: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly seconds: number;
  readonly warm_up_seconds: number;
  readonly http: HttpTransport;
  readonly connections: number;
}

const TITLES: Readonly<Record<Variant, string>> = {
  nginx: 'nginx `proxy_pass`, one process',
  bare: 'bare forwarding, our transport',
  everything: 'Tollkeeper, everything on',
  'no-store': 'Tollkeeper, no store work',
  'one-limit': 'the same with one limit',
  'ten-limits': 'the same with ten limits',
  'journal-fsync': 'everything, journal-fsync',
  'commit-before-serve': 'everything, commit-before-serve',
  refused: 'a 402 for each request',
};

/** Issue "Part 3" show 5. */
const RESIDENT_MB_MOST = 150;
/** Below this the numbers say more about the neighbours than about the variant. */
const CORE_BUSY_LEAST = 0.85;

export function renderText(report: Report): string {
  return [...renderTable(report), '', ...renderFindings(report), ...renderDoubts(report)].join(
    '\n',
  );
}

/** The first table of docs/benchmarks.md with what it says; method and machine stand below all tables. */
export function renderFirstSection(report: Report): string {
  return `Measured on ${report.date}.

${renderTable(report).join('\n')}

${renderFindings(report)
  .map((line) => `- ${line}`)
  .join('\n')}
${renderDoubts(report)
  .map((line) => `\n${line}`)
  .join('')}
### The variants

| variant | what it does with a request |
|---|---|
| ${TITLES.nginx} | forwards, connections to the upstream kept, no log |
| ${TITLES.bare} | the gateway's own listener and client (\`server.http: ${report.http}\`), and between them only hop-by-hop headers removed |
| ${TITLES.everything} | API key, plan with two limits (requests and tokens a month), prepaid balance: body understood, maximum held in three accounts, answer metered, exact cost charged in the journal before the first byte leaves, settled to the ledger, logged, counted in the metrics |
| ${TITLES['no-store']} | the same key, body, metering, headers and metrics on a plan that includes every call: no hold, no journal, no settlement, no log row |
| ${TITLES['one-limit']}, ${TITLES['ten-limits']} | as with everything on, on plans with one limit and with ten of all units, windows and scopes |
| ${TITLES['journal-fsync']}, ${TITLES['commit-before-serve']} | as with everything on, of the [durability classes](guides/configuration.md#what-a-charge-outlives) that wait: each answer until its charge is on disk, or in the ledger |
| ${TITLES.refused} | the key's quota is used up: the body understood, the decision, the offers that would help, the whole 402 with its links, the log row; the upstream is not called |
`;
}

function renderTable({ variants }: Report): string[] {
  const head = ['variant', 'req/s', 'CPU us/req', 'p50 ms', 'p99 ms', 'MB', 'of nginx'];
  const rows = VARIANTS.flatMap((variant) => {
    const result = variants[variant];
    return result === undefined ? [] : [[TITLES[variant], ...renderCells(result)]];
  });
  return alignTable([head, ...rows]);
}

function renderCells(result: VariantResult): string[] {
  return [
    result.req_per_s.toLocaleString('en-US'),
    result.cpu_us_per_request.toFixed(1),
    result.p50_ms.toFixed(1),
    result.p99_ms.toFixed(1),
    String(result.rss_mb),
    result.ratio_to_nginx.toFixed(2),
  ];
}

function renderFindings(report: Report): string[] {
  const { everything } = report.variants;
  const own = report.added_cpu_us - report.store_cpu_us;
  return [
    `With everything on, one core serves ${report.ratio_to_nginx.toFixed(2)} of what nginx serves on it (by requests a second ${everything.ratio_to_nginx_by_rate.toFixed(2)}, by CPU a request ${everything.ratio_to_nginx_by_cpu.toFixed(2)}).`,
    `Tollkeeper adds ${report.added_cpu_us.toFixed(1)} us of CPU to bare forwarding: ${report.store_cpu_us.toFixed(1)} for holds, journal, settlement and log, ${own.toFixed(1)} for the rest.`,
    `The supervisor beside the worker uses ${everything.supervisor_cpu_us_per_request.toFixed(2)} us a request.`,
    `A worker has ${everything.rss_mb} MB of memory (wanted: under ${RESIDENT_MB_MOST}).`,
    ...renderLimits(report),
  ];
}

function renderLimits(report: Report): string[] {
  const { nine_more_limits_cpu_us: more, refused_to_forwarded: refused } = report;
  if (more === undefined || refused === undefined) return [];
  return [
    `Nine limits more on a key cost ${more.toFixed(1)} us of CPU a request.`,
    `Refusals leave at ${refused.toFixed(2)} times the rate of forwarded requests (retry-storm limit off).`,
  ];
}

function renderDoubts({ variants }: Report): string[] {
  const parts = Object.entries(variants)
    .filter(([, { core_busy: busy }]) => busy < CORE_BUSY_LEAST)
    .map(([variant, { core_busy: busy }]) => `${variant} ${Math.round(busy * 100)} %`);
  if (parts.length === 0) return [];
  return [
    `Caution: the gateway's core was not fully used (${parts.join(', ')}), so other work on this machine, or the load generator, changed the requests per second. CPU per request is the better guide here.`,
    '',
  ];
}
