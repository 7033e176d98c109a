import { chooseOffer, type Offer } from './accept.ts';
import type { ProblemDialect, ProblemForm } from './dialects.ts';

type Family = 'json' | 'text' | 'html' | 'xml';

const FAMILIES: readonly [Offer<Family>, ...Offer<Family>[]] = [
  ['json', ['application/json', 'application/problem+json']],
  ['text', ['text/plain']],
  ['html', ['text/html', 'application/xhtml+xml']],
  ['xml', ['application/xml', 'application/problem+xml', 'text/xml']],
];

/** C402-10: JSON in the dialect of the route, unless `Accept` likes something else better. A refusal is never refused. */
export function chooseForm(dialect: ProblemDialect, accept: string | undefined): ProblemForm {
  const family = chooseOffer(FAMILIES, accept);
  return family === 'json' ? dialect : family;
}
