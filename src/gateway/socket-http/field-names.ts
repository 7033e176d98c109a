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
  | 'date';

/** One spelling of a field name. `text` is a string of its own: it does not keep the head alive that it came in. */
export interface FieldName {
  readonly text: string;
  readonly kind: FieldKind;
}

/** Clients may invent names without end; those after the first so many are looked at each time. */
export const SPELLINGS_MAX = 1024;

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

/** @param spelling a valid field name, in whatever case. */
export function fieldNameOf(spelling: string): FieldName {
  return spellings.get(spelling) ?? addSpelling(spelling);
}

function addSpelling(spelling: string): FieldName {
  const kind = KINDS.get(spelling.toLowerCase()) ?? 'plain';
  if (spellings.size >= SPELLINGS_MAX) return { text: spelling, kind };
  const text = Buffer.from(spelling, 'latin1').toString('latin1');
  const name = { text, kind };
  spellings.set(text, name);
  return name;
}
