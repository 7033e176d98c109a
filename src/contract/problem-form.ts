import type { ProblemDialect, ProblemForm } from './dialects.ts';
import { parseQualityList, type QualityItem } from './quality-list.ts';

type Family = 'json' | 'text' | 'html' | 'xml';

/** The media types each family is asked for by; the first of them is what it is. */
const TYPES: readonly (readonly [Family, readonly string[]])[] = [
  ['json', ['application/json', 'application/problem+json']],
  ['text', ['text/plain']],
  ['html', ['text/html', 'application/xhtml+xml']],
  ['xml', ['application/xml', 'application/problem+xml', 'text/xml']],
];

/**
 * C402-10, RFC 9110 12.5.1: JSON in the dialect of the route, unless `Accept` likes something else
 * better. Of two it likes equally the one it names wins over the one a wildcard covers, then JSON.
 * A refusal is never refused: when nothing fits it is JSON. Programs send one of the first two forms
 * or none, and nothing is parsed for them.
 */
export function chooseForm(dialect: ProblemDialect, accept: string | undefined): ProblemForm {
  if (accept === undefined || accept === '*/*' || accept === 'application/json') return dialect;
  const items = parseQualityList(accept);
  let best: Family = 'json';
  let bestScore = 0;
  for (const [family, types] of TYPES) {
    const score = Math.max(...types.map((type) => scoreType(type, items)));
    if (score <= bestScore) continue;
    best = family;
    bestScore = score;
  }
  return best === 'json' ? dialect : best;
}

/** The weight of the most specific range that covers the type; how specific it is decides between equals. */
function scoreType(type: string, items: readonly QualityItem[]): number {
  let specificity = 0;
  let quality = 0;
  for (const item of items) {
    const found = specificityOf(item.value, type);
    if (found <= specificity) continue;
    specificity = found;
    quality = item.quality;
  }
  return quality === 0 ? 0 : quality * 1000 + specificity / 10;
}

function specificityOf(range: string, type: string): number {
  if (range === type) return 3;
  if (range === '*/*') return 1;
  // `application/vnd.example+json` comes from a program that reads JSON.
  if (range.endsWith('+json') && type === 'application/json') return 3;
  return range.endsWith('/*') && type.startsWith(range.slice(0, -1)) ? 2 : 0;
}
