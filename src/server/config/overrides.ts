import { withValueAt } from './config-path.ts';
import type { Environment } from './interpolate.ts';

/** What flags of `dev` and `up` may say; as text or number, checked with the file. */
export interface OverrideFlags {
  readonly host?: string | undefined;
  readonly port?: string | number | undefined;
  readonly adminPort?: string | number | undefined;
  readonly data?: string | undefined;
  readonly workers?: string | number | undefined;
}

export interface Override {
  readonly path: readonly string[];
  readonly value: string | number;
  readonly origin: 'flag' | 'env';
  /** `--port` or `TOLLKEEPER_PORT`: what a problem is reported at. */
  readonly name: string;
}

interface OverrideRule {
  readonly path: readonly string[];
  readonly variable: string;
  readonly flag?: keyof OverrideFlags;
  readonly flagName?: string;
  /** Digits are a number, so that `config print` shows what a file would say. */
  readonly numeric?: true;
}

const RULES: readonly OverrideRule[] = [
  { path: ['server', 'host'], variable: 'TOLLKEEPER_HOST', flag: 'host', flagName: '--host' },
  {
    path: ['server', 'port'],
    variable: 'TOLLKEEPER_PORT',
    flag: 'port',
    flagName: '--port',
    numeric: true,
  },
  { path: ['server', 'admin_host'], variable: 'TOLLKEEPER_ADMIN_HOST' },
  {
    path: ['server', 'admin_port'],
    variable: 'TOLLKEEPER_ADMIN_PORT',
    flag: 'adminPort',
    flagName: '--admin-port',
    numeric: true,
  },
  { path: ['server', 'public_url'], variable: 'TOLLKEEPER_PUBLIC_URL' },
  {
    path: ['server', 'workers'],
    variable: 'TOLLKEEPER_WORKERS',
    flag: 'workers',
    flagName: '--workers',
    numeric: true,
  },
  { path: ['store', 'directory'], variable: 'TOLLKEEPER_DATA', flag: 'data', flagName: '--data' },
  { path: ['log', 'level'], variable: 'TOLLKEEPER_LOG_LEVEL' },
];

const DEFAULT_CONFIG_FILE = 'tollkeeper.yaml';

/** The configuration to read: flag, else TOLLKEEPER_CONFIG, else tollkeeper.yaml here. */
export function chooseConfigFile(flag: string | undefined, env: Environment): string {
  return flag ?? (env['TOLLKEEPER_CONFIG'] || DEFAULT_CONFIG_FILE);
}

/** Flags win over variables; an empty variable counts as not set. */
export function listOverrides(flags: OverrideFlags, env: Environment): readonly Override[] {
  return RULES.flatMap((rule): Override[] => {
    const flagged = rule.flag === undefined ? undefined : flags[rule.flag];
    const value = flagged ?? env[rule.variable];
    if (value === undefined || value === '') return [];
    const [origin, name] =
      flagged === undefined
        ? ['env' as const, rule.variable]
        : ['flag' as const, rule.flagName ?? ''];
    return [{ path: rule.path, value: readValue(value, rule), origin, name }];
  });
}

function readValue(value: string | number, rule: OverrideRule): string | number {
  return rule.numeric === true && /^\d{1,9}$/.test(String(value)) ? Number(value) : value;
}

export function applyOverrides(tree: unknown, overrides: readonly Override[]): unknown {
  return overrides.reduce((result, { path, value }) => withValueAt(result, path, value), tree);
}
