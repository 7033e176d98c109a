import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

import type { CheckLine } from '../cli/gateway-checks.ts';
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
