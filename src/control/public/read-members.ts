import { parseJson } from '../parse-json.ts';
import type { PublicContext } from './public-deps.ts';

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';

/** The fields of a form or the members of a JSON body, whichever was sent; a text says what is wrong with it. */
export async function readMembers(context: PublicContext): Promise<unknown> {
  const type = context.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type === FORM) {
    return Object.fromEntries(new URLSearchParams(await context.req.text()));
  }
  if (type !== JSON_TYPE) return `send the body with Content-Type: ${JSON_TYPE} or ${FORM}`;
  const parsed = parseJson(await context.req.text());
  if (parsed.kind === 'wrong') return parsed.reason;
  // A text in JSON is no member of anything, and what it says is not for us to repeat.
  return typeof parsed.value === 'string' ? 'the body must be an object' : parsed.value;
}
