import { foldName } from '../../platform/scan-json.ts';
import type { ParsedLlmRequest } from '../provider.ts';
import { PRICED_MEMBERS } from './edit-body.ts';
import { collectText } from './input-text.ts';
import { invalid } from './invalid.ts';
import type { Invalid } from './invalid.ts';
import { findUnpriced } from './find-unpriced.ts';
import { measureMessages } from './measure-messages.ts';
import type { InputMeasure } from './measure-messages.ts';
import { isRecord } from './read-json.ts';
import type { JsonRecord } from './read-json.ts';

/** Far above any model's; keeps `outputTokensMax * choices` a safe integer. */
const OUTPUT_TOKENS_MAX = 1_000_000_000;
/** OpenAI's own bound of `n`. */
const CHOICES_MAX = 128;

/**
 * Tokens a model reads that stand nowhere in the body: reply priming, default system prompts. OpenAI adds
 * three (https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken), chat templates of open
 * models some tens.
 */
const REQUEST_OVERHEAD_TOKENS = 128;
/** Role markers around one message: 3 to 4 at OpenAI (same page), up to 8 in open chat templates. */
const MESSAGE_OVERHEAD_TOKENS = 16;
/** Start and end marker of one embedding input. */
const INPUT_OVERHEAD_TOKENS = 2;
/** The instructions servers put in front of tool definitions: up to some hundreds of tokens. */
const TOOLS_OVERHEAD_TOKENS = 512;
/**
 * The dearest image: gpt-4o-mini in high detail, 8 tiles: 2,833 + 8 x 5,667 = 48,169
 * (https://platform.openai.com/docs/guides/images-vision#calculating-costs).
 */
const IMAGE_TOKENS_MAX = 50_000;

/**
 * A token of a byte-level tokenizer is at least one byte of text, and JSON never writes a character in
 * fewer bytes than UTF-8 does, so the bytes of a body bound the tokens of all text in it without a walk.
 * (Models that normalise text first may lengthen rare characters; what exceeds a hold is the house's.)
 */
function boundTokens(textBytes: number, overhead: number): number {
  return textBytes + overhead;
}

/** A chat completions body (https://platform.openai.com/docs/api-reference/chat/create). Unknown members pass. */
export function parseChat(body: unknown, bodyBytes: number): ParsedLlmRequest {
  if (!isRecord(body)) return invalid('', 'the body must be a JSON object');
  const model = body['model'];
  if (typeof model !== 'string' || model === '') return invalidModel();
  const problem =
    checkSpelling(body) ?? checkOutput(body) ?? checkStream(body) ?? findUnpriced(body);
  if (problem !== undefined) return problem;
  const measure = measureMessages(body['messages']);
  if ('kind' in measure) return measure;

  const stream = body['stream'] === true;
  const overhead = sumOverhead(body, measure);
  return {
    kind: 'ok',
    request: {
      model,
      stream,
      wantsUsageChunk: stream && asksForUsage(body['stream_options']),
      outputTokensMax: readNumber(body, 'max_completion_tokens') ?? readNumber(body, 'max_tokens'),
      choices: readNumber(body, 'n') ?? 1,
      inputTokensBound: boundTokens(bodyBytes - measure.inlineBytes, overhead),
      inputTokensOverhead: overhead,
      inputText: () => collectText(body),
    },
  };
}

/**
 * An embeddings body (https://platform.openai.com/docs/api-reference/embeddings/create). Its output bound is
 * 0: an embedding has no output tokens.
 */
export function parseEmbeddings(body: unknown, bodyBytes: number): ParsedLlmRequest {
  if (!isRecord(body)) return invalid('', 'the body must be a JSON object');
  const model = body['model'];
  if (typeof model !== 'string' || model === '') return invalidModel();
  const input = body['input'];
  const problem = checkSpelling(body) ?? findUnpriced(body) ?? checkInput(input);
  if (problem !== undefined) return problem;
  const inputs = Array.isArray(input) && typeof input[0] !== 'number' ? input.length : 1;
  const overhead = INPUT_OVERHEAD_TOKENS * inputs;
  return {
    kind: 'ok',
    request: {
      model,
      stream: false,
      wantsUsageChunk: false,
      outputTokensMax: 0,
      choices: 1,
      inputTokensBound: boundTokens(bodyBytes, overhead),
      inputTokensOverhead: overhead,
      inputText: () => collectText(body),
    },
  };
}

