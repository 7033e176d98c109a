/** The word for a placeholder of a sentence. A missing or empty word drops the alternative that needs it. */
export type FindWord = (name: string) => string | undefined;

/** Literal text and word names in turn: text, name, text, name, ..., text. */
type Alternative = readonly string[];
/** A run of literal text is a part with one alternative that needs no word. */
type Part = readonly Alternative[];
export type Sentence = readonly Part[];

/**
 * Compiles `Fixed text [first choice with {word}|second choice].`: of each bracket the first alternative
 * whose words are all known is used, none if there is none. Words stand in brackets only, so that no
 * set of words can leave a placeholder behind. Throws on a malformed template, which is a bug.
 */
export function compileSentence(template: string): Sentence {
  const parts: Part[] = [];
  let from = 0;
  while (from < template.length) {
    const open = template.indexOf('[', from);
    const literal = template.slice(from, open === -1 ? undefined : open);
    if (/[{}\]|]/.test(literal)) throw new Error(`words must stand in brackets: ${template}`);
    if (literal !== '') parts.push([[literal]]);
    if (open === -1) break;
    const close = template.indexOf(']', open);
    if (close === -1) throw new Error(`bracket is not closed: ${template}`);
    const alternatives = template
      .slice(open + 1, close)
      .split('|')
      .map(splitAtWords);
    if (alternatives.some((pieces) => pieces.some((piece) => /[{}[]/.test(piece)))) {
      throw new Error(`words are lower case, brackets do not nest: ${template}`);
    }
    parts.push(alternatives);
    from = close + 1;
  }
  return parts;
}

function splitAtWords(text: string): Alternative {
  return text.split(/\{([a-z_]+)\}/);
}

export function renderSentence(sentence: Sentence, findWord: FindWord): string {
  let text = '';
  for (const part of sentence) {
    for (const alternative of part) {
      const rendered = renderAlternative(alternative, findWord);
      if (rendered === undefined) continue;
      text += endsItself(text) && isFullStop(rendered) ? rendered.slice(1) : rendered;
      break;
    }
  }
  return text;
}

/** A word may be a sentence of its own, or cut: `Did you mean "Europe/Berlin"?` needs no full stop behind it. */
function endsItself(text: string): boolean {
  return text.endsWith('.') || text.endsWith('?') || text.endsWith('!');
}

function isFullStop(text: string): boolean {
  return text.startsWith('.') || text.startsWith('。');
}

function renderAlternative(pieces: Alternative, findWord: FindWord): string | undefined {
  let text = '';
  let isWord = false;
  for (const piece of pieces) {
    const part = isWord ? findWord(piece) : piece;
    if (part === undefined || (isWord && part === '')) return undefined;
    text += part;
    isWord = !isWord;
  }
  return text;
}
