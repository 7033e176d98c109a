import { invalid } from './invalid.ts';
import type { Invalid } from './invalid.ts';
import { isRecord } from './read-json.ts';

/** What of a body is not text: how often the model reads an image, and how many bytes carry one. */
export interface InputMeasure {
  messages: number;
  images: number;
  /** Never more than these images take in the JSON: a character takes a byte there, or more. */
  inlineBytes: number;
}

/** Checks `messages` and measures them, or says what is wrong where. */
export function measureMessages(messages: unknown): InputMeasure | Invalid {
  if (!Array.isArray(messages) || messages.length === 0) {
    return invalid('/messages', 'must be a list of at least one message');
  }
  const measure: InputMeasure = { messages: messages.length, images: 0, inlineBytes: 0 };
  for (const [index, message] of messages.entries()) {
    const problem = measureMessage(message, `/messages/${index}`, measure);
    if (problem !== undefined) return problem;
  }
  return measure;
}

function measureMessage(
  message: unknown,
  pointer: string,
  measure: InputMeasure,
): Invalid | undefined {
  if (!isRecord(message)) return invalid(pointer, 'must be an object with role and content');
  const { role, content } = message;
  if (typeof role !== 'string' || role === '') {
    return invalid(`${pointer}/role`, 'must be a role such as "user"');
  }
  if ((message['audio'] ?? null) !== null) {
    return invalid(`${pointer}/audio`, 'earlier audio has no known size here: send its transcript');
  }
  // An assistant's message may consist of tool calls alone.
  if (content === undefined && role === 'assistant') return undefined;
  return measureContent(content, `${pointer}/content`, measure);
}

function measureContent(
  content: unknown,
  pointer: string,
  measure: InputMeasure,
): Invalid | undefined {
  if (typeof content === 'string' || content === null) return undefined;
  if (!Array.isArray(content)) {
    return invalid(pointer, 'must be a string, a list of content parts, or null');
  }
  for (const [index, part] of content.entries()) {
    const problem = measurePart(part, `${pointer}/${index}`, measure);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/**
 * Only parts whose tokens have a bound pass. Audio, video and files do not: what they cost depends on
 * their length in time or pages, which the bytes here do not tell.
 */
function measurePart(part: unknown, pointer: string, measure: InputMeasure): Invalid | undefined {
  if (!isRecord(part)) return invalid(pointer, 'must be an object with a type');
  switch (part['type']) {
    case 'text':
      return typeof part['text'] === 'string'
        ? undefined
        : invalid(`${pointer}/text`, 'must be a string');
    case 'refusal':
      return typeof part['refusal'] === 'string'
        ? undefined
        : invalid(`${pointer}/refusal`, 'must be a string');
    case 'image_url':
      return measureImage(part['image_url'], `${pointer}/image_url`, measure);
    default:
      return invalid(
        `${pointer}/type`,
        'must be "text", "refusal" or "image_url": other content has no known token bound',
      );
  }
}

function measureImage(image: unknown, pointer: string, measure: InputMeasure): Invalid | undefined {
  if (!isRecord(image) || typeof image['url'] !== 'string') {
    return invalid(`${pointer}/url`, 'must be a URL, https: or data:');
  }
  measure.images += 1;
  if (image['url'].startsWith('data:')) measure.inlineBytes += image['url'].length;
  return undefined;
}
