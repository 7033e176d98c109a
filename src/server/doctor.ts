import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

import type { CheckLine } from '../cli/gateway-checks.ts';
import type { ServerReport } from '../stores/postgres/inspect-server.ts';
import { formatProblem } from './config/config-problem.ts';
import type { LoadResult } from './config/load-config.ts';

const NODE_MAJOR_LEAST = 20;

/** What `doctor` can tell without a running gateway: Node, the configuration, the data directory. */
export function checkMachine(loaded: LoadResult): readonly CheckLine[] {
  const major = Number(process.versions.node.split('.')[0]);
  const node: CheckLine = {
    name: 'node',
    status: major >= NODE_MAJOR_LEAST ? 'ok' : 'fail',
    detail: `${process.versions.node}${major >= NODE_MAJOR_LEAST ? '' : ': install Node 20.19 or later'}`,
  };
  if (loaded.kind === 'invalid') {
    return [
      node,
      ...loaded.problems.map((problem): CheckLine => ({
        name: 'configuration',
        status: 'fail',
        detail: formatProblem(problem),
      })),
    ];
  }
  const { config } = loaded;
  return [
    node,
    {
      name: 'configuration',
      status: 'ok',
      detail: `${config.file} (version ${config.catalog.version})`,
    },
    checkDirectory(config.store.directory),
  ];
}

/** The database of the configuration, when it is a server of its own. */
export async function checkDatabase(loaded: LoadResult): Promise<readonly CheckLine[]> {
  if (loaded.kind === 'invalid' || loaded.config.store.type !== 'postgres') return [];
  const { inspectServer } = await import('../stores/postgres/inspect-server.ts');
  try {
    return [describeServer(await inspectServer(loaded.config.store.url))];
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return [{ name: 'database', status: 'fail', detail }];
  }
}

export function describeServer(report: ServerReport): CheckLine {
  const { version, schema, schemaKnown } = report;
  const found = `PostgreSQL ${version}, schema version ${schema} of ${schemaKnown}`;
  const line = (status: CheckLine['status'], problem: string): CheckLine => {
    return { name: 'database', status, detail: problem === '' ? found : `${found}: ${problem}` };
  };
  if (schema > schemaKnown)
    return line('fail', 'a newer version of Tollkeeper made it: start that');
  if (!report.confirmsWhatItKeeps) {
    const loss = 'what was settled is lost when the server is killed';
    return line('fail', `synchronous_commit is off, so that ${loss}: set it to on`);
  }
  if (!report.survivesPowerLoss) {
    const loss = 'what was settled is lost when its machine loses power';
    return line('warn', `fsync is off, so that ${loss}: set it to on`);
  }
  return line('ok', schema < schemaKnown ? 'brought up to date at the next start' : '');
}

const REDIS_WAIT_MS = 2000;

/** Whether the Redis of the configuration answers from here; nothing without one. It counts as no process. */
export async function checkRedis(loaded: LoadResult): Promise<readonly CheckLine[]> {
  if (loaded.kind === 'invalid' || loaded.config.redis === undefined) return [];
  const { url, prefix } = loaded.config.redis;
  const { protocol, host } = new URL(url);
  const address = `${protocol}//${host}`;
  const { RedisRates } = await import('../stores/redis/redis-rates.ts');
  const rates = RedisRates.open({ url, prefix, process: 'doctor', time: 'redis' });
  try {
    await rates.waitUntilReady(REDIS_WAIT_MS);
    await rates.takeRate([], 0);
    return [{ name: 'redis', status: 'ok', detail: `${address} answers` }];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const detail = `${address} does not answer (${reason}): until it does, each process limits to its part of every rate`;
    return [{ name: 'redis', status: 'fail', detail }];
  } finally {
    await rates.close();
  }
}

function checkDirectory(directory: string): CheckLine {
  const ground = nearestExisting(directory);
  if (!isWritableDirectory(ground)) {
    return {
      name: 'data',
      status: 'fail',
      detail: `${ground} is not a directory that can be written: change its owner, or choose another with --data`,
    };
  }
  const detail = ground === directory ? directory : `${directory} (made at the first start)`;
  return { name: 'data', status: 'ok', detail };
}

/** The first start makes every folder that is missing, so what counts is the deepest that is there. */
function nearestExisting(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearestExisting(dirname(path));
}

function isWritableDirectory(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