function sumOverhead(body: JsonRecord, measure: InputMeasure): number {
  const hasTools = hasItems(body['tools']) || hasItems(body['functions']);
  return (
    REQUEST_OVERHEAD_TOKENS +
    MESSAGE_OVERHEAD_TOKENS * measure.messages +
    (hasTools ? TOOLS_OVERHEAD_TOKENS : 0) +
    IMAGE_TOKENS_MAX * measure.images
  );
}

function asksForUsage(options: unknown): boolean {
  return isRecord(options) && options['include_usage'] === true;
}

/** Servers that ignore the case of names read other values than those that were priced. */
function checkSpelling(body: JsonRecord): Invalid | undefined {
  for (const name of Object.keys(body)) {
    if (PRICED_MEMBERS.has(name)) continue;
    const folded = foldName(name);
    if (PRICED_MEMBERS.has(folded)) return invalid(`/${name}`, `must be spelled ${folded}`);
  }
  return undefined;
}

function checkOutput(body: JsonRecord): Invalid | undefined {
  const problem =
    checkWhole(body, 'max_completion_tokens', OUTPUT_TOKENS_MAX) ??
    checkWhole(body, 'max_tokens', OUTPUT_TOKENS_MAX) ??
    checkWhole(body, 'n', CHOICES_MAX);
  if (problem !== undefined) return problem;
  const newer = readNumber(body, 'max_completion_tokens');
  const older = readNumber(body, 'max_tokens');
  // Servers differ in which of two they obey: the one held for must be the one obeyed.
  if (newer !== undefined && older !== undefined && newer !== older) {
    return invalid('/max_tokens', 'differs from max_completion_tokens: send only one of them');
  }
  return undefined;
}

function checkStream(body: JsonRecord): Invalid | undefined {
  if (!isBooleanOrAbsent(body['stream'])) return invalid('/stream', 'must be true or false');
  const options = body['stream_options'] ?? undefined;
  if (options === undefined) return undefined;
  if (!isRecord(options)) return invalid('/stream_options', 'must be an object');
  if (isBooleanOrAbsent(options['include_usage'])) return undefined;
  return invalid('/stream_options/include_usage', 'must be true or false');
}

function checkInput(input: unknown): Invalid | undefined {
  if (typeof input === 'string') return undefined;
  if (!Array.isArray(input) || input.length === 0) return invalidInput('/input');
  const items: readonly unknown[] = input;
  const isItem = chooseItemCheck(items[0]);
  const index = items.findIndex((item) => !isItem(item));
  return index === -1 ? undefined : invalidInput(`/input/${index}`);
}

/** All items are of the first one's kind. */
function chooseItemCheck(first: unknown): (item: unknown) => boolean {
  if (typeof first === 'string') return (item) => typeof item === 'string';
  return typeof first === 'number' ? isTokenId : isTokenList;
}

function isTokenList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isTokenId);
}

function isTokenId(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function checkWhole(body: JsonRecord, name: string, max: number): Invalid | undefined {
  const value = body[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max) {
    return undefined;
  }
  return invalid(`/${name}`, `must be a whole number from 1 to ${max}`);
}

/** Optional members may be null, as OpenAI's own SDKs send them. */
function readNumber(body: JsonRecord, name: string): number | undefined {
  const value = body[name];
  return typeof value === 'number' ? value : undefined;
}

function isBooleanOrAbsent(value: unknown): boolean {
  return value === undefined || value === null || typeof value === 'boolean';
}

function hasItems(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}

function invalidModel(): Invalid {
  return invalid('/model', 'must be the name of a model');
}

function invalidInput(pointer: string): Invalid {
  return invalid(
    pointer,
    'must be text, or a list of texts, of token ids or of lists of token ids',
  );
}
