import { parseArgs } from 'node:util';

import type { Durability } from '../src/domain/catalog.ts';
import { type StoreKind, STORES } from './stores.ts';

/** A run against gateways of our own, which it starts, kills, pauses and audits. */
export interface ChaosOptions {
  readonly kind: 'own';
  readonly store: StoreKind;
  /** What a charge outlives before its answer leaves. */
  readonly durability: Durability;
  readonly seed: number;
  readonly gateways: number;
  /** Worker processes of each gateway. */
  readonly workers: number;
  /** Money for exactly so many. */
  readonly units: number;
  readonly clients: number;
  /** Calls each client has under way at a time. */
  readonly callersEach: number;
  readonly kills: number;
  readonly pauses: number;
  readonly storeRestarts: number;
  /** Instead of them: the store is away once, for so long. */
  readonly outageSeconds: number | undefined;
  /** Calls under way at a gateway when it is killed, at least. */
  readonly inFlightLeast: number;
  /** The run is given up after so long. */
  readonly secondsMost: number;
  readonly json: boolean;
  readonly verbose: boolean;
}

/** A run against a gateway that somebody else has started: traffic and the served record only. */
export interface TargetOptions {
  readonly kind: 'target';
  readonly seed: number;
  readonly url: string;
  readonly key: string;
  readonly model: string;
  /** Units that the key may spend there. */
  readonly budget: number;
  readonly callers: number;
  readonly secondsMost: number;
  readonly json: boolean;
}

/** Only the upstream, for a gateway to be put in front of it: it answers with as many tokens as it may. */
export interface UpstreamOptions {
  readonly kind: 'upstream';
  readonly port: number;
}

export const USAGE = `Usage: npm run chaos -- [options]

  --quick            under a minute: fewer units and faults
  --json             one JSON object on stdout (with npm: npm run chaos --silent -- --json)
  --seed N           repeats a plan of faults (default: another each time, printed)
  --store KIND       what the gateways share: sqlite (default) or postgres
  --durability CLASS what a charge outlives before its answer leaves: journal (default), journal-fsync or
                     commit-before-serve
  --gateways N       gateways on it (default 4)
  --workers N        worker processes of each (default 1)
  --units N          money for exactly so many units, sold in calls of 1 to 20 (default 1,000,000; quick 50,000)
  --kills N          kill -9 of a worker, a supervisor or a whole gateway (default 40; quick 6)
  --pauses N         SIGSTOP of a worker or a supervisor for 0.2 to 3 s (default 20; quick 3)
  --store-restarts N (default 5; quick 1)
  --outage SECONDS   instead of kills, pauses and restarts: the store is away once, for so long (units: 200,000)
  --in-flight N      calls under way at a gateway when it is killed, at least (default 64)
  --seconds N        give up after so long (default 1500; quick 55)
  --verbose          tell each fault on stderr

  --target URL --key KEY --model MODEL --budget UNITS
                     drive a gateway that is running already, with an OpenAI-style endpoint: URL is its base, with
                     /v1 where it has one. What only its books could tell is shown as unknown.
  --callers N        with --target: calls under way at a time (default 64)
  --upstream PORT    only run the model that such a gateway can be put in front of`;

const FULL = { units: 1_000_000, kills: 40, pauses: 20, 'store-restarts': 5, seconds: 1500 };
const QUICK = { units: 50_000, kills: 6, pauses: 3, 'store-restarts': 1, seconds: 55 };
const DURABILITIES: readonly Durability[] = ['journal', 'journal-fsync', 'commit-before-serve'];
const OUTAGE = { units: 200_000, kills: 0, pauses: 0, 'store-restarts': 0, seconds: 1500 };
const FAULTS = ['kills', 'pauses', 'store-restarts'] as const;
const CLIENTS = 16;
const SEED_MOST = 2 ** 32 - 1;
const TARGET_ONLY = ['key', 'model', 'budget', 'callers'] as const;
const OWN_ONLY = [
  'quick',
  'store',
  'durability',
  'gateways',
  'workers',
  'units',
  'kills',
  'pauses',
  'store-restarts',
  'outage',
  'in-flight',
] as const;

/** Throws with a message that names the flag and what it takes. */
export function parseOptions(
  args: readonly string[],
): ChaosOptions | TargetOptions | UpstreamOptions {
  const { values } = readArgs(args);
  if (values.upstream !== undefined) {
    return { kind: 'upstream', port: readNumber('--upstream', values.upstream, [0, 65_535]) ?? 0 };
  }
  const seed = readNumber('--seed', values.seed, [0, SEED_MOST]) ?? Date.now() % 1_000_000;
  return values.target === undefined ? readOwn(values, seed) : readTarget(values, seed);
}

