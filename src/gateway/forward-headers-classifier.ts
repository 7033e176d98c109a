/** Whatever a header's spelling, what is to be done with it: remembered per spelling, bounded. */
export class HeaderClassifier<Action> {
  readonly #classify: (nameLowerCase: string) => Action;
  readonly #actions = new Map<string, Action>();

  constructor(classify: (nameLowerCase: string) => Action) {
    this.#classify = classify;
  }

  actionFor(name: string): Action {
    const known = this.#actions.get(name);
    if (known !== undefined) return known;
    const action = this.#classify(name.toLowerCase());
    // Clients may invent names without end; those after the first SPELLINGS_MAX are worked out each time.
    if (this.#actions.size < SPELLINGS_MAX) this.#actions.set(name, action);
    return action;
  }
}

export const SPELLINGS_MAX = 512;

/** RFC 9110 7.6.1, and what older clients still send. They end at us in both directions. */
export const HOP_BY_HOP_NAMES: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-authentication-info',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** Cannot be hop-by-hop: a Connection header that lists them is up to no good. */
const ALWAYS_END_TO_END: ReadonlySet<string> = new Set(['', 'host', 'content-length', 'close']);

/** The names a Connection header adds to the above, or undefined when it only says keep-alive or close. */
export function parseConnectionNames(value: string): ReadonlySet<string> | undefined {
  const lower = value.toLowerCase();
  if (lower === 'keep-alive' || lower === 'close') return undefined;
  const names = lower.split(',').map((name) => name.trim());
  return new Set(names.filter((name) => !ALWAYS_END_TO_END.has(name)));
}

export function mergeNames(
  one: ReadonlySet<string> | undefined,
  other: ReadonlySet<string> | undefined,
): ReadonlySet<string> | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return new Set([...one, ...other]);
}

/** The list without the names in `dropped`. */
export function withoutNames(headers: readonly string[], dropped: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (!dropped.has(name.toLowerCase())) kept.push(name, headers[index + 1] ?? '');
  }
  return kept;
}
