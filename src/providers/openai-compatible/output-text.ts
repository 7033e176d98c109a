import { isRecord, parseJson, readList } from './read-json.ts';
import type { JsonRecord } from './read-json.ts';

/** All text of a whole answer's choices, for the fallback tokenizer; `''` where it has none. */
export function readOutputText(body: Buffer): string {
  const answer = parseJson(body.toString('utf8'));
  if (!isRecord(answer)) return '';
  return readList(answer['choices'])
    .map((choice) => (isRecord(choice) ? readGeneratedText(choice['message']) : ''))
    .join('\n');
}

/**
 * What the model wrote in a message, or in a streamed piece of one: content, reasoning, refusal, calls.
 * `reasoning_content` is DeepSeek's and vLLM's name, `reasoning` OpenRouter's; who sends both says it twice.
 */
export function readGeneratedText(message: unknown): string {
  if (!isRecord(message)) return '';
  return (
    readContent(message['content']) +
    (readText(message, 'reasoning_content') || readText(message, 'reasoning')) +
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