function readArgs(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean' },
      json: { type: 'boolean' },
      verbose: { type: 'boolean' },
      seed: { type: 'string' },
      store: { type: 'string' },
      durability: { type: 'string' },
      gateways: { type: 'string' },
      workers: { type: 'string' },
      units: { type: 'string' },
      kills: { type: 'string' },
      pauses: { type: 'string' },
      'store-restarts': { type: 'string' },
      outage: { type: 'string' },
      'in-flight': { type: 'string' },
      seconds: { type: 'string' },
      target: { type: 'string' },
      key: { type: 'string' },
      model: { type: 'string' },
      budget: { type: 'string' },
      callers: { type: 'string' },
      upstream: { type: 'string' },
    },
  });
}

type Values = ReturnType<typeof readArgs>['values'];

function readOwn(values: Values, seed: number): ChaosOptions {
  refuse(values, TARGET_ONLY, 'goes with --target');
  const outageSeconds = readNumber('--outage', values.outage, [1, 3600]);
  if (outageSeconds !== undefined)
    refuse(values, ['quick', ...FAULTS], 'does not go with --outage');
  const preset = outageSeconds === undefined ? presetOf(values) : OUTAGE;
  const number = (
    name: 'units' | 'kills' | 'pauses' | 'store-restarts' | 'seconds',
    range: readonly [number, number],
  ): number => readNumber(`--${name}`, values[name], range) ?? preset[name];
  const gateways = readNumber('--gateways', values.gateways, [1, 16]) ?? 4;
  const inFlightLeast = readNumber('--in-flight', values['in-flight'], [1, 1000]) ?? 64;
  return {
    kind: 'own',
    store: readChoice('--store', values.store ?? 'sqlite', STORES),
    durability: readChoice('--durability', values.durability ?? 'journal', DURABILITIES),
    seed,
    gateways,
    workers: readNumber('--workers', values.workers, [1, 16]) ?? 1,
    units: number('units', [1000, 100_000_000]),
    clients: CLIENTS,
    // Half as many again as all gateways are to have under way, because callers choose at random.
    callersEach: Math.ceil((1.5 * inFlightLeast * gateways) / CLIENTS),
    kills: number('kills', [0, 1000]),
    pauses: number('pauses', [0, 1000]),
    storeRestarts: number('store-restarts', [0, 1000]),
    outageSeconds,
    inFlightLeast,
    secondsMost: number('seconds', [10, 86_400]),
    json: values.json === true,
    verbose: values.verbose === true,
  };
}

function presetOf({ quick }: Values): typeof FULL {
  return quick === true ? QUICK : FULL;
}

function readChoice<Choice extends string>(
  flag: string,
  text: string,
  choices: readonly Choice[],
): Choice {
  const choice = choices.find((each) => each === text);
  if (choice !== undefined) return choice;
  throw new Error(`${flag} must be one of ${choices.join(', ')}, got "${text}"`);
}

function readTarget(values: Values, seed: number): TargetOptions {
  refuse(values, OWN_ONLY, 'does not go with --target');
  const { target = '', key, model } = values;
  if (!/^https?:\/\//.test(target) || !URL.canParse(target)) {
    throw new Error(`--target must be an address like http://127.0.0.1:4000/v1, got "${target}"`);
  }
  const budget = readNumber('--budget', values.budget, [1, 100_000_000]);
  if (key === undefined || model === undefined || budget === undefined) {
    throw new Error('--target needs --key, --model and --budget beside it');
  }
  return {
    kind: 'target',
    seed,
    url: `${target.replace(/\/+$/, '')}/chat/completions`,
    key,
    model,
    budget,
    callers: readNumber('--callers', values.callers, [1, 1000]) ?? 64,
    secondsMost: readNumber('--seconds', values.seconds, [10, 86_400]) ?? 600,
    json: values.json === true,
  };
}

function refuse(values: Values, names: readonly (keyof Values)[], why: string): void {
  const wrong = names.find((name) => values[name] !== undefined);
  if (wrong !== undefined) throw new Error(`--${wrong} ${why}`);
}

function readNumber(
  flag: string,
  text: string | undefined,
  [least, most]: readonly [number, number],
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new Error(`${flag} must be a whole number from ${least} to ${most}, got "${text}"`);
}
