import { isRecord, readList } from './read-json.ts';
import type { JsonRecord } from './read-json.ts';

/**
 * Every key, text and number of a request body, a line each: more than the model reads, so that its token
 * count stays a bound. Images are left out; they are counted by the piece. Neither recursive nor spread into
 * arguments: a body may be nested deeper, and have more messages, than the stack holds.
 */
export function collectText(body: JsonRecord): string {
  const lines: string[] = [];
  const open: unknown[] = [];
  for (const [key, value] of Object.entries(body)) {
    if (key !== 'messages') open.push(key, value);
    else for (const message of readList(value)) openMessage(message, open);
  }
  while (open.length > 0) {
    const value = open.pop();
    if (Array.isArray(value)) for (const item of value) open.push(item);
    else if (isRecord(value)) for (const member of Object.entries(value)) open.push(member);
    else lines.push(String(value));
  }
  return lines.join('\n');
}

/** Adds the members of a message, with the images out of its content and of nothing else. */
function openMessage(message: unknown, open: unknown[]): void {
  if (!isRecord(message)) {
    open.push(message);
    return;
  }
  const { content, ...rest } = message;
  open.push(rest, Array.isArray(content) ? content.map(dropImage) : content);
}

function dropImage(part: unknown): unknown {
  if (!isRecord(part) || part['type'] !== 'image_url') return part;
  const { image_url: _image, ...rest } = part;
  return rest;
}
