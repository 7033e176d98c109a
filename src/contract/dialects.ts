import { STATUS_FAMILIES } from './code-row.ts';
import { formatParameter } from './problem-words.ts';
import type { ProblemDocument } from './problem-document.ts';

/** The envelope a route's clients expect (DESIGN 4). All members but `error` are the same in each. */
export type ProblemDialect = 'plain' | 'openai';

export interface RenderedProblem {
  readonly contentType: string;
  readonly body: string;
}

const PROBLEM_JSON = 'application/problem+json';

export function renderProblem(document: ProblemDocument, dialect: ProblemDialect): RenderedProblem {
  return { contentType: PROBLEM_JSON, body: JSON.stringify(ENVELOPES[dialect](document)) };
}

/**
 * The error as the last event of a server-sent stream whose head has gone out with 200. The official
 * OpenAI SDK throws its APIError on a data event that has an `error` object.
 */
export function renderProblemEvent(document: ProblemDocument): string {
  return `data: ${JSON.stringify(ENVELOPES.openai(document))}\n\n`;
}

const ENVELOPES: Readonly<Record<ProblemDialect, (document: ProblemDocument) => object>> = {
  plain: (document) => document,
  openai: (document) => ({ ...document, error: buildOpenaiError(document) }),
};

/** Without this object the official SDK reports `402 status code (no body)`. */
function buildOpenaiError(document: ProblemDocument) {
  return {
    message: document.message,
    type: STATUS_FAMILIES[document.status].openaiType,
    code: document.code,
    param: formatParameter(document.details.pointer) ?? null,
    details: document.details,
  };
}
