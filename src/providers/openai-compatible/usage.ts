import { skipSpace, skipToClose, skipValue } from '../../platform/scan-json.ts';
import type { TokenUsage } from '../provider.ts';
import { isRecord, parseBody, parseJson } from './read-json.ts';
import type { JsonRecord } from './read-json.ts';

const USAGE_KEY = '"usage"';
const BACKSLASH = 0x5c;
const COLON = 0x3a;
/** Servers write usage at the end. Further from it than this, the whole answer is parsed. */
const TAIL_BYTES_MAX = 4096;
/** A count above this is a server's mistake, and no bill is made from it. */
const TOKENS_MAX = 1_000_000_000;

/**
 * The top-level `usage` of a whole answer, or undefined where there is none that can be true. Looks at the
 * tail before it parses everything: a twentieth of the cost on an answer of some kilobytes.
 */
export function readUsage(body: Buffer): TokenUsage | undefined {
  const key = body.lastIndexOf(USAGE_KEY);
  if (key === -1) return undefined;
  const found = readTail(body, key) ?? parseWhole(body);
  return parseUsage(found);
}

/** The value of this key if it is a member of the outermost object, or undefined if that is not plain to see. */
function readTail(body: Buffer, key: number): unknown {
  if (body.length - key > TAIL_BYTES_MAX || body[key - 1] === BACKSLASH) return undefined;
  const colon = skipSpace(body, key + USAGE_KEY.length);
  if (body[colon] !== COLON) return undefined;
  const start = skipSpace(body, colon + 1);
  const end = skipValue(body, start);
  // One level up from the outermost object there is nothing but white space.
  if (skipSpace(body, skipToClose(body, end)) !== body.length) return undefined;
  return parseJson(body.toString('utf8', start, end));
}

function parseWhole(body: Buffer): unknown {
  const answer = parseBody(body);
  return isRecord(answer) ? answer['usage'] : undefined;
}

/**
 * Prompt tokens include cached ones, completion tokens include reasoning ones
 * (https://platform.openai.com/docs/api-reference/chat/object). Some servers leave reasoning out of
 * `completion_tokens` but not out of `total_tokens`: then the total decides. Embeddings have no completion.
 * Undefined where a count is missing, odd, or everything is 0, which servers send that do not count.
 */
export function parseUsage(value: unknown): TokenUsage | undefined {
  if (!isRecord(value)) return undefined;
  const completion = readCount(value, 'completion_tokens') ?? 0;
  const total = readCount(value, 'total_tokens') ?? 0;
  const inputTokens = readCount(value, 'prompt_tokens') ?? total - completion;
  const outputTokens = Math.max(completion, total - inputTokens);
  const cachedInputTokens = readCached(value);
  const usage = { inputTokens, cachedInputTokens, outputTokens };
  // An odd count is NaN, and so is everything made from it.
  const isSound = isCount(inputTokens) && isCount(outputTokens) && isCount(cachedInputTokens);
  if (!isSound || cachedInputTokens > inputTokens) return undefined;
  return inputTokens + outputTokens === 0 ? undefined : usage;
}

/** OpenAI counts them among the details, DeepSeek as hits of its cache, Moonshot beside the other counts. */
function readCached(usage: JsonRecord): number {
  const details = usage['prompt_tokens_details'];
  const detailed = isRecord(details) ? readCount(details, 'cached_tokens') : undefined;
  return (
    detailed ??
    readCount(usage, 'prompt_cache_hit_tokens') ??
    readCount(usage, 'cached_tokens') ??
    0
  );
}

function readCount(record: JsonRecord, name: string): number | undefined {
  const value = record[name] ?? undefined;
  if (value === undefined) return undefined;
  return typeof value === 'number' && isCount(value) ? value : Number.NaN;
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= TOKENS_MAX;
}
