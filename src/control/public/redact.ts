import type { Catalog } from '../../domain/catalog.ts';

const MASK = '[removed]';
/** Anything shorter would take whole words out of sentences. */
const SECRET_LENGTH_MIN = 6;

/**
 * What looks like a secret wherever it stands. Each has one bounded or lazy part at most, or is tried only where a run
 * of its characters begins: no text makes them slow.
 */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  // Our own keys, as people see them everywhere else.
  [/\b(tk_(?:live|test)_)[0-9A-Za-z_]{4,96}([0-9A-Za-z]{4})\b/g, '$1...$2'],
  // Headers that hold several words: to the end of the line.
  [
    /\b((?:authorization|(?:set-)?cookie)["']?\s{0,3}[=:]\s{0,3}["']?)[^\r\n"'}]{1,4000}/gi,
    `$1${MASK}`,
  ],
  [/\b(Bearer|Basic)[ +][\w.~+/=:-]{8,}/gi, `$1 ${MASK}`],
  // Words of ours too: only with a figure in it is what follows a credential.
  [/\b(L402|LSAT|Payment|Token)[ +](?=[a-z.~+/=:_-]{0,200}\d)[\w.~+/=:-]{8,}/gi, `$1 ${MASK}`],
  [/\b(?:sk|pk|rk|ghp|xox[abp])[-_][\w-]{16,}/g, MASK],
  // With what stands before it and a hyphen.
  [/(?<![\w-])(?=(?:[\w-]*-)?eyJ)[\w-]{11,}\.[\w-]{8,}(?:\.[\w-]*)?/g, MASK],
  // `scheme://user:password@host`
  [/(:\/\/)[^/@\s"]{1,200}@/g, '$1'],
  [
    /\b((?:api[-_]?key|access[-_]?token|token|secret|password|passwd|session(?:[-_]?id)?|signature|sig)["']?\s{0,3}[=:]\s{0,3}["']?)[^\s"'&;,}]{1,2000}/gi,
    `$1${MASK}`,
  ],
];

/** Takes secrets out of texts: what upstreams are called with, and all that looks like a credential (DIAG-08). */
export type Redact = (text: string) => string;

export function createRedact(catalog: Pick<Catalog, 'upstreams'>): Redact {
  const secrets = [...catalog.upstreams.values()]
    .flatMap(({ credentials }) => credentials.flatMap(({ value }) => [value, withoutScheme(value)]))
    .filter((secret) => secret.length >= SECRET_LENGTH_MIN)
    // The longest first: a part of a secret must not hide the rest of it.
    .toSorted((left, right) => right.length - left.length);
  return (text) => {
    let clean = text;
    for (const secret of secrets) clean = clean.replaceAll(secret, MASK);
    for (const [pattern, replacement] of PATTERNS) clean = clean.replace(pattern, replacement);
    return clean;
  };
}

/** `Bearer abc` -> `abc`: an upstream may repeat it without the word before it. */
function withoutScheme(value: string): string {
  return value.slice(value.lastIndexOf(' ') + 1);
}

/** Every text of a plain value, at any depth; names of members stay. */
export function redactAll<Value>(value: Value, redact: Redact): Value {
  return mapTexts(value, redact) as Value;
}

function mapTexts(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((each) => mapTexts(each, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, mapTexts(member, redact)]),
  );
}
