import { isRecord, parseBody, readList } from './read-json.ts';
import type { JsonRecord } from './read-json.ts';
import { readStrayText } from './stray-text.ts';

/**
 * All text of a whole answer's choices, for the fallback tokenizer; undefined where an error is all it says, or it
 * is no answer of a model at all: the page of a proxy, nothing, a stream that was not called one.
 */
export function readOutputText(body: Buffer): string | undefined {
  const answer = parseBody(body);
  if (!isRecord(answer) || !isAnswer(answer)) return undefined;
  const texts = readTexts(answer);
  return saysError(answer) && texts.every((text) => text === '') ? undefined : texts.join('\n');
}

function readTexts(answer: JsonRecord): readonly string[] {
  const choices = readList(answer['choices']);
  if (choices.length === 0) return [readStrayText(answer)];
  return choices.map((choice) => readChoice(choice) || readStrayText(choice));
}

/** Whether it has what a model answers with: completions, or embeddings. */
export function isAnswer({ choices, data }: JsonRecord): boolean {
  return Array.isArray(choices) || Array.isArray(data);
}

/**
 * Whether an answer, or an event of one, says that there is none: as OpenAI does, OpenRouter in its only choice, MiniMax,
 * Hunyuan, or in words alone.
 */
export function saysError(answer: JsonRecord): boolean {
  const { error, base_resp: minimax, Response: hunyuan } = answer;
  if (isRecord(error) || (typeof error === 'string' && error !== '')) return true;
  if (isOnlyError(readList(answer['choices']))) return true;
  if (isRecord(minimax) && (minimax['status_code'] ?? 0) !== 0) return true;
  if (isRecord(hunyuan) && isRecord(hunyuan['Error'])) return true;
  return !isAnswer(answer) && typeof (answer['message'] ?? answer['detail']) === 'string';
}

function isOnlyError(choices: readonly unknown[]): boolean {
  const [choice] = choices;
  return choices.length === 1 && isRecord(choice) && isRecord(choice['error']);
}

/** What the model wrote in a whole choice where it is known to stand, a completion's own text too. */
function readChoice(choice: unknown): string {
  if (!isRecord(choice)) return '';
  return readGeneratedText(choice['message']) || readText(choice, 'text');
}

/** The same of a streamed piece of a choice. */
export function readPiece(choice: unknown): string {
  if (!isRecord(choice)) return '';
  return readGeneratedText(choice['delta']) || readText(choice, 'text');
}

/**
 * What the model wrote in a message, or in a streamed piece of one: content, reasoning, refusal, calls.
 * `reasoning_content` is DeepSeek's and vLLM's name, the others are OpenRouter's; who sends several says it twice.
 */
function readGeneratedText(message: unknown): string {
  if (!isRecord(message)) return '';
  return (
    readContent(message['content']) +
    (readText(message, 'reasoning_content') ||
      readText(message, 'reasoning') ||
      readStrayText(message['reasoning_details'])) +
    readText(message, 'refusal') +
    readCall(message['function_call']) +
    readToolCalls(message['tool_calls']) +
    readTranscript(message['audio'])
  );
}

/** A string, or the parts some servers stream: `{text}`, or `{thinking: [{text}]}`. */
function readContent(content: unknown): string {
  if (typeof content === 'string') return content;
  let text = '';
  for (const part of readList(content)) {
    if (!isRecord(part)) continue;
    text += readText(part, 'text');
    for (const inner of readList(part['thinking'])) {
      if (isRecord(inner)) text += readText(inner, 'text');
    }
  }
  return text;
}

function readToolCalls(calls: unknown): string {
  let text = '';
  for (const call of readList(calls)) {
    if (isRecord(call)) text += readCall(call['function']) + readCall(call['custom']);
  }
  return text;
}

function readCall(call: unknown): string {
  if (!isRecord(call)) return '';
  return readText(call, 'name') + readText(call, 'arguments') + readText(call, 'input');
}

function readTranscript(audio: unknown): string {
  return isRecord(audio) ? readText(audio, 'transcript') : '';
}

function readText(record: JsonRecord, name: string): string {
  const value = record[name];
  return typeof value === 'string' ? value : '';
}
