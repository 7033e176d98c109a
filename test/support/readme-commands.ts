import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** A command of the README and what the README says it prints. */
export interface ReadmeCommand {
  readonly command: string;
  /** In this order; what lies between them is left out of the README as `...` or by a new line. */
  readonly fragments: readonly string[];
}

/** Every block of the README that begins with `curl`, with the block that follows it. */
export function readCurlCommands(): readonly ReadmeCommand[] {
  const blocks = readBlocks();
  return blocks.flatMap(({ text }, index) =>
    text.startsWith('curl ')
      ? [{ command: text.trim(), fragments: splitFragments(blocks[index + 1]?.text ?? '') }]
      : [],
  );
}

/** The only block of a language. */
export function readReadmeBlock(language: string): string {
  const found = readBlocks().filter((block) => block.language === language);
  if (found.length !== 1) throw new Error(`the README has ${found.length} blocks of ${language}`);
  return found[0]?.text ?? '';
}

function readBlocks(): readonly { readonly language: string; readonly text: string }[] {
  const readme = readFileSync(resolve(import.meta.dirname, '../../README.md'), 'utf8');
  return [...readme.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    language: match[1] ?? '',
    text: match[2] ?? '',
  }));
}

function splitFragments(block: string): readonly string[] {
  return block
    .split(/\.\.\.|\n/)
    .map((fragment) => fragment.trim())
    .filter((fragment) => fragment !== '');
}

/** The fragments that do not follow each other in the output, each with what was there instead. */
export function findMissingFragments(
  output: string,
  fragments: readonly string[],
): readonly string[] {
  let rest = output;
  return fragments.flatMap((fragment) => {
    const index = rest.indexOf(fragment);
    if (index < 0) return [`${fragment}\n  not in: ${rest.slice(0, 2000)}`];
    rest = rest.slice(index + fragment.length);
    return [];
  });
}
