import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody, sendJson, startDemoServer, writeChunk } from './demo-server.ts';
import type { DemoServer, DemoServerOptions } from './demo-server.ts';

const SKIES = ['clear', 'cloudy', 'rain', 'snow', 'fog'] as const;
const COMPANIES = ['Northwind Tea', 'Harbour Lamps', 'Quiet Bicycles', 'Paper & Rope'] as const;
const DOWNLOAD_BYTES_MAX = 16 * 1024 ** 3;
const CHUNK = Buffer.alloc(64 * 1024, 'tollkeeper demo ');

interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly query: URLSearchParams;
}

type Handler = (call: Call) => Promise<void>;

/** By method and path; a path that ends in `/` takes whatever follows. */
const ROUTES: readonly {
  readonly method: string;
  readonly path: string;
  readonly handle: Handler;
}[] = [
  { method: 'GET', path: '/status', handle: sendStatus },
  { method: 'GET', path: '/weather', handle: sendWeather },
  { method: 'GET', path: '/lookup/', handle: sendLookup },
  { method: 'GET', path: '/report/', handle: sendReport },
  { method: 'GET', path: '/slow', handle: sendSlowly },
  { method: 'POST', path: '/enrich', handle: sendEnriched },
  { method: 'GET', path: '/download', handle: sendDownload },
  { method: 'PUT', path: '/upload', handle: countUpload },
  { method: 'POST', path: '/upload', handle: countUpload },
];

/**
 * A small REST API to put a gateway in front of. Its data are made from hashes of what was asked: the same
 * question always has the same answer, and no network is involved. `/echo-headers`, by any method, tells
 * what arrived.
 */
export function startDemoApi(options: DemoServerOptions): Promise<DemoServer> {
  return startDemoServer(options, (request, response) => {
    const [path = '/', search = ''] = (request.url ?? '/').split('?', 2);
    const call: Call = { request, response, path, query: new URLSearchParams(search) };
    if (path === '/echo-headers') return sendRequest(call);
    const atPath = ROUTES.filter((route) => matchPath(route.path, path));
    const route = atPath.find(({ method }) => method === request.method);
    if (route !== undefined) return route.handle(call);
    return sendProblem(call, atPath.length === 0 ? 404 : 405, `no ${request.method} ${path} here`);
  });
}

function matchPath(pattern: string, path: string): boolean {
  if (!pattern.endsWith('/')) return path === pattern;
  return path.startsWith(pattern) && path.length > pattern.length;
}

async function sendStatus({ response }: Call): Promise<void> {
  sendJson(response, 200, { status: 'ok', service: 'Tollkeeper demo API' });
}

async function sendWeather(call: Call): Promise<void> {
  const city = call.query.get('city') ?? '';
  if (city === '') return sendProblem(call, 400, 'city is missing: try /weather?city=Oslo');
  const hash = hashOf(city.toLowerCase());
  sendJson(call.response, 200, {
    city,
    sky: SKIES[hash.readUInt8(0) % SKIES.length],
    temperature_celsius: (hash.readUInt8(1) % 45) - 10,
    wind_metres_per_second: hash.readUInt8(2) % 20,
    source: 'invented',
  });
}

async function sendLookup({ response, path, query }: Call): Promise<void> {
  const id = path.slice('/lookup/'.length);
  const hash = hashOf(id);
  const details = { founded: 1900 + (hash.readUInt8(3) % 120), sites: 1 + (hash.readUInt8(4) % 9) };
  sendJson(response, 200, {
    id,
    company: COMPANIES[hash.readUInt8(0) % COMPANIES.length],
    employees: 1 + (hash.readUInt16LE(1) % 5_000),
    ...(query.get('details') === 'full' ? details : {}),
    source: 'invented',
  });
}

async function sendReport({ response, path }: Call): Promise<void> {
  const year = path.slice('/report/'.length);
  const days = hashOf(year).readUInt8(0) % 200;
  sendJson(response, 200, { year, days_of_rain: days, source: 'invented' });
}

const SLOW_MS = 2000;

async function sendSlowly({ response }: Call): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
  sendJson(response, 200, { waited_ms: SLOW_MS, source: 'invented' });
}

async function sendEnriched(call: Call): Promise<void> {
  const body = await readBody(call.request);
  const record = body === undefined ? undefined : parseRecord(body.toString());
  if (record === undefined) return sendProblem(call, 400, 'send a JSON object of at most 16 MiB');
  const score = hashOf(JSON.stringify(record)).readUInt8(0) % 101;
  sendJson(call.response, 200, { ...record, enriched: { score, source: 'invented' } });
}

/** What arrived, as it arrived: for tests of what a gateway adds, strips and rewrites. */
async function sendRequest({ request, response }: Call): Promise<void> {
  const body = await readBody(request);
  sendJson(response, 200, {
    method: request.method,
    path: request.url,
    headers: request.headers,
    raw_headers: request.rawHeaders,
    body_bytes: body?.length ?? null,
  });
}

async function countUpload({ request, response }: Call): Promise<void> {
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) bytes += chunk.length;
  sendJson(response, 200, { bytes });
}

async function sendDownload(call: Call): Promise<void> {
  const text = call.query.get('bytes') ?? '';
  const bytes = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
  if (!(bytes <= DOWNLOAD_BYTES_MAX)) {
    return sendProblem(
      call,
      400,
      `bytes must be 0 to ${DOWNLOAD_BYTES_MAX}: try /download?bytes=1024`,
    );
  }
  const { response } = call;
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes });
  for (let left = bytes; left > 0; left -= CHUNK.length) {
    const chunk = left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK;
    if (!(await writeChunk(response, chunk))) return;
  }
  response.end();
}

async function sendProblem({ response }: Call, status: number, message: string): Promise<void> {
  sendJson(response, status, { error: message });
}

function parseRecord(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
