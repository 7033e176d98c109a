import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parseProblem } from '../contract/parse-problem.ts';
import { EXIT } from './command-outcome.ts';
import type { CommandIo, ExitCode, Failure } from './command-outcome.ts';

const ADMIN_DEFAULT = 'http://127.0.0.1:4021';
const DATA_DEFAULT = '.tollkeeper';
const TOKEN_FILE = 'admin.token';
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;
const TIMEOUT_MS = 15_000;

/** Options every command that talks to the admin API has. */
export interface AdminOptions {
  readonly admin?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly data?: string | undefined;
  readonly json?: boolean | undefined;
}

export interface AdminCall {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the origin, in parts as they are meant: `['admin', 'tenants', id]`. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly idempotencyKey?: string;
  /** A status beside 2xx that is an answer, not a refusal. */
  readonly expectedStatus?: number;
  /** Where the answer takes as long as there is data. */
  readonly timeoutMs?: number;
}
export type AdminAnswer =
  | { readonly kind: 'answered'; readonly json: unknown; readonly inForce: boolean }
  | Failure;

/** One call to the admin API: flags win over the environment, the environment over the defaults. */
export async function callAdmin(
  call: AdminCall,
  options: AdminOptions,
  io: CommandIo,
): Promise<AdminAnswer> {
  const place = options.admin ?? io.env['TOLLKEEPER_ADMIN'] ?? ADMIN_DEFAULT;
  const origin = parseOrigin(place);
  if (origin === undefined) {
    const source = options.admin === undefined ? 'TOLLKEEPER_ADMIN' : '--admin';
    return failure(
      'BAD_ADDRESS',
      EXIT.usage,
      `${source} must be an address like ${ADMIN_DEFAULT}, not ${place}`,
    );
  }
  const lost = call.path.find(isLostPart);
  if (lost !== undefined) {
    const message = `"${lost}" is no id: one looks like ten_0199...; the list commands show them`;
    return failure('BAD_USAGE', EXIT.usage, message);
  }
  const tokenFile = findTokenFile(options, io);
  const read = readToken(tokenFile);
  if (read.kind === 'failed') return read;
  try {
    return await send(call, { origin, token: read.token, tokenFile });
  } catch (error) {
    return unreachable(origin, error);
  }
}

interface Connection {
  readonly origin: string;
  readonly token: string;
  readonly tokenFile: string;
}

async function send(call: AdminCall, connection: Connection): Promise<AdminAnswer> {
  const { request } = await import('undici');
  const headers: Record<string, string> = {
    authorization: `Bearer ${connection.token}`,
    accept: 'application/json',
  };
  if (call.body !== undefined) headers['content-type'] = 'application/json';
  if (call.idempotencyKey !== undefined) headers['idempotency-key'] = call.idempotencyKey;
  const timeout = call.timeoutMs ?? TIMEOUT_MS;
  const path = call.path.map((part) => `/${encodeURIComponent(part)}`).join('');
  const answer = await request(connection.origin + path + formatQuery(call.query ?? {}), {
    method: call.method,
    headers,
    body: call.body === undefined ? null : JSON.stringify(call.body),
    headersTimeout: timeout,
    bodyTimeout: timeout,
  });
  const json = parseJson(await readBounded(answer.body));
  const { statusCode } = answer;
  const isAnswer = (statusCode >= 200 && statusCode < 300) || statusCode === call.expectedStatus;
  if (isAnswer && json !== undefined) {
    const inForce = answer.headers['x-tollkeeper-in-force'] !== 'pending';
    return { kind: 'answered', json, inForce };
  }
  return refused(statusCode, json, connection);
}

function refused(status: number, json: unknown, connection: Connection): Failure {
  const problem = parseProblem(json);
  if (problem === undefined) {
    const message = `${connection.origin} answered ${status}, but not as a Tollkeeper admin API: give its address with --admin (the gateway's own port is another one)`;
    return failure('NOT_TOLLKEEPER', EXIT.dependency, message);
  }
  if (problem.code === 'ADMIN_TOKEN_INVALID') {
    const message = `the gateway at ${connection.origin} does not take the token in ${connection.tokenFile}: it runs on another data directory; say which with --data DIR or --token-file FILE`;
    return failure(problem.code, EXIT.configuration, message);
  }
  return failure(problem.code, exitCodeOf(status), problem.message);
}

function exitCodeOf(status: number): ExitCode {
  if (status === 400 || status === 413) return EXIT.usage;
  return status === 503 ? EXIT.dependency : EXIT.failed;
}

function unreachable(origin: string, error: unknown): Failure {
  const code = findCode(error);
  if (
    code === 'ECONNREFUSED' ||
    code === 'ENOTFOUND' ||
    code === 'EAI_AGAIN' ||
    code === 'UND_ERR_CONNECT_TIMEOUT'
  ) {
    const message = `no gateway answers at ${origin}: start one with \`npx tollkeeper dev\`, or give its admin address with --admin URL`;
    return failure('NO_ANSWER', EXIT.dependency, message);
  }
  const reason = error instanceof Error ? error.message : String(error);
  return failure(
    'BROKEN_ANSWER',
    EXIT.dependency,
    `the gateway at ${origin} broke off (${reason}): whether it did what was asked is not known`,
  );
}

function failure(code: string, exitCode: ExitCode, message: string): Failure {
  return { kind: 'failed', code, exitCode, message };
}

function findTokenFile(options: AdminOptions, io: CommandIo): string {
  if (options.tokenFile !== undefined) return options.tokenFile;
  return join(options.data ?? io.env['TOLLKEEPER_DATA'] ?? DATA_DEFAULT, TOKEN_FILE);
}

function readToken(path: string): { readonly kind: 'read'; readonly token: string } | Failure {
  let token: string;
  try {
    token = readFileSync(path, 'utf8').trim();
  } catch (error) {
    return noToken(explainUnread(path, error));
  }
  if (/^[\x21-\x7e]{1,256}$/.test(token)) return { kind: 'read', token };
  return noToken(`what is in ${path} is no admin token: say where it is with --token-file FILE`);
}

function noToken(message: string): Failure {
  return failure('NO_TOKEN', EXIT.configuration, message);
}

function explainUnread(path: string, error: unknown): string {
  const code = findCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return `no admin token at ${path}: start a gateway here with \`npx tollkeeper dev\`, or say where its data is with --data DIR or --token-file FILE`;
  const reason = error instanceof Error ? error.message : String(error);
  return `the admin token at ${path} cannot be read (${reason}): only the user that runs the gateway may; run the command as that user`;
}

/** Addresses leave these out of a path: another thing would be asked for than was meant. */
function isLostPart(part: string): boolean {
  return part === '' || part === '.' || part === '..';
}

/** The origin of an http(s) address; a path or query would be a misunderstanding. */
function parseOrigin(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, origin, pathname, search } = new URL(text);
  return /^https?:$/.test(protocol) && pathname === '/' && search === '' ? origin : undefined;
}

function formatQuery(query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}

async function readBounded(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > ANSWER_BYTES_MAX)
      throw new Error(`its answer is larger than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** undici wraps several addresses' errors into one AggregateError. */
function findCode(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && error.code !== undefined) return error.code;
  if (error instanceof AggregateError) return findCode(error.errors[0]);
  return findCode(error.cause);
}
