import { Composer, Document, isAlias, Lexer, LineCounter, Parser, visit } from 'yaml';
import type { Alias, CST, Node } from 'yaml';

/** Far more than any configuration has, and far less than what the composer, which recurses, has stack for. */
const OPEN_TOKENS_MAX = 256;

export interface ParsedYaml {
  readonly document: Document;
  readonly lines: LineCounter;
  /** What is not YAML, in our words or the parser's; `offset`: of its first character. */
  readonly mistakes: readonly { readonly offset: number; readonly message: string }[];
}

/** One document. No text can use up the stack, which would end the whole process: nesting is bounded while it is read. */
export function parseYaml(text: string): ParsedYaml {
  const lines = new LineCounter();
  lines.addNewLine(0);
  const parser = new Parser(lines.addNewLine);
  const tokens: CST.Token[] = [];
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    if (parser.stack.length <= OPEN_TOKENS_MAX) continue;
    const mistakes = [{ offset: parser.offset, message: 'nested too deep to be read' }];
    return { document: new Document(), lines, mistakes };
  }
  tokens.push(...parser.end());
  // Its own search for keys that are there twice compares each with each: whoever reads the nodes looks for them.
  const composer = new Composer({ prettyErrors: false, uniqueKeys: false });
  const composed = composer.compose(tokens, true, text.length);
  const [document = new Document(), second] = [...composed];
  const mistakes = [...document.errors, ...document.warnings].map((mistake) => ({
    offset: mistake.pos[0],
    message: describeMistake(mistake, text),
  }));
  if (second !== undefined) {
    const message = 'a second document begins: one file is one document';
    mistakes.push({ offset: second.range?.[0] ?? 0, message });
  }
  return { document, lines, mistakes };
}

function describeMistake(
  { code, pos: [offset], message }: Document['errors'][number] | Document['warnings'][number],
  text: string,
): string {
  if (code === 'TAB_AS_INDENT') return 'tabs cannot indent YAML: use spaces';
  const line = text.slice(text.lastIndexOf('\n', offset) + 1).split('\n', 1)[0] ?? '';
  const hint = /[{[].*[^"'$\w-]\$\{/.test(line)
    ? ' (within { } or [ ], write "${NAME}" in quotes)'
    : '';
  return `not valid YAML: ${message}${hint}`;
}

/** What each alias stands for: the last node before it with its anchor. One walk, however many aliases there are. */
export function resolveAliases(document: Document): ReadonlyMap<Alias, Node> {
  const anchors = new Map<string, Node>();
  const meant = new Map<Alias, Node>();
  visit(document, {
    Node: (_key, node) => {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.set(node.anchor, node);
        return;
      }
      const found = anchors.get(node.source);
      if (found !== undefined) meant.set(node, found);
    },
  });
  return meant;
}
