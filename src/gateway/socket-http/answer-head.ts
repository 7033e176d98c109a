import type { RawHeaders } from '../listener.ts';
import {
  isSoundResponse,
  NO_FIELDS,
  type RenderedFields,
  renderShared,
  statusLineOf,
} from './render-head.ts';

/** Answers that share a list leave close behind one another: the last one is all that need be known. */
let lastList: RawHeaders | undefined;
let lastFields = NO_FIELDS;

/**
 * The head of an answer. `shared`: as `InboundResponse.writeHead` has it; `end`: what follows its own fields. Throws a
 * TypeError where that would be no head.
 */
export function renderAnswerHead(
  status: number,
  fields: RenderedFields,
  shared: RawHeaders | undefined,
  end: string,
): string {
  const own = statusLineOf(status) + fields.text;
  const common = renderLikeLast(shared);
  const problem = fields.problem ?? common.problem;
  if (problem === undefined && isSoundResponse(own + end)) return own + common.text + end;
  throw new TypeError(`the answer cannot be sent: ${problem ?? 'a value is not valid'}`);
}

function renderLikeLast(list: RawHeaders | undefined): RenderedFields {
  if (list === undefined) return NO_FIELDS;
  if (list === lastList) return lastFields;
  const fields = renderShared(list);
  if (fields.contentLength >= 0 || fields.hasDate || fields.close || fields.hosts > 0)
    fields.problem ??= 'a header that answers share is of one answer alone';
  lastList = list;
  lastFields = fields;
  return fields;
}
