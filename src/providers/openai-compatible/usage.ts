import { skipSpace, skipToClose, skipValue } from '../../platform/scan-json.ts';
import type { TokenUsage } from '../provider.ts';
import { isAnswer } from './output-text.ts';
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
  return isNamedAsOthers(found) && !isWholeAnswer(body) ? undefined : parseUsage(found);
}

/** Whether it has the names of other families of APIs. Such counts are read in an answer of this family alone. */
export function isNamedAsOthers(value: unknown): boolean {
  if (!isRecord(value) || 'prompt_tokens' in value) return false;
  return 'input_tokens' in value || 'output_tokens' in value;
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

function isWholeAnswer(body: Buffer): boolean {
  const answer = parseBody(body);
  return isRecord(answer) && isAnswer(answer);
}

function parseWhole(body: Buffer): unknown {
  const answer = parseBody(body);
  return isRecord(answer) ? answer['usage'] : undefined;
}

/**
 * Prompt tokens include cached ones, completion tokens include reasoning ones
 * (https://platform.openai.com/docs/api-reference/chat/object). Some servers leave reasoning out of
 * `completion_tokens` but not out of `total_tokens`: then the total decides; or it is more than the completion that
 * should have it: then it is beside it. Embeddings have no completion.
 * Undefined where a count is missing, odd, or everything is 0, which servers send that do not count.
 */
export function parseUsage(value: unknown): TokenUsage | undefined {
  if (!isRecord(value)) return undefined;
  const prompt = readCount(value, 'prompt_tokens') ?? readInput(value);
  const completion = readCount(value, 'completion_tokens') ?? readCount(value, 'output_tokens');
  const written = withReasoning(value, completion ?? 0);
  const total = readCount(value, 'total_tokens') ?? 0;
  const inputTokens = prompt ?? total - written;
  const outputTokens = Math.max(written, total - inputTokens);
  const cachedInputTokens = readCached(value);
  const isSum = prompt === undefined && completion === undefined;
  // An odd count is NaN, and so is everything made from it.
  const fresh = inputTokens - cachedInputTokens;
  const isSound = isCount(fresh) && isCount(cachedInputTokens) && isCount(outputTokens);
  if (!isSound || inputTokens + outputTokens === 0) return undefined;
  return { inputTokens, cachedInputTokens, outputTokens, isSum };
}

/**
 * As the Responses API names it (https://platform.openai.com/docs/api-reference/responses/object), and Anthropic, who
 * counts what passed a cache beside it (https://platform.claude.com/docs/en/build-with-claude/prompt-caching).
 */
function readInput(usage: JsonRecord): number | undefined {
  const input = readCount(usage, 'input_tokens');
  if (input === undefined) return undefined;
  const written = readCount(usage, 'cache_creation_input_tokens') ?? 0;
  return input + (readCount(usage, 'cache_read_input_tokens') ?? 0) + written;
}

function withReasoning(usage: JsonRecord, completion: number): number {
  const details = usage['completion_tokens_details'] ?? usage['output_tokens_details'];
  const reasoning = isRecord(details) ? (readCount(details, 'reasoning_tokens') ?? 0) : 0;
  return reasoning > completion ? completion + reasoning : completion;
}

/** OpenAI counts them among the details, DeepSeek as hits of its cache, Moonshot beside the other counts. */
function readCached(usage: JsonRecord): number {
  const details = usage['prompt_tokens_details'] ?? usage['input_tokens_details'];
  const detailed = isRecord(details) ? readCount(details, 'cached_tokens') : undefined;
  return (
    detailed ??
    readCount(usage, 'prompt_cache_hit_tokens') ??
    readCount(usage, 'cached_tokens') ??
    // Beside `prompt_tokens` it is not sure to be a part of them.
    (isNamedAsOthers(usage) ? readCount(usage, 'cache_read_input_tokens') : undefined) ??
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
