/** An HTTP answer as somebody copied it: with or without its head, from curl, a log or an SDK. */
export interface PastedAnswer {
  /** Undefined when nothing in the text says it. */
  readonly status: number | undefined;
  /** Names in lower case; of a repeated one the last. */
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
  /** Parsed when it is JSON, or holds some. */
  readonly body: unknown;
}

const STATUS_LINE = /^HTTP\/\d(?:\.\d)? (\d{3})\b/;
const HEADER_LINE = /^([!#$%&'*+.^_`|~\w-]{1,128}):[ \t]*(.*)$/;
/** `curl -v` marks what it received, sent and did. */
const RECEIVED_HEAD = /^< HTTP\//;
const RECEIVED = /^< ?/;
const CURL_TALK = /^(?:[>*{}] |\* |> ?$)/;
const HEADERS_MAX = 200;
/** `402 status code`, `Error code: 402 - {...}`, `PaymentRequiredError: 402 ...`: what SDKs print. */
const PRINTED_STATUS = /(?:^|\b(?:error|code|status|status code)\b[: ]{1,3})([2-5]\d{2})\b/i;

export function readPastedAnswer(pasted: string): PastedAnswer {
  const all = pasted.replaceAll(/\r\n?/g, '\n').split('\n');
  const lines = all.some((line) => RECEIVED_HEAD.test(line)) ? withoutTalk(all) : all;
  const { status, headers, rest } = readHead(lines);
  const text = rest.join('\n').trim();
  return { status: status ?? printedStatus(text), headers, text, body: readBody(text) };
}

function withoutTalk(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => !CURL_TALK.test(line)).map((line) => line.replace(RECEIVED, ''));
}

interface Head {
  readonly status: number | undefined;
  readonly headers: ReadonlyMap<string, string>;
  readonly rest: readonly string[];
}

/** The last head of several: those before it were interim answers and redirects. */
function readHead(lines: readonly string[]): Head {
  const first = lines.findIndex((line) => line.trim() !== '');
  const last = lines.findLastIndex((line) => STATUS_LINE.test(line));
  const start = Math.max(first, last, 0);
  const status = STATUS_LINE.exec(lines[start] ?? '')?.[1];
  const { headers, end } = readHeaders(lines, status === undefined ? start : start + 1);
  if (status === undefined && !isHeaders(headers)) {
    return { status: undefined, headers: new Map(), rest: lines };
  }
  return { status: toStatus(status), headers, rest: lines.slice(end) };
}

function readHeaders(
  lines: readonly string[],
  start: number,
): { readonly headers: ReadonlyMap<string, string>; readonly end: number } {
  const headers = new Map<string, string>();
  let end = start;
  for (; end < lines.length && headers.size < HEADERS_MAX; end += 1) {
    const [, name, value] = HEADER_LINE.exec(lines[end] ?? '') ?? [];
    // `data:` begins an event of a stream.
    if (name === undefined || value === undefined || EVENT_FIELDS.has(name)) break;
    headers.set(name.toLowerCase(), value.trim());
  }
  return { headers, end };
}

const EVENT_FIELDS: ReadonlySet<string> = new Set(['data', 'event', 'id', 'retry']);

/** Without a status line: some header that answers have. `Code: X` of a text answer is none. */
function isHeaders(headers: ReadonlyMap<string, string>): boolean {
  return ['content-type', 'date', 'x-request-id', 'request-id', 'server', 'retry-after'].some(
    (name) => headers.has(name),
  );
}

function printedStatus(text: string): number | undefined {
  if (text.startsWith('{') || text.startsWith('<')) return undefined;
  return toStatus(PRINTED_STATUS.exec(text.slice(0, 500))?.[1]);
}

function toStatus(digits: string | undefined): number | undefined {
  return digits === undefined ? undefined : Number.parseInt(digits, 10);
}

/** JSON as it stands, or what lies between the first and the last brace of a message. */
function readBody(text: string): unknown {
  const whole = parseJson(text);
  if (whole !== undefined) return whole;
  const [start, end] = [text.indexOf('{'), text.lastIndexOf('}')];
  const inner = start >= 0 && end > start ? parseJson(text.slice(start, end + 1)) : undefined;
  return inner ?? text;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
