import { type Call, requestHeaders } from './workload.ts';

/** What wrk sends: each call with each key in turn, or one call with one key over and over. */
export interface Requests {
  /** `http://host:port` */
  readonly origin: string;
  readonly calls: readonly Call[];
  readonly key: string;
  /** Instead of `key`: one key after the other. Always the same code in wrk, however many they are. */
  readonly keys?: readonly string[];
}

/** One line of JSON behind wrk's own report; `errors.status` counts answers of 400 and above. */
const REPORT_LUA = `
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\\n{"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"failed":{"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d}}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect, e.read, e.write, e.timeout, e.status))
end
`;

/** `keysFile` holds the keys, one a line; the first one sent is that after `keysSkipped`. */
export function renderScript(
  { origin, calls, key, keys }: Requests,
  { file, skipped }: { readonly file: string; readonly skipped: number },
): string {
  const [only] = calls;
  const isOne = calls.length === 1 && keys === undefined;
  const requests = isOne && only !== undefined ? renderOne(only, key) : renderTurns(origin, calls);
  const source = keys === undefined ? `keys = { ${quote(key)} }` : renderKeys(file, skipped);
  return [isOne ? '' : source, requests, REPORT_LUA].join('\n');
}

/** wrk renders it once. */
function renderOne({ method, body, key, headers: more }: Call, loadKey: string): string {
  const headers = Object.entries(requestHeaders(key ?? loadKey, more)).map(
    ([name, value]) => `wrk.headers[ ${quote(name)} ] = ${quote(value)}`,
  );
  return [`wrk.method = ${quote(method)}`, `wrk.body = ${quote(body)}`, ...headers].join('\n');
}

function renderKeys(file: string, skipped: number): string {
  return `
keys = {}
for line in io.lines(${quote(file)}) do keys[#keys + 1] = line end
next_key = ${skipped} % #keys`;
}

/** Everything around the key is joined beforehand: what wrk does for a request does not grow with the headers. */
function renderTurns(origin: string, calls: readonly Call[]): string {
  const pieces = calls.map((call) => {
    const [before, after] = splitAtKey(origin, call);
    const own = call.key === undefined ? 'nil' : quote(call.key);
    return `{ ${quote(before)}, ${own}, ${quote(after)} }`;
  });
  return `
next_key = next_key or 0
local calls = { ${pieces.join(', ')} }
local next_call = 0
request = function()
  next_call = next_call % #calls + 1
  local call = calls[next_call]
  local key = call[2]
  if key == nil then
    next_key = next_key % #keys + 1
    key = keys[next_key]
  end
  return call[1] .. key .. call[3]
end`;
}

/** No text that is sent holds this character. */
const KEY_MARK = '\u0001';

/** A request as bytes in ASCII, before and after its key. */
export function splitAtKey(origin: string, call: Call): readonly [string, string] {
  const { method, path, body } = call;
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  const headers = Object.entries(requestHeaders(KEY_MARK, call.headers)).map(
    ([name, value]) => `${name}: ${value}`,
  );
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `Host: ${new URL(origin).host}`,
    ...headers,
    ...length,
  ];
  const [before, after] = `${lines.join('\r\n')}\r\n\r\n${body}`.split(KEY_MARK);
  if (before === undefined || after === undefined) throw new Error('a request without a key');
  return [before, after];
}

/** JSON's escapes are Lua's, as long as the text is ASCII: a long string of Lua would turn CRLF into LF. */
function quote(text: string): string {
  const quoted = JSON.stringify(text);
  if (/[^\u0020-\u007e]|\\u/.test(quoted)) throw new Error('only ASCII can be sent by wrk');
  return quoted;
}
