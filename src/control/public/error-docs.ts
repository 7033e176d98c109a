import { readFileSync } from 'node:fs';

import { CODES, type Code } from '../../contract/codes.ts';

/** Beside src/ and beside dist/: this file is three folders below either's parent. */
const FOLDER = new URL('../../../docs/errors/', import.meta.url);
const INDEX = 'README';

/** Bounded by the registry: only names of codes are ever read. */
const cache = new Map<Code | typeof INDEX, string>();

/** The Markdown of a code's page (DOC-02). Throws when the package lacks it, which its tests rule out. */
export function readErrorDoc(name: Code | typeof INDEX): string {
  const known = cache.get(name);
  if (known !== undefined) return known;
  const source = readFileSync(new URL(`${name}.md`, FOLDER), 'utf8');
  cache.set(name, source);
  return source;
}

const GUESS_LENGTH_MAX = 100;

/** The code most like what was asked for, by the pairs of letters both have; undefined when less than half agree. */
export function nearestCode(guess: string): Code | undefined {
  const wanted = pairsOf(guess.slice(0, GUESS_LENGTH_MAX));
  let best: Code | undefined;
  let bestShare = 0.5;
  for (const code of codeNames()) {
    const pairs = pairsOf(code);
    const shared = [...wanted].filter((pair) => pairs.has(pair)).length;
    const share = (2 * shared) / (wanted.size + pairs.size);
    if (share > bestShare) {
      best = code;
      bestShare = share;
    }
  }
  return best;
}

export function codeNames(): readonly Code[] {
  return Object.keys(CODES) as Code[];
}

function pairsOf(text: string): ReadonlySet<string> {
  const letters = text.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');
  const pairs = new Set<string>();
  for (let index = 0; index + 1 < letters.length; index += 1) {
    pairs.add(letters.slice(index, index + 2));
  }
  return pairs;
}
