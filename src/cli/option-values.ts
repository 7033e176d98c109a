import { InvalidArgumentError } from 'commander';

/** Takes a member away: null in the admin API. */
const NONE = 'none';
/** A list without members means everything. */
const ALL = 'all';

/** `none` takes the member away; an option that was not given leaves it as it is. */
export function clearable(text: string | undefined): string | null | undefined {
  return text === NONE ? null : text;
}

/** `a,b`; `all` is the empty list. */
export function parseNames(text: string): readonly string[] {
  if (text === ALL) return [];
  return text.split(',').map((name) => name.trim());
}

/** Checks the option; its value stays text, because commander makes an empty text of null. */
export function parseCount(text: string): string {
  if (text === NONE || /^\d{1,15}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be a whole number, or none.');
}

/** A repeatable option as a list; `none` empties it. For `Command.option`. */
export function collect<Item>(
  parse: (text: string) => Item,
): (text: string, before: readonly Item[] | undefined) => readonly Item[] {
  return (text, before = []) => (text === NONE ? [] : [...before, parse(text)]);
}

export interface OverrideBody {
  readonly limit_id: string;
  readonly amount: string;
  readonly expires_at?: string;
}

/** `requests_per_month=5000` or `spend_per_day=5.00@2027-01-01`. */
export function parseOverride(text: string): OverrideBody {
  const [, limitId = '', amount = '', expiresAt] = /^([^=@]+)=([^=@]+)(?:@(.+))?$/.exec(text) ?? [];
  if (limitId === '')
    throw new InvalidArgumentError('Write LIMIT=AMOUNT, or LIMIT=AMOUNT@UNTIL when it ends.');
  const override = { limit_id: limitId, amount };
  return expiresAt === undefined ? override : { ...override, expires_at: expiresAt };
}

export interface KeyLimitBody {
  readonly unit: string;
  readonly amount: string;
  readonly window?: string;
  readonly class?: string;
}

/** `requests/day=100`, `spend/month=5.00`, `concurrent_requests=2`, `requests/minute=10:protective`. */
export function parseKeyLimit(text: string): KeyLimitBody {
  const match = /^([a-z_]+)(?:\/([a-z_]+))?=([^=:]+)(?::([a-z]+))?$/.exec(text);
  const [, unit = '', window, amount = '', limitClass] = match ?? [];
  if (match === null)
    throw new InvalidArgumentError('Write UNIT/WINDOW=AMOUNT, such as requests/day=100.');
  return {
    unit,
    amount,
    ...(window === undefined ? {} : { window }),
    ...(limitClass === undefined ? {} : { class: limitClass }),
  };
}
