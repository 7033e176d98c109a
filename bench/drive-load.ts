import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ChildProgram } from '../test/support/child-program.ts';
import { findProgram } from '../test/support/find-program.ts';
import { makeDirectory, removeDirectory } from '../test/support/temporary-directory.ts';
import { REQUEST_BODY, requestHeaders } from './workload.ts';

export const CONNECTIONS = 64;

export interface LoadTarget {
  readonly url: string;
  readonly key: string;
  /** Every answer is a refusal: 400 or above. */
  readonly refused?: true;
}

export interface Load {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** One line of JSON behind wrk's own report; `errors.status` counts answers of 400 and above. */
const REPORT_LUA = `
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\\n{"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"failed":{"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d}}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect, e.read, e.write, e.timeout, e.status))
end
`;

interface WrkReport {
  readonly requests: number;
  readonly microseconds: number;
  readonly p50: number;
  readonly p99: number;
  readonly failed: Readonly<Record<string, number>>;
}

/** Drives a target with wrk from this process's core. Throws when any request failed or any answer was an error. */
export async function driveLoad(target: LoadTarget, seconds: number): Promise<Load> {
  const directory = makeDirectory('wrk');
  const script = join(directory, 'load.lua');
  writeFileSync(script, renderScript(target.key));
  const program = new ChildProgram({
    command: findProgram('wrk'),
    args: [
      '-t1',
      `-c${CONNECTIONS}`,
      `-d${seconds}s`,
      '--timeout',
      '10s',
      '-s',
      script,
      target.url,
    ],
  });
  try {
    const { code } = await program.exited;
    // A script it cannot read is only a line on stderr to wrk: it then asks for something else.
    if (code !== 0 || program.stderr !== '') throw new Error(`wrk failed: ${program.stderr}`);
    return readReport(program.stdout, target);
  } finally {
    await program.stop();
    removeDirectory(directory);
  }
}

function renderScript(key: string): string {
  const headers = Object.entries(requestHeaders(key)).map(
    ([name, value]) => `wrk.headers[ ${quoteLua(name)} ] = ${quoteLua(value)}`,
  );
  return [
    'wrk.method = "POST"',
    `wrk.body = ${quoteLua(REQUEST_BODY)}`,
    ...headers,
    REPORT_LUA,
  ].join('\n');
}

function quoteLua(text: string): string {
  if (text.includes(']==]')) throw new Error(`not to be quoted for Lua: ${text}`);
  return `[==[${text}]==]`;
}

function readReport(output: string, { url, refused }: LoadTarget): Load {
  const line = output.trimEnd().split('\n').at(-1) ?? '';
  const report = JSON.parse(line) as WrkReport;
  const wanted = refused === true ? report.requests : 0;
  const failed = Object.entries(report.failed).filter(
    ([kind, count]) => count !== (kind === 'status' ? wanted : 0),
  );
  if (report.requests === 0) throw new Error(`${url} answered nothing`);
  if (failed.length > 0) {
    const words = failed.map(([kind, count]) => `${count} ${kind}`).join(', ');
    throw new Error(`${url}: beside ${report.requests} requests, errors: ${words}`);
  }
  return {
    requests: report.requests,
    seconds: report.microseconds / 1e6,
    p50Ms: report.p50 / 1000,
    p99Ms: report.p99 / 1000,
  };
}
