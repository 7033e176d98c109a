import { ownString } from '../own-string.ts';
import { TOKEN_PATTERN } from './patterns.ts';

/** What the transport itself looks at in a head; every other field only passes through it. */
export type FieldKind =
  | 'plain'
  | 'host'
  | 'content-length'
  | 'transfer-encoding'
  | 'connection'
  | 'keep-alive'
  | 'expect'
  | 'upgrade'
  | 'date'
  /** No name that a head may have. */
  | 'malformed';

/** One spelling of a field name. `text` is a string of its own: it does not keep the head alive that it came in. */
export interface FieldName {
  readonly text: string;
  readonly kind: FieldKind;
  /** What comes before its value in a head: the end of the line before, the name and its colon. */
  readonly lead: string;
  /** It is remembered, so others may refer to it. */
  readonly isShared: boolean;
  /** The name that came after this one the last time: most heads are like the one before. */
  next: FieldName | undefined;
}

/** Clients may invent names without end; those after the first so many are looked at each time. */
export const SPELLINGS_MAX = 1024;

const TOKEN = new RegExp(`^${TOKEN_PATTERN}$`);

const KINDS: ReadonlyMap<string, FieldKind> = new Map(
  (
    [
      'host',
      'content-length',
      'transfer-encoding',
      'connection',
      'keep-alive',
      'expect',
      'upgrade',
      'date',
    ] as const
  ).map((kind) => [kind, kind]),
);

const spellings = new Map<string, FieldName>();

/** What this spelling of a field's name means. */
export function fieldNameOf(spelling: string): FieldName {
  return spellings.get(spelling) ?? addSpelling(spelling);
}

function addSpelling(spelling: string): FieldName {
  const text = ownString(spelling);
  const known = KINDS.get(text.toLowerCase()) ?? 'plain';
  const kind = TOKEN.test(spelling) ? known : 'malformed';
  const isShared = spellings.size < SPELLINGS_MAX;
  const name = { text, kind, lead: `\r\n${text}: `, isShared, next: undefined };
  if (isShared) spellings.set(text, name);
  return name;
}
