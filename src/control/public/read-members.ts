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
  try {
    const json: unknown = JSON.parse(await context.req.text());
    return json;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return 'the body is not valid JSON';
  }
}
