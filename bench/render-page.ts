import type { Machine } from './machine.ts';
import { renderFirstSection, type Report } from './render-report.ts';
import { renderScenarioSection } from './render-scenario.ts';
import type { Results } from './results-file.ts';
import type { Scenario } from './scenario.ts';

/** The whole of docs/benchmarks.md: no number in it that was not measured. */
export function renderPage(results: Results, scenarios: readonly Scenario[]): string {
  const sections = scenarios.flatMap((scenario) => {
    const result = results.scenarios[scenario.name];
    return result === undefined ? [] : [renderScenarioSection(scenario, result)];
  });
  return [
    `# Benchmarks

Written by \`npm run bench\`; do not edit. Each section says when it was measured, and a run prints the same table.
`,
    ...(results.main === undefined ? [] : [renderFirstSection(results.main)]),
    ...sections,
    renderMethod(results.main),
    ...renderMachines(results),
    AGAIN,
  ].join('\n');
}

function renderMethod(main: Report | undefined): string {
  const rounds =
    main === undefined
      ? ''
      : ` In the first table: ${main.warm_up_seconds} s, ${main.rounds} rounds of ${main.seconds} s.`;
  return `## Method

- One request, unless a section says otherwise: \`POST /v1/chat/completions\`, a JSON body of 305 bytes, 16 headers. The
  upstream, an nginx, answers with a fixed chat completion of 583 bytes that carries its usage.
- The measured processes are pinned to one core, \`wrk -t1 -c64\` and the upstream to another. Gateways run one worker.
- Each variant is warmed up; then it runs once in each round, in turn with the others, which are stopped meanwhile.
  The tables show medians. What the first table's rows cost beside each other (of nginx, added, more) is compared within
  each round, and the median of that is told.${rounds}
- CPU per request = (user + system time of the serving process with all its threads) / requests, read when what
  the answers left behind is settled too. The supervisor is another process: its share is listed with the first table.
- Latencies at full load are wrk's, which counts a pause once for each request that would have come in it
  (\`stats_correct\`): one of 200 ms in 8 s makes a p99 of 120. They count from the opening of the 64 connections.
- MB = resident memory of the serving process at the end of a run, in 10^6 bytes.
- One answer of each variant is compared byte for byte, any failed request ends the bench, and at its end every
  answer must be charged in the books and the ledger must audit clean.
- "of nginx" = the lower of two ratios, by requests a second and by CPU a request: they agree when each had its core to
  itself, and neither busy neighbours nor a core that waits can flatter the lower one. Other comparisons within a table
  ("0.95 of") are made in the same way.
- Compare rows of one table, never of two: machines and hours differ.
`;
}

function renderMachines(results: Results): string[] {
  const measured = [results.main, ...Object.values(results.scenarios)];
  const machines = new Set(
    measured.flatMap((each) => (each === undefined ? [] : [describe(each.machine)])),
  );
  return machines.size === 0 ? [] : [`## Machine\n\n${[...machines].join('\n\n')}\n`];
}

function describe(machine: Machine): string {
  const { cpu, cores, memory_gb: memory, kernel, node, nginx, wrk } = machine;
  return `${cpu}, ${cores} cores, ${memory} GB, ${kernel}; Node ${node}, nginx ${nginx}, wrk ${wrk}.`;
}

const AGAIN = `## Again

\`\`\`sh
npm ci
npm run bench                      # the first table and the short form of most sections
npm run bench -- --scenario keys   # one section at full length; the others stay
npm run bench -- --render          # this page from the numbers of the last runs, after a change of its text
npm run bench -- --quick           # under a minute, writes nothing
npm run bench --silent -- --json
\`\`\`
`;
