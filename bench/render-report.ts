import type { Machine } from './machine.ts';
import type { BenchOptions } from './options.ts';
import { type BenchResult, type VariantResult } from './summarise.ts';
import { type Variant, VARIANTS } from './subject.ts';

export interface Report extends BenchResult {
  readonly date: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly seconds: number;
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

/** Below this the numbers say more about the neighbours than about the variant. */
const CORE_BUSY_LEAST = 0.85;

export function renderText(report: Report): string {
  return [...renderTable(report), '', ...renderFindings(report), ...renderDoubts(report)].join(
    '\n',
  );
}

/** The whole of docs/benchmarks.md: nothing in it was not measured in this run. */
export function renderMarkdown(report: Report, options: BenchOptions): string {
  const { machine } = report;
  return `# Benchmarks

Written by \`npm run bench\` on ${report.date}; do not edit. The run prints the same table.

${renderTable(report).join('\n')}

${renderFindings(report)
  .map((line) => `- ${line}`)
  .join('\n')}

${renderDoubts(report).join('\n')}
## The variants

| variant | what it does with a request |
|---|---|
| ${TITLES.nginx} | forwards, connections to the upstream kept, no log |
| ${TITLES.bare} | the gateway's own listener and client (\`server.http: ${options.http}\`), and between them only hop-by-hop headers removed |
| ${TITLES.everything} | API key, plan with two limits (requests and tokens a month), prepaid balance: body understood, maximum held in three accounts, answer metered, exact cost charged in the journal before the first byte leaves, settled to the ledger, logged, counted in the metrics |
| ${TITLES['no-store']} | the same key, body, metering, headers and metrics on a plan that includes every call: no hold, no journal, no settlement, no log row |
| ${TITLES['one-limit']}, ${TITLES['ten-limits']} | as with everything on, on plans with one limit and with ten of all units, windows and scopes |
| ${TITLES['journal-fsync']}, ${TITLES['commit-before-serve']} | as with everything on, of the [durability classes](guides/configuration.md#what-a-charge-outlives) that wait: each answer until its charge is on disk, or in the ledger |
| ${TITLES.refused} | the key's quota is used up: the body understood, the decision, the offers that would help, the whole 402 with its links, the log row; the upstream is not called |

## Method

- One request: \`POST /v1/chat/completions\`, a JSON body of 305 bytes, 16 headers. The upstream, an nginx, answers
  with a fixed chat completion of 583 bytes that carries its usage.
- The measured processes are pinned to one core, \`wrk -t1 -c${report.connections}\` and the upstream to another. Gateways run one worker.
- Each variant is warmed up for ${options.warmUpSeconds} s; then ${report.rounds} rounds of ${report.seconds} s, the variants in turn within each round, the other processes stopped meanwhile.
  The table shows medians.
- CPU per request = (user + system time of the serving process with all its threads) / requests, read when what
  the answers left behind is settled too. The supervisor is another process: its share is listed above.
- MB = resident memory of the serving process at the end of a run, in 10^6 bytes.
- One answer of each variant is compared byte for byte, any failed request ends the bench, and at its end every
  answer must be charged in the books and the ledger must audit clean.
- "of nginx" = the lower of two ratios, by requests a second and by CPU a request: they agree when each had its core to
  itself, and neither busy neighbours nor a core that waits can flatter the lower one.
- Compare rows of one table, never of two: machines and hours differ.

## Machine

${machine.cpu}, ${machine.cores} cores, ${machine.memory_gb} GB, ${machine.kernel}; Node ${machine.node}, nginx ${machine.nginx}, wrk ${machine.wrk}.

## Again

\`\`\`sh
npm ci
npm run bench             # writes this page
npm run bench -- --quick  # under a minute, writes nothing
npm run bench --silent -- --json
\`\`\`
`;
}

function renderTable({ variants }: Report): string[] {
  const head = ['variant', 'req/s', 'CPU us/req', 'p50 ms', 'p99 ms', 'MB', 'of nginx'];
  const rows = VARIANTS.flatMap((variant) => {
    const result = variants[variant];
    return result === undefined ? [] : [[TITLES[variant], ...renderCells(result)]];
  });
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join(' | ')} |`;
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(head), line(rule), ...rows.map(line)];
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

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}

function renderFindings(report: Report): string[] {
  const { everything } = report.variants;
  const own = report.added_cpu_us - report.store_cpu_us;
  return [
    `With everything on, one core serves ${report.ratio_to_nginx.toFixed(2)} of what nginx serves on it (by requests a second ${everything.ratio_to_nginx_by_rate.toFixed(2)}, by CPU a request ${everything.ratio_to_nginx_by_cpu.toFixed(2)}).`,
    `Tollkeeper adds ${report.added_cpu_us.toFixed(1)} us of CPU to bare forwarding: ${report.store_cpu_us.toFixed(1)} for holds, journal, settlement and log, ${own.toFixed(1)} for the rest.`,
    `The supervisor beside the worker uses ${everything.supervisor_cpu_us_per_request.toFixed(2)} us a request.`,
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
