import { accessSync, constants, existsSync } from 'node:fs';
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
  const present = existsSync(directory);
  try {
    accessSync(present ? directory : dirname(directory), constants.W_OK);
    return {
      name: 'data',
      status: 'ok',
      detail: present ? directory : `${directory} (made at the first start)`,
    };
  } catch {
    return {
      name: 'data',
      status: 'fail',
      detail: `${directory} cannot be written: change its owner, or choose another with --data`,
    };
  }
}
