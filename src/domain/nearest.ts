// Pure and below every layer that takes names from people: the configuration, the admin API, time zones.

/** Words longer than this are not compared: distance costs length times length. */
const WORD_LENGTH_MAX = 100;

/**
 * The candidate somebody most likely meant, or undefined when none is near: at most a third of the
 * letters wrong, two in short words, or the beginning of the other. Case, `-` and `_` do not count, so `baseUrl` finds `base_url`.
 */
export function findNearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = simplify(word);
  if (wanted.length > WORD_LENGTH_MAX) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const simple = simplify(candidate);
    // In a word of two letters everything is two letters away.
    const limit = Math.min(bestDistance, Math.max(wanted.length, simple.length));
    const distance = simple.length > WORD_LENGTH_MAX ? limit : measure(wanted, simple);
    if (distance < limit) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function simplify(word: string): string {
  return word.toLowerCase().replaceAll(/[-_\s]/g, '');
}

const PREFIX_LENGTH_MIN = 3;

function measure(left: string, right: string): number {
  const shorter = Math.min(left.length, right.length);
  const begins = left.slice(0, shorter) === right.slice(0, shorter);
  const distance = editDistance(left, right);
  return begins && shorter >= PREFIX_LENGTH_MIN ? Math.min(distance, 2) : distance;
}

/** Levenshtein with neighbouring letters swapped counted as one mistake (optimal string alignment). */
function editDistance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      let cost = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
      );
      const swapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (swapped && column > 1) cost = Math.min(cost, at(beforeLast, column - 2) + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, right.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.MAX_SAFE_INTEGER;
}
